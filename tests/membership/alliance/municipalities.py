"""What happens to municipalities, in any order; and that time goes on, and news arrive."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, TypeAlias

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from services.membership.api.rights import require_own_or_lpr
from services.membership.domain import template
from services.membership.domain.milestones import Consultation, CouncilDecision
from services.membership.domain.official import OfficeHolder
from services.membership.domain.people import Person
from services.membership.domain.registry import Official, register
from services.membership.domain.template import STANDARD, Template
from services.membership.domain.term import Stage
from services.membership.records import Records
from services.membership.use_cases import municipalities as use_cases
from services.membership.use_cases import offices, registry
from shared.alliance.action_fields import ActionField
from shared.kernel.cause import Cause
from shared.web.rights import Actor, Role
from tests.membership.alliance.memory import run
from tests.membership.alliance.people import AGS, LPR, TOWNS, ago, number, somebody, town
from tests.membership.alliance.world import OPERATORS, World
from tests.membership.examples import TODAY

Act: TypeAlias = Coroutine[Any, Any, object]
Milestone: TypeAlias = Callable[[Records, str, date, Cause], Act]


def _said(use_case: Callable[..., Act], *words: object, **more: object) -> Milestone:
    return lambda records, ags, day, cause: use_case(records.municipalities, ags, day, *words, cause, **more)


def _consulted(records: Records, ags: str, day: date, cause: Cause) -> Act:
    return use_cases.hold_consultation(records.municipalities, ags, Consultation(held_on=day), cause)


def _decided(records: Records, ags: str, day: date, cause: Cause) -> Act:
    decision = CouncilDecision(decided_on=day, number="SR 1/2023", approved=True)
    return use_cases.record_council_decision(records.municipalities, ags, decision, cause)


def _chosen(records: Records, ags: str, day: date, cause: Cause) -> Act:
    chosen = list(ActionField)[: day.day % 3]
    return use_cases.choose_action_fields(records.municipalities, ags, chosen, cause, expected=None)


def _coached(records: Records, ags: str, day: date, cause: Cause) -> Act:
    return use_cases.match_coach(records.municipalities, ags, 1, cause, coach="Netzwerk", matched_on=day)


def _elected(records: Records, ags: str, day: date, cause: Cause) -> Act:
    person = Person(id=f"{ags}-{day}", name="K. Muster")
    holder = OfficeHolder(contact_id=person.id, office="Bürgermeisteramt", function="Bürgermeisterin", since=day)
    return offices.assign_office(records, ags, holder, person, cause)


COOPERATION = {
    "consultation": _consulted,
    "cooperation": _said(use_cases.begin_cooperation),
    "end of cooperation": _said(use_cases.end_cooperation, None),
    "dormancy": _said(use_cases.fall_dormant, None),
    "resumption": _said(use_cases.resume),
    "council": _said(use_cases.note_prevention_council, meets=True),
    "end of council": _said(use_cases.note_prevention_council, meets=False),
}
"""On these the figures depend."""

OTHERS = {
    "action fields": _chosen,
    "coach": _coached,
    "coaching": lambda kept, ags, day, cause: use_cases.request_coaching(
        kept.municipalities, ags, "Vandalismus", day, cause
    ),
    "cooperation since ever": lambda kept, ags, _, cause: use_cases.begin_cooperation(
        kept.municipalities, ags, None, cause
    ),
    "decision": _decided,
    "end of coaching": lambda kept, ags, day, cause: use_cases.finish_coaching(kept.municipalities, ags, 1, day, cause),
    "interest": _said(use_cases.show_interest, None),
    "mayor": _elected,
}

BY_THEMSELVES = {"coaching", "decision", "interest", "mayor"}
"""A municipality records these, or the LPR for it; the others are recorded by the LPR alone."""


class Municipalities(RuleBasedStateMachine):
    """Milestones, mergers and names; the calendar and the news."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(TODAY)

    @initialize()
    def begin(self) -> None:
        records, cause = self.world.records, self.world.cause(OPERATORS)
        for official in TOWNS:
            run(records.municipalities.add(*register(official), cause))
        run(records.templates.add(*template.publish(Template(id=STANDARD), "Vereinbarung ${aktenzeichen}"), cause))

    @rule(ags=town, what=st.sampled_from([*COOPERATION, *COOPERATION, *OTHERS]), ago=ago, by=somebody)
    def reach_milestone(self, ags: str, what: str, ago: int, by: Actor | None) -> None:
        day, who, milestone = self.world.today - timedelta(days=ago), by or LPR, (COOPERATION | OTHERS)[what]

        def right() -> None:
            if what in BY_THEMSELVES:
                require_own_or_lpr(who, self.world.municipality(ags))
            else:
                who.require(Role.LPR)

        self.world.ask(who, right, lambda cause: milestone(self.world.records, ags, day, cause))

    @rule(n=number, successor=town, ago=ago)
    def merge(self, n: int, successor: str, ago: int) -> None:
        """Mostly one that an agreement is in force for, or its successor."""
        bound = [ags for one in self.world.agreements if one.stage is Stage.IN_FORCE for ags in one.covered]
        heirs = [heir for ags in bound if (heir := self.world.municipality(ags).successor)]
        self.merge_into(any_of([*bound, *heirs] if bound and n % 4 else AGS, n), successor, ago)

    def merge_into(self, merged: str, successor: str, ago: int = 0) -> None:
        others = [one for one in self._list() if one.ags != merged]
        self._apply([replace(one, predecessors=(merged,)) if one.ags == successor else one for one in others], ago)

    @rule(ags=town, ago=ago)
    def rename(self, ags: str, ago: int) -> None:
        self._apply([replace(one, name=f"{one.name} *") if one.ags == ags else one for one in self._list()], ago)

    def _list(self) -> list[Official]:
        """The municipalities as an official list has them."""
        existing = {one.ags: one.name for one in self.world.municipalities if one.valid_to is None}
        return [replace(official, name=existing[official.ags]) for official in TOWNS if official.ags in existing]

    def _apply(self, rows: Sequence[Official], ago: int) -> None:
        records, valid_from = self.world.records, self.world.today - timedelta(days=ago)
        digest = run(registry.preview(records, rows, valid_from, self.world.today)).digest
        self.world.ask(LPR, lambda: None, lambda cause: registry.apply(records, rows, valid_from, digest, cause))

    @rule(days=st.sampled_from([1, 1, 5, 14, 31, 92, 200]), just_after_midnight=st.booleans(), sweep=st.booleans())
    def time_goes_on(self, days: int, just_after_midnight: bool, sweep: bool) -> None:
        self.world.advance(days, just_after_midnight=just_after_midnight)
        if sweep:
            self.sweep()

    def sweep(self) -> None:
        self.world.sweep()
        assert not self.world.due, "what was due has happened"

    @precondition(lambda self: self.world.pending)
    @rule(n=number, interrupted_after=st.sampled_from([None, None, 0, 1, 2]))
    def deliver(self, n: int, interrupted_after: int | None) -> None:
        self.world.deliver(any_of(list(self.world.pending), n), interrupted_after=interrupted_after)

    @precondition(lambda self: self.world.arrived)
    @rule(n=number)
    def deliver_again(self, n: int) -> None:
        """What came long ago comes again: at most it does what other news would do that are on their way."""
        before = len(self.world.log)
        self.world.react(self.world.arrived[n % len(self.world.arrived)])
        assert self.world.pending or len(self.world.log) == before

    @precondition(lambda self: self.world.pending)
    @rule(last_first=st.booleans())
    def deliver_all(self, last_first: bool) -> None:
        self.world.deliver_all(last_first=last_first)

    def settle(self) -> None:
        """All news arrive, and nothing is due any more."""
        self.world.deliver_all()
        self.sweep()
        self.world.deliver_all()


def any_of(choices: Sequence[str], n: int) -> str:
    return choices[n % len(choices)]
