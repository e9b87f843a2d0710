"""The state that rules return is the one that their events rebuild, also after they were stored."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given

from services.membership.domain import (
    accession,
    advising,
    agreement,
    analysis,
    coaching,
    cooperation,
    councils,
    drafting,
    ending,
    municipality,
    offices,
    signing,
    template,
)
from services.membership.domain.agreement import Agreement
from services.membership.domain.analysis import SecurityAnalysis, start
from services.membership.domain.drafting import Terms, draft, record
from services.membership.domain.ending import end, fall_due, give_notice, pass_on, renew
from services.membership.domain.milestones import Consultation, CouncilDecision
from services.membership.domain.municipality import Municipality
from services.membership.domain.official import OfficeHolder
from services.membership.domain.registry import Official, merge, register, rename, update
from services.membership.domain.signatures import Decline
from services.membership.domain.template import STANDARD, Template
from services.membership.domain.term import Notice
from shared.alliance.action_fields import ActionField
from shared.events import all_events
from shared.events.membership.agreements import AgreementDrafted
from shared.kernel.decision import Decision, Evolve
from shared.kernel.event import Event
from tests.membership.domain.lives import Life, agreements, municipalities
from tests.membership.examples import FOUR, ID, NOW, PIRNA, READY_ON, ROTHENBURG, TODAY, TOMORROW, ZITTAU, at, signature

LAST_DAY = date(2024, 12, 31)
BAUTZEN = Official(
    ags="14625020", name="Bautzen", kind="Stadt", district="Bautzen", nuts3="DED2C", latitude=51.18, longitude=14.42,
    predecessors=("14625999",),
)  # fmt: skip
MAYOR = OfficeHolder(contact_id="p-1", office="Bürgermeisteramt", function="Bürgermeisterin", since=TODAY)
CORRECTED = replace(signature("lpr", READY_ON), deputy=True)
DECLINE = Decline(party="ministry", declined_on=TODAY, reason="Haushaltsvorbehalt")


def lived(created: Decision[Any], *rules: Callable[[Any], Decision[Any]]) -> Decision[Any]:
    """The state after these rules, and all events."""
    state, events = created
    for rule in rules:
        state, more = rule(state)
        events = [*events, *more]
    return state, events


LIVES = {
    "municipality": lived(
        register(BAUTZEN, READY_ON),
        lambda one: rename(one, "Bautzen", "Budyšin", TODAY),
        lambda one: update(one, replace(BAUTZEN, population=37_574), TODAY),
        lambda one: offices.assign(one, MAYOR),
        lambda one: offices.leave(one, "p-1", TODAY),
        lambda one: advising.show_interest(one, TODAY, "Anruf", NOW),
        lambda one: advising.hold_consultation(one, Consultation(held_on=TODAY, topics=("Graffiti", "Jugend")), NOW),
        lambda one: advising.choose_action_fields(one, [ActionField.YOUTH, ActionField.GRAFFITI]),
        lambda one: cooperation.begin(one, None, NOW),
        lambda one: cooperation.fall_dormant(one, TODAY, "Bürgermeisterwahl", NOW),
        lambda one: cooperation.resume(one, TODAY, NOW),
        lambda one: cooperation.end(one, TODAY, None, NOW),
        lambda one: councils.record_decision(one, CouncilDecision(decided_on=TODAY, number="BV-1", approved=True), NOW),
        lambda one: coaching.request(one, "Jugend", TODAY, NOW),
        lambda one: coaching.match_coach(one, 1, "Stadt Zittau", TODAY, NOW),
        lambda one: coaching.finish(one, 1, TODAY, NOW),
        lambda one: councils.note_prevention_council(one, TODAY, NOW, meets=True),
        lambda one: councils.note_prevention_council(one, None, NOW, meets=False),
        lambda one: accession.join(one, ID, TODAY),
        lambda one: accession.leave(one, ID, TODAY, "terminated"),
        lambda one: merge(one, ZITTAU, TOMORROW),
    ),
    "agreement": lived(
        draft(ID, [ROTHENBURG, PIRNA], Terms(ends_on=LAST_DAY, witnesses=("Staatsminister des Innern",)), NOW),
        lambda one: drafting.adapt_text(one, "Vereinbarung"),
        lambda one: drafting.make_ready(one, READY_ON, NOW, LAST_DAY),
        lambda one: signing.decline(one, DECLINE, NOW),
        lambda one: fall_due(one, at(READY_ON + timedelta(days=14))),
        lambda one: signing.sign(one, signature("lpr"), NOW),
        lambda one: signing.correct(one, CORRECTED, "i. V. vergessen", NOW),
        *(lambda one, party=party: signing.sign(one, signature(party), NOW) for party in (*FOUR[:2], "ministry")),
        lambda one: signing.sign(one, signature("municipality:14628270"), NOW),
        lambda one: signing.sign(one, signature("police_directorate:PD Dresden"), NOW),
        lambda one: fall_due(one, at(LAST_DAY - timedelta(days=90))),
        lambda one: renew(one, None, NOW),
        lambda one: give_notice(one, Notice(party=FOUR[0], given_on=TODAY, ends_on=LAST_DAY), NOW),
        lambda one: pass_on(one, ROTHENBURG.ags, ZITTAU.ref, TOMORROW),
        lambda one: fall_due(one, at(LAST_DAY + timedelta(days=1))),
    ),
    "withdrawn": lived(
        draft(ID, [ROTHENBURG], Terms(), NOW), lambda one: ending.withdraw(one, "anders entschieden", NOW)
    ),
    "lapsed": lived(
        draft(ID, [ROTHENBURG], Terms(ordered=True), NOW),
        lambda one: drafting.make_ready(one, READY_ON, NOW, TODAY),
        lambda one: fall_due(one, at(TOMORROW)),
    ),
    "on paper": lived(record(ID, ROTHENBURG, TODAY), lambda one: end(one, (ROTHENBURG.ref,), LAST_DAY, "merged")),
    "analysis": lived(
        start("SA-2023-7QX4M2", [ROTHENBURG, PIRNA], READY_ON, NOW, with_survey=True, subject="Sicherheitsgefühl"),
        lambda one: analysis.finish(one, TODAY, 812, "Der Bahnhof wird gemieden.", NOW),
    ),
    "template": lived(
        template.publish(Template(id=STANDARD), "Vereinbarung"),
        lambda one: template.publish(one, "Vereinbarung für ${kommunen}"),
    ),
}
EVENTS = {type(event): event for _, events in LIVES.values() for event in events}


def stored(events: Sequence[Event]) -> list[Event]:
    """These events as they are read from the rows of their aggregate."""
    return [msgspec.json.decode(msgspec.json.encode(event), type=type(event)) for event in events]


EVOLVE: dict[type[Any], Evolve[Any]] = {
    Municipality: municipality.evolve,
    Agreement: agreement.evolve,
    SecurityAnalysis: analysis.evolve,
    Template: template.evolve,
}


@pytest.mark.parametrize(("state", "events"), LIVES.values(), ids=LIVES)
def test_events_rebuild_the_state_that_the_rules_returned(state: Any, events: list[Event]) -> None:
    assert EVOLVE[type(state)].rebuild(events) == state


@pytest.mark.parametrize(("state", "events"), LIVES.values(), ids=LIVES)
def test_stored_events_rebuild_the_same_state(state: Any, events: list[Event]) -> None:
    assert EVOLVE[type(state)].rebuild(stored(events)) == state


@pytest.mark.parametrize("state", [state for state, _ in LIVES.values()], ids=LIVES)
def test_a_state_is_the_same_after_it_was_stored(state: Any) -> None:
    assert msgspec.convert(msgspec.to_builtins(state), type(state)) == state


@given(agreements())
def test_the_stored_events_of_any_life_rebuild_an_agreement(life: Life[Agreement]) -> None:
    assert agreement.evolve.rebuild(stored(life.events)) == life.state


@given(municipalities())
def test_the_stored_events_of_any_life_rebuild_a_municipality(life: Life[Municipality]) -> None:
    assert municipality.evolve.rebuild(stored(life.events)) == life.state


def test_these_lives_have_every_event_of_membership() -> None:
    assert set(EVENTS) == {kind for kind in all_events() if kind.type.startswith("membership.")}


def test_every_event_belongs_to_exactly_one_aggregate() -> None:
    tables = [evolve.events for evolve in EVOLVE.values()]
    assert sorted(kind.type for table in tables for kind in table) == sorted(kind.type for kind in EVENTS)


@pytest.mark.parametrize("kind", EVOLVE, ids=lambda kind: kind.__name__)
def test_only_a_first_event_creates_an_aggregate(kind: type[Any]) -> None:
    evolve, first = EVOLVE[kind], {type(events[0]) for state, events in LIVES.values() if type(state) is kind}
    for event in EVENTS.values():
        if type(event) not in first:
            with pytest.raises(TypeError, match=rf"{type(event).__name__} begins no aggregate"):
                evolve(None, event)


@pytest.mark.parametrize("kind", EVOLVE, ids=lambda kind: kind.__name__)
def test_an_event_of_another_aggregate_is_refused(kind: type[Any]) -> None:
    state = next(state for state, _ in LIVES.values() if type(state) is kind)
    for event in EVENTS.values():
        if type(event) not in EVOLVE[kind].events:
            with pytest.raises(TypeError, match=f"does not happen to a {kind.__name__}"):
                EVOLVE[kind](state, event)


def test_a_draft_that_predates_the_field_for_its_day_is_still_rebuilt() -> None:
    old = AgreementDrafted(agreement_id=ID, municipalities=(ROTHENBURG.ref,), parties=FOUR)
    rebuilt = agreement.evolve.rebuild([old])
    assert msgspec.convert(msgspec.to_builtins(rebuilt), Agreement) == rebuilt
