"""What the log of events alone says: whom agreements bind, who is a member since when, and the figures of any day.

Nothing here uses the domain's rules or states: it is the second opinion on them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import date
from typing import Any

from shared.events.membership.agreements import (
    AgreementEnded,
    AgreementEndsSoon,
    AgreementLapsed,
    AgreementPassedOn,
    AgreementSigned,
    AgreementSignedByParty,
    NoticeGiven,
    SignatureCorrected,
    SignatureDeclined,
    SignatureOverdue,
)
from shared.events.membership.members import MemberJoined, MemberLeft
from shared.events.membership.milestones import (
    CoachingRequested,
    ConsultationHeld,
    CooperationBegan,
    CooperationEnded,
    CooperationResumed,
    CouncilDecisionRecorded,
    InterestShown,
    MunicipalityFellDormant,
    PreventionCouncilNoted,
)
from shared.events.membership.municipalities import MunicipalityMerged, OfficeHolderAssigned, OfficeHolderLeft
from shared.kernel.event import Event
from tests.membership.alliance.paper import ONE_DAY, Paper, Span
from tests.membership.alliance.world import OPERATORS, SERVICE, Logged

BY_ITSELF = (
    MemberJoined, MemberLeft, AgreementEnded, AgreementPassedOn, AgreementLapsed, AgreementEndsSoon, SignatureOverdue,
)  # fmt: skip
BY_A_PARTY = (SignatureCorrected, SignatureDeclined, NoticeGiven)
BY_THEMSELVES = (InterestShown, CouncilDecisionRecorded, CoachingRequested, OfficeHolderAssigned, OfficeHolderLeft)


def recorded_by(event: Any) -> set[str]:
    """Who may have recorded an event: the party it is about, the LPR, the operators, or the service by itself."""
    if isinstance(event, AgreementSignedByParty):
        return {event.party}
    if isinstance(event, AgreementSigned):
        return {*event.parties, OPERATORS}
    if isinstance(event, BY_ITSELF):
        return {SERVICE}
    if isinstance(event, BY_A_PARTY):
        return {event.party, "lpr"}
    return {"lpr", f"municipality:{event.ags}"} if isinstance(event, BY_THEMSELVES) else {"lpr", OPERATORS}


class Ledger:
    """All agreements and municipalities as the log tells them."""

    def __init__(self) -> None:
        self.papers: dict[str, Paper] = {}
        self.events: dict[str, list[Event]] = defaultdict(list)
        """By municipality."""

    def read(self, log: Iterable[Logged]) -> None:
        for logged in log:
            assert logged.actor in recorded_by(logged.event), f"{logged.actor} may not record {logged.event}"
            if hasattr(logged.event, "agreement_id") and not isinstance(logged.event, MemberJoined | MemberLeft):
                self.papers.setdefault(logged.subject, Paper(logged.subject)).read(logged)
            elif hasattr(logged.event, "ags"):
                self.events[logged.subject].append(logged.event)

    def active(self) -> Counter[str]:
        """How many active agreements each municipality has."""
        return Counter(ags for paper in self.papers.values() for ags in paper.active)

    def in_force_for(self, ags: str) -> dict[str, Span]:
        """When which agreement is in force for a municipality."""
        return {id: paper.spans[ags] for id, paper in self.papers.items() if ags in paper.spans}

    def figures(self, ags: str) -> "Spans":
        """When a municipality counts for which figure."""
        return Spans(self.events[ags])


class Spans:
    """When a municipality was advised, cooperated, rested, was a member, had a council."""

    def __init__(self, events: Sequence[Any]) -> None:
        self._events = events
        self.advised = [Span(one.held_on or date.min) for one in events if isinstance(one, ConsultationHeld)]
        self.cooperating = list(self._between(CooperationBegan, "began_on", CooperationEnded))
        self.dormant = list(self._between(MunicipalityFellDormant, "since", CooperationEnded, CooperationResumed))
        self.member = list(self._memberships())
        self.council = list(self._councils())
        merged = [one.valid_to for one in events if isinstance(one, MunicipalityMerged)]
        self.existing = Span(date.min, *merged)

    def on(self, day: date) -> set[str]:
        """The figures for which it counts on a day."""
        member, dormant = covered(self.member, day), covered(self.dormant, day)
        counted = {
            "advised": covered(self.advised, day),
            "members": member,
            "working_closely": member or (covered(self.cooperating, day) and not dormant),
            "councils": covered(self.council, day),
        }
        return {figure for figure, yes in counted.items() if yes} if self.existing.covers(day) else set()

    def stage(self) -> str:
        """Where it stands by all that is known."""
        stages = {
            "dormant": goes_on(self.dormant),
            "member": goes_on(self.member),
            "cooperating": goes_on(self.cooperating),
            "left": bool(self.member or self.cooperating),
            "advised": bool(self.advised),
            "interested": any(isinstance(one, InterestShown) for one in self._events),
            "uncontacted": True,
        }
        return next(stage for stage, yes in stages.items() if yes)

    def _between(self, begins: type[Any], named: str, *ends: type[Any]) -> Iterator[Span]:
        """From each beginning until the first event after it that ends such a thing."""
        for place, event in enumerate(self._events):
            if isinstance(event, begins):
                since = getattr(event, named) or date.min
                yield Span(since, next(self._ends(place, begins, ends), None))

    def _ends(self, place: int, begins: type[Any], ends: tuple[type[Any], ...]) -> Iterator[date]:
        for number, event in enumerate(self._events[place:], start=place):
            if isinstance(event, ends):
                yield event.ended_on if isinstance(event, CooperationEnded) else event.resumed_on - ONE_DAY
            if isinstance(event, MemberLeft) and self._memberships_after(number) == 0:
                yield event.left_on
            if isinstance(event, MemberJoined) and begins is MunicipalityFellDormant:
                yield event.joined_on - ONE_DAY

    def _memberships_after(self, place: int) -> int:
        kinds = Counter(type(event) for event in self._events[: place + 1])
        return kinds[MemberJoined] - kinds[MemberLeft]

    def _memberships(self) -> Iterator[Span]:
        left = {event.agreement_id: event.left_on for event in self._events if isinstance(event, MemberLeft)}
        joined = [event for event in self._events if isinstance(event, MemberJoined)]
        assert len({event.agreement_id for event in joined}) == len(joined), "who joins, joins once per agreement"
        for event in joined:
            yield Span(event.joined_on, left.get(event.agreement_id))

    def _councils(self) -> Iterator[Span]:
        noted = [event for event in self._events if isinstance(event, PreventionCouncilNoted)]
        for number, event in enumerate(noted):
            if event.meets:
                over = next((one for one in noted[number:] if not one.meets), None)
                yield Span(event.noted_on or date.min, (over.noted_on or date.min) if over else None)


def covered(spans: Sequence[Span], day: date) -> bool:
    return any(span.covers(day) for span in spans)


def goes_on(spans: Sequence[Span]) -> bool:
    return any(span.until is None for span in spans)


def days_of(log: Sequence[Logged]) -> set[date]:
    """Every day on which something happened, or was recorded, and the day before each."""
    days = {logged.day for logged in log}
    for logged in log:
        event: Any = logged.event
        days |= {value for one in fields(event) if isinstance(value := getattr(event, one.name), date)}
    return days | {day - ONE_DAY for day in days if day > date.min}
