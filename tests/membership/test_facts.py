"""Facts alone change states: what rules return is rebuilt from what they told, also from what is stored of that."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given

from services.membership.domain.agreement import Agreement
from services.membership.domain.analysis import SecurityAnalysis, start
from services.membership.domain.drafting import Terms, draft, record
from services.membership.domain.ending import end, fall_due, give_notice, pass_on, renew
from services.membership.domain.milestones import Consultation, CouncilDecision
from services.membership.domain.municipality import Municipality
from services.membership.domain.official import OfficeHolder
from services.membership.domain.registry import Official, assign_office, change, leave_office, merge, register, rename
from services.membership.domain.signatures import Decline
from services.membership.domain.template import STANDARD, Template
from services.membership.domain.term import Notice
from shared.alliance.action_fields import ActionField
from shared.events import all_events
from shared.events.membership.agreements import AgreementDrafted
from shared.kernel.event import Event
from shared.kernel.facts import rebuilt
from tests.membership.examples import FOUR, ID, NOW, PIRNA, READY_ON, ROTHENBURG, TODAY, TOMORROW, ZITTAU, at, signature
from tests.membership.lives import Life, agreements, municipalities

LAST_DAY = date(2024, 12, 31)
BAUTZEN = Official(
    ags="14625020", name="Bautzen", kind="Stadt", district="Bautzen", nuts3="DED2C", latitude=51.18, longitude=14.42,
    predecessors=("14625999",),
)  # fmt: skip
MAYOR = OfficeHolder(contact_id="p-1", office="Bürgermeisteramt", function="Bürgermeisterin", since=TODAY)
CORRECTED = replace(signature("lpr", READY_ON), deputy=True)
DECLINE = Decline(party="ministry", declined_on=TODAY, reason="Haushaltsvorbehalt")


def lived(begun: tuple[Any, list[Event]], *rules: Callable[[Any], tuple[Any, list[Event]]]) -> tuple[Any, list[Event]]:
    """The state after these rules, and all that they told."""
    state, told = begun
    for rule in rules:
        state, more = rule(state)
        told = [*told, *more]
    return state, told


LIVES = {
    "municipality": lived(
        register(BAUTZEN, READY_ON),
        lambda one: rename(one, "Bautzen", "Budyšin", TODAY),
        lambda one: change(one, replace(BAUTZEN, population=37_574), TODAY),
        lambda one: assign_office(one, MAYOR),
        lambda one: leave_office(one, "p-1", TODAY),
        lambda one: one.show_interest(TODAY, "Anruf", NOW),
        lambda one: one.hold_consultation(Consultation(held_on=TODAY, topics=("Graffiti", "Jugend")), NOW),
        lambda one: one.choose_action_fields([ActionField.YOUTH, ActionField.GRAFFITI]),
        lambda one: one.begin_cooperation(None, NOW),
        lambda one: one.fall_dormant(TODAY, "Bürgermeisterwahl", NOW),
        lambda one: one.resume(TODAY, NOW),
        lambda one: one.end_cooperation(TODAY, None, NOW),
        lambda one: one.record_council_decision(CouncilDecision(decided_on=TODAY, number="BV-1", approved=True), NOW),
        lambda one: one.request_coaching("Jugend", TODAY, NOW),
        lambda one: one.match_coach(1, "Stadt Zittau", TODAY, NOW),
        lambda one: one.finish_coaching(1, TODAY, NOW),
        lambda one: one.note_prevention_council(TODAY, NOW, meets=True),
        lambda one: one.note_prevention_council(None, NOW, meets=False),
        lambda one: one.join(ID, TODAY),
        lambda one: one.leave(ID, TODAY, "terminated"),
        lambda one: merge(one, ZITTAU, TOMORROW),
    ),
    "agreement": lived(
        draft(ID, [ROTHENBURG, PIRNA], Terms(ends_on=LAST_DAY, witnesses=("Staatsminister des Innern",)), NOW),
        lambda one: one.adapt_text("Vereinbarung"),
        lambda one: one.make_ready(READY_ON, NOW, LAST_DAY),
        lambda one: one.decline(DECLINE, NOW),
        lambda one: fall_due(one, at(READY_ON + timedelta(days=14))),
        lambda one: one.sign(signature("lpr"), NOW),
        lambda one: one.correct(CORRECTED, "i. V. vergessen", NOW),
        *(lambda one, party=party: one.sign(signature(party), NOW) for party in (*FOUR[:2], "ministry")),
        lambda one: one.sign(signature("municipality:14628270"), NOW),
        lambda one: one.sign(signature("police_directorate:PD Dresden"), NOW),
        lambda one: fall_due(one, at(LAST_DAY - timedelta(days=90))),
        lambda one: renew(one, None, NOW),
        lambda one: give_notice(one, Notice(party=FOUR[0], given_on=TODAY, ends_on=LAST_DAY), NOW),
        lambda one: pass_on(one, ROTHENBURG.ags, ZITTAU.ref, TOMORROW),
        lambda one: fall_due(one, at(LAST_DAY + timedelta(days=1))),
    ),
    "withdrawn": lived(draft(ID, [ROTHENBURG], Terms(), NOW), lambda one: one.withdraw("anders entschieden", NOW)),
    "lapsed": lived(
        draft(ID, [ROTHENBURG], Terms(ordered=True), NOW),
        lambda one: one.make_ready(READY_ON, NOW, TODAY),
        lambda one: fall_due(one, at(TOMORROW)),
    ),
    "on paper": lived(record(ID, ROTHENBURG, TODAY), lambda one: end(one, (ROTHENBURG.ref,), LAST_DAY, "merged")),
    "analysis": lived(
        start("SA-2023-7QX4M2", [ROTHENBURG, PIRNA], READY_ON, NOW, with_survey=True, subject="Sicherheitsgefühl"),
        lambda one: one.finish(TODAY, 812, "Der Bahnhof wird gemieden.", NOW),
    ),
    "template": lived(
        Template(id=STANDARD).publish("Vereinbarung"), lambda one: one.publish("Vereinbarung für ${kommunen}")
    ),
}
STATES = {type(state): state for state, _ in LIVES.values()}
FACTS = {type(fact): fact for _, facts in LIVES.values() for fact in facts}
BEGINNINGS = {type(facts[0]) for _, facts in LIVES.values()}


def stored(facts: Sequence[Event]) -> list[Event]:
    """These facts as they are read from the rows of their aggregate."""
    return [msgspec.json.decode(msgspec.json.encode(fact), type=type(fact)) for fact in facts]


def takes(state: Any, fact: Event) -> bool:
    """Whether an aggregate begins with a fact, or is changed by it; whatever else is raised is a mistake."""
    for take in (type(state).begun, state.after):
        try:
            take(fact)
        except TypeError:
            continue
        return True
    return False


@pytest.mark.parametrize(("state", "facts"), LIVES.values(), ids=LIVES)
def test_facts_rebuild_what_the_rules_returned(state: Any, facts: list[Event]) -> None:
    assert rebuilt(type(state), facts) == state


@pytest.mark.parametrize(("state", "facts"), LIVES.values(), ids=LIVES)
def test_stored_facts_rebuild_the_same(state: Any, facts: list[Event]) -> None:
    assert rebuilt(type(state), stored(facts)) == state


@pytest.mark.parametrize("state", [state for state, _ in LIVES.values()], ids=LIVES)
def test_a_state_is_the_same_after_it_was_stored(state: Any) -> None:
    assert msgspec.convert(msgspec.to_builtins(state), type(state)) == state


@given(agreements())
def test_whatever_happened_to_an_agreement_its_stored_facts_rebuild_it(life: Life[Agreement]) -> None:
    assert rebuilt(Agreement, stored(life.facts)) == life.state


@given(municipalities())
def test_whatever_happened_to_a_municipality_its_stored_facts_rebuild_it(life: Life[Municipality]) -> None:
    assert rebuilt(Municipality, stored(life.facts)) == life.state


def test_these_lives_tell_every_fact_of_membership() -> None:
    assert set(FACTS) == {kind for kind in all_events() if kind.type.startswith("membership.")}


@pytest.mark.parametrize("fact", FACTS.values(), ids=lambda fact: type(fact).__name__)
def test_every_fact_is_about_exactly_one_aggregate(fact: Event) -> None:
    assert len([state for state in STATES.values() if takes(state, fact)]) == 1


@pytest.mark.parametrize("kind", [Municipality, Agreement, SecurityAnalysis, Template])
def test_a_foreign_fact_is_a_mistake(kind: type[Any]) -> None:
    own = {type(fact) for state, facts in LIVES.values() if type(state) is kind for fact in facts}
    foreign = [fact for fact in FACTS.values() if type(fact) not in own]
    assert not [fact for fact in foreign if takes(STATES[kind], fact)]


@pytest.mark.parametrize("kind", [Municipality, Agreement, SecurityAnalysis, Template])
def test_only_a_first_fact_begins_anything(kind: type[Any]) -> None:
    for fact in FACTS.values():
        if type(fact) not in BEGINNINGS:
            with pytest.raises(TypeError, match=rf"{type(fact).__name__} begins no"):
                kind.begun(fact)


def test_a_draft_of_before_drafts_told_their_day_is_still_rebuilt() -> None:
    agreement = rebuilt(Agreement, [AgreementDrafted(agreement_id=ID, municipalities=(ROTHENBURG.ref,), parties=FOUR)])
    assert msgspec.convert(msgspec.to_builtins(agreement), Agreement) == agreement
