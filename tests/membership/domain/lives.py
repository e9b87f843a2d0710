"""Whole lives of agreements and municipalities: whatever rules allow, in any order, with time that passes between."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Generic, TypeVar

from hypothesis import strategies as st

from services.membership.domain import (
    accession,
    advising,
    coaching,
    cooperation,
    councils,
    drafting,
    ending,
    offices,
    registry,
    signing,
)
from services.membership.domain.agreement import Agreement
from services.membership.domain.drafting import Terms, draft
from services.membership.domain.milestones import Consultation, CouncilDecision
from services.membership.domain.municipality import Municipality
from services.membership.domain.official import OfficeHolder
from services.membership.domain.parties import DEFAULT_PARTIES
from services.membership.domain.signatures import Decline
from services.membership.domain.term import Notice
from shared.alliance.action_fields import ActionField
from shared.kernel.errors import Refused
from shared.kernel.event import Event
from tests.membership.examples import FOUR, ID, PIRNA, ROTHENBURG, TODAY, ZITTAU, at, signature

S = TypeVar("S")


@dataclass(frozen=True)
class Life(Generic[S]):
    """The state, its events, and the day of the last of them."""

    state: S
    events: Sequence[Event]
    today: date


Step = Callable[[Any, date, datetime], tuple[Any, list[Event]]]
"""Something that may happen to a state on a day; a refusal means that it did not."""


@st.composite
def _lived(draw: st.DrawFn, first: Life[S], steps: st.SearchStrategy[Step]) -> Life[S]:
    life = first
    for days, step in draw(st.lists(st.tuples(st.integers(0, 60), steps), min_size=1, max_size=25)):
        life = _after(life, days, step)
    return life


def _after(life: Life[S], days: int, step: Step) -> Life[S]:
    today = life.today + timedelta(days=days)
    try:
        state, events = step(life.state, today, at(today))
    except Refused:
        return Life(life.state, life.events, today)
    return Life(state, (*life.events, *events), today)


@st.composite
def agreements(draw: st.DrawFn) -> Life[Agreement]:
    """An agreement of one or three municipalities, after whatever may have happened to it."""
    covered = draw(st.sampled_from([[ROTHENBURG], [ROTHENBURG, ZITTAU, PIRNA]]))
    life = Life(*draft(ID, covered, draw(_TERMS), at(TODAY)), TODAY)
    stage = draw(st.sampled_from(["drafted", "ready", "signed"]))
    if stage != "drafted":
        life = _after(life, 1, draw(_READINESS))
    if stage == "signed":
        life = _after(life, 1, _sign_all)
    return draw(_lived(life, {"drafted": _PREPARING | _SIGNING, "ready": _SIGNING, "signed": _ENDING}[stage]))


def municipalities() -> st.SearchStrategy[Life[Municipality]]:
    """A municipality, after whatever may have happened to it."""
    official = registry.Official(
        ags="14625020", name="Bautzen", name_sorbian="Budyšin", kind="Stadt", district="Bautzen", nuts3="DED2C",
        latitude=51.18, longitude=14.42, population=4_999,
    )  # fmt: skip
    return _lived(Life(*registry.register(official), TODAY), _municipality_steps(official))


_TERMS = st.builds(
    Terms,
    required=st.sampled_from([DEFAULT_PARTIES, DEFAULT_PARTIES[::-1], DEFAULT_PARTIES[:1]]),
    ordered=st.booleans(),
    ends_on=st.none() | st.dates(TODAY + timedelta(days=1), TODAY + timedelta(days=500)),
    notice_months=st.integers(0, 3),
)
_PARTIES = st.sampled_from([*FOUR, "municipality:14626610", "municipality:14628270", "police_directorate:PD Dresden"])
_AGO = st.integers(0, 20).map(lambda days: timedelta(days=days))
_AHEAD = st.none() | st.integers(0, 200).map(lambda days: timedelta(days=days))


def _later(day: date, ahead: timedelta | None) -> date | None:
    return None if ahead is None else day + ahead


def _sign_all(one: Agreement, day: date, now: datetime) -> tuple[Agreement, list[Event]]:
    events: list[Event] = []
    while one.turn:
        one, more = signing.sign(one, signature(one.turn[0], day), now)
        events += more
    return one, events


_READINESS: st.SearchStrategy[Step] = st.builds(
    lambda ago, ahead: lambda one, day, now: drafting.make_ready(one, day - ago, now, _later(day, ahead)), _AGO, _AHEAD
)
_PREPARING: st.SearchStrategy[Step] = st.one_of(
    st.builds(lambda text: lambda one, _, __: drafting.adapt_text(one, text), st.text(max_size=3)),
    st.just(lambda one, _, now: ending.withdraw(one, "anders entschieden", now)),
    _READINESS,
)
_ENDING: st.SearchStrategy[Step] = st.one_of(
    st.just(lambda one, _, now: ending.fall_due(one, now)),
    st.builds(lambda ahead: lambda one, day, now: ending.renew(one, _later(day, ahead), now), _AHEAD),
    st.builds(
        lambda party, ahead: lambda one, day, now: ending.give_notice(
            one, Notice(party=party, given_on=day, ends_on=day + (ahead or timedelta())), now
        ),
        _PARTIES, _AHEAD,
    ),
    st.just(lambda one, day, _: ending.pass_on(one, ROTHENBURG.ags, ZITTAU.ref, day)),
    st.just(lambda one, day, _: ending.end(one, (PIRNA.ref,), day, "merged")),
)  # fmt: skip
_SIGNING: st.SearchStrategy[Step] = st.one_of(
    st.builds(
        lambda party, ago: lambda one, day, now: signing.sign(one, signature(party, day - ago), now), _PARTIES, _AGO
    ),
    st.builds(
        lambda party, ago: lambda one, day, now: signing.correct(one, signature(party, day - ago), "falsch", now),
        _PARTIES,
        _AGO,
    ),
    st.builds(
        lambda party: (
            lambda one, day, now: signing.decline(one, Decline(party=party, declined_on=day, reason="nein"), now)
        ),
        _PARTIES,
    ),
    st.just(_sign_all),
    _ENDING,
)


def _municipality_steps(official: registry.Official) -> st.SearchStrategy[Step]:
    agreement_ids = st.sampled_from(["KV-1", "KV-2", "KV-3"])
    contact_ids = st.sampled_from(["p-1", "p-2"])
    reasons = st.none() | st.just("Bürgermeisterwahl")
    numbers = st.integers(1, 2)
    return st.one_of(
        st.builds(lambda reason: lambda one, day, now: advising.show_interest(one, day, reason, now), reasons),
        st.just(lambda one, day, now: advising.hold_consultation(one, Consultation(held_on=day), now)),
        st.builds(
            lambda chosen: lambda one, _, __: advising.choose_action_fields(one, chosen),
            st.lists(st.sampled_from(ActionField)),
        ),
        st.sampled_from(
            [
                lambda one, day, now: cooperation.begin(one, day, now),
                lambda one, _, now: cooperation.begin(one, None, now),
            ]
        ),
        st.builds(lambda reason: lambda one, day, now: cooperation.end(one, day, reason, now), reasons),
        st.builds(lambda reason: lambda one, day, now: cooperation.fall_dormant(one, day, reason, now), reasons),
        st.just(lambda one, day, now: cooperation.resume(one, day, now)),
        st.builds(
            lambda approved: lambda one, day, now: councils.record_decision(one,
                CouncilDecision(decided_on=day, number="BV-1", approved=approved), now
            ),
            st.booleans(),
        ),
        st.just(lambda one, day, now: coaching.request(one, "Jugend", day, now)),
        st.builds(
            lambda number, coach: lambda one, day, now: coaching.match_coach(one, number, coach, day, now),
            numbers, st.sampled_from(["Stadt Zittau", "Stadt Görlitz"]),
        ),
        st.builds(lambda number: lambda one, day, now: coaching.finish(one, number, day, now), numbers),
        st.builds(
            lambda meets: lambda one, day, now: councils.note_prevention_council(one, day, now, meets=meets),
            st.booleans(),
        ),
        st.just(lambda one, _, now: councils.note_prevention_council(one, None, now, meets=False)),
        st.builds(lambda agreement: lambda one, day, _: accession.join(one, agreement, day), agreement_ids),
        st.builds(lambda agreement: lambda one, day, _: accession.leave(one, agreement, day, "expired"), agreement_ids),
        st.sampled_from(
            [
                lambda one, day, _: registry.rename(one, "Spreestadt", None, day),
                lambda one, day, _: registry.rename(one, official.name, official.name_sorbian, day),
                lambda one, day, _: registry.update(one, official, day),
                lambda one, day, _: registry.merge(one, ZITTAU, day),
            ]
        ),
        st.builds(
            lambda contact, office: lambda one, day, _: offices.assign(
                one, OfficeHolder(contact_id=contact, office=office, function="Leitung", since=day)
            ),
            contact_ids, st.sampled_from(["Bürgermeisteramt", "Präventionsstelle"]),
        ),
        st.builds(lambda contact: lambda one, day, _: offices.leave(one, contact, day), contact_ids),
    )  # fmt: skip
