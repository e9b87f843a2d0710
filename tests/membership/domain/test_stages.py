"""The two ways through membership: every stage is reached, and none but the final ones is a dead end."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

import pytest

from services.membership.domain import accession, advising, cooperation, drafting, ending, signing
from services.membership.domain.agreement import Agreement
from services.membership.domain.drafting import Terms
from services.membership.domain.ending import earliest_end, fall_due, give_notice, renew
from services.membership.domain.milestones import Consultation
from services.membership.domain.milestones import Stage as MunicipalityStage
from services.membership.domain.municipality import Municipality
from services.membership.domain.signatures import Decline
from services.membership.domain.term import ACTIVE, Notice, Stage
from shared.kernel.decision import Decision
from shared.kernel.errors import Refused
from tests.membership.examples import (
    EVERY_STAGE,
    FOUR,
    NOW,
    TODAY,
    TOMORROW,
    at,
    drafted,
    in_force,
    ready,
    signature,
    signed,
)

TERMS = Terms(ends_on=date(2027, 12, 31), notice_months=0)
IN_TEN_YEARS = at(date(2033, 1, 27))
BY_THE_LPR = Notice(party="lpr", given_on=TODAY, ends_on=TODAY)

AGREEMENTS = {
    Stage.DRAFT: drafted(terms=TERMS),
    Stage.READY: ready(terms=TERMS, sign_by=TOMORROW),
    Stage.PARTIALLY_SIGNED: signed(ready(terms=TERMS, sign_by=TOMORROW), *FOUR[1:])[0],
    Stage.IN_FORCE: in_force(terms=TERMS),
    Stage.EXPIRED: fall_due(in_force(terms=TERMS), IN_TEN_YEARS)[0],
    Stage.TERMINATED: fall_due(give_notice(in_force(terms=TERMS), BY_THE_LPR, NOW)[0], IN_TEN_YEARS)[0],
    Stage.WITHDRAWN: ending.withdraw(drafted(terms=TERMS), "Neuwahl", NOW)[0],
    Stage.LAPSED: fall_due(ready(terms=TERMS, sign_by=TOMORROW), IN_TEN_YEARS)[0],
}

COMMANDS: Mapping[str, Callable[[Agreement], Decision[Agreement]]] = {
    "adapt text": lambda one: drafting.adapt_text(one, "Andere Fassung"),
    "make ready": lambda one: drafting.make_ready(one, TODAY, NOW, TOMORROW),
    "sign": lambda one: signing.sign(one, signature((one.turn or one.parties)[0]), NOW),
    "correct": lambda one: signing.correct(one, replace(signature("lpr"), place="Dresden"), "verlesen", NOW),
    "decline": lambda one: signing.decline(one, Decline(party=FOUR[0], declined_on=TODAY, reason="Kosten"), NOW),
    "withdraw": lambda one: ending.withdraw(one, "Neuwahl", NOW),
    "renew": lambda one: renew(one, date(2030, 12, 31), NOW),
    "give notice": lambda one: give_notice(one, replace(BY_THE_LPR, ends_on=earliest_end(one, TODAY)), NOW),
}

LEADS_TO = {
    Stage.DRAFT: {Stage.READY, Stage.WITHDRAWN, Stage.LAPSED},
    Stage.READY: {Stage.PARTIALLY_SIGNED, Stage.WITHDRAWN, Stage.LAPSED},
    Stage.PARTIALLY_SIGNED: {Stage.IN_FORCE, Stage.WITHDRAWN, Stage.LAPSED, Stage.EXPIRED},
    Stage.IN_FORCE: {Stage.EXPIRED, Stage.TERMINATED},
}
"""By a command, and by the time that passes then."""

FINAL = sorted(set(Stage) - set(ACTIVE))

WAYS: Mapping[str, Callable[[Municipality], Decision[Municipality]]] = {
    "interest": lambda one: advising.show_interest(one, TODAY, None, NOW),
    "consultation": lambda one: advising.hold_consultation(one, Consultation(held_on=TODAY), NOW),
    "cooperation": lambda one: cooperation.begin(one, TODAY, NOW),
    "end": lambda one: cooperation.end(one, TODAY, None, NOW),
    "dormancy": lambda one: cooperation.fall_dormant(one, TODAY, None, NOW),
    "resumption": lambda one: cooperation.resume(one, TODAY, NOW),
    "joining": lambda one: accession.join(one, "KV-2024-000000", TODAY),
    "leaving": lambda one: accession.leave(one, "KV-2023-7QX4M2", TODAY, "terminated"),
}

FROM_STAGE_TO_STAGE = {
    MunicipalityStage.UNCONTACTED: {"interested", "advised", "cooperating", "member"},
    MunicipalityStage.INTERESTED: {"advised", "cooperating", "member"},
    MunicipalityStage.ADVISED: {"cooperating", "member"},
    MunicipalityStage.COOPERATING: {"left", "dormant", "member"},
    MunicipalityStage.MEMBER: {"left", "dormant"},
    MunicipalityStage.DORMANT: {"cooperating", "left", "member"},
    MunicipalityStage.LEFT: {"cooperating", "member"},
}


def later(one: Agreement) -> set[Stage]:
    """The stages to which any command leads, at once or in ten years."""
    found = {one.stage, fall_due(one, IN_TEN_YEARS)[0].stage}
    for command in COMMANDS.values():
        try:
            after, _ = command(one)
        except Refused:
            continue
        found |= {after.stage, fall_due(after, IN_TEN_YEARS)[0].stage}
    return found - {one.stage}


def next_to(one: Municipality) -> set[MunicipalityStage]:
    """The stages to which anything leads that may happen to a municipality."""
    found = {one.stage}
    for way in WAYS.values():
        try:
            found |= {way(one)[0].stage}
        except Refused:
            continue
    return found - {one.stage}


@pytest.mark.parametrize("stage", Stage)
def test_an_agreement_comes_into_every_stage(stage: Stage) -> None:
    assert AGREEMENTS[stage].stage is stage


@pytest.mark.parametrize("stage", ACTIVE)
def test_an_active_agreement_always_goes_on(stage: Stage) -> None:
    assert later(AGREEMENTS[stage]) == LEADS_TO[stage]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("stage", FINAL)
def test_an_agreement_that_is_over_accepts_nothing(stage: Stage, command: str) -> None:
    with pytest.raises(Refused):
        COMMANDS[command](AGREEMENTS[stage])


@pytest.mark.parametrize("stage", FINAL)
def test_nothing_becomes_of_an_agreement_that_is_over(stage: Stage) -> None:
    assert fall_due(AGREEMENTS[stage], IN_TEN_YEARS) == (AGREEMENTS[stage], [])


@pytest.mark.parametrize("stage", MunicipalityStage)
def test_no_stage_is_the_last_one_of_a_municipality(stage: MunicipalityStage) -> None:
    assert next_to(EVERY_STAGE[stage]) == FROM_STAGE_TO_STAGE[stage]
