"""What the events of one agreement alone say: who signed, and for whom it was in force from when until when.

Nothing here uses the domain's rules or states: it is the second opinion on them.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

from shared.events.membership.agreements import (
    AgreementDrafted,
    AgreementEnded,
    AgreementEndsSoon,
    AgreementLapsed,
    AgreementPassedOn,
    AgreementReady,
    AgreementRecorded,
    AgreementRenewed,
    AgreementSigned,
    AgreementSignedByParty,
    AgreementWithdrawn,
    NoticeGiven,
    SignatureCorrected,
    SignatureDeclined,
    SignatureOverdue,
)
from tests.membership.alliance.world import Logged

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """From a day until a day, both included, or until further notice."""

    since: date
    until: date | None = None

    def covers(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day <= self.until)


@dataclass
class Paper:
    """One agreement, read from its events; reading an event that must not be there fails."""

    id: str
    required: tuple[str, ...] = ()
    """Who had to sign."""
    parties: tuple[str, ...] = ()
    """Whom it binds by now."""
    recorded: bool = False
    ready_on: date | None = None
    last_day: date | None = None
    """For signing."""
    term: date | None = None
    invited: set[str] = field(default_factory=set)
    """The parties that were asked to sign."""
    signed: dict[str, date] = field(default_factory=dict)
    declined: set[str] = field(default_factory=set)
    in_force_since: date | None = None
    active: set[str] = field(default_factory=set)
    """The municipalities that it binds, or will."""
    spans: dict[str, Span] = field(default_factory=dict)
    """For which municipality it is, or was, in force, and when."""
    successors: set[str] = field(default_factory=set)
    """A notice may be recorded after a merger, and end before it: then a successor was bound on no day."""
    notices: dict[str, date] = field(default_factory=dict)
    """By party, the last day for whom it gave notice."""
    announced: set[object] = field(default_factory=set)

    def read(self, logged: Logged) -> None:
        match logged.event:
            case AgreementDrafted() | AgreementRecorded() as event:
                self.required = self.parties = event.parties
                self.recorded = isinstance(event, AgreementRecorded)
                self.term = None if isinstance(event, AgreementRecorded) else event.ends_on
                self.active = {ref.ags for ref in event.municipalities}
            case AgreementReady() as event:
                assert event.ready_on <= logged.day
                self.ready_on, self.invited = event.ready_on, set(event.turn)
                self.last_day = min((day for day in (event.sign_by, self.term) if day), default=None)
            case AgreementSignedByParty() as event:
                assert event.party not in self.signed, "nobody signs twice"
                assert event.party in self.invited, "nobody signs out of turn"
                self._sign(event, logged.day)
                assert event.missing == tuple(party for party in self.parties if party not in self.signed)
                self.invited |= set(event.turn)
            case SignatureCorrected() as event:
                assert event.party in self.signed
                self._sign(event, logged.day)
            case SignatureDeclined() as event:
                assert event.party in self.parties
                assert event.party not in {*self.signed, *self.declined}
                self.declined |= {event.party}
            case SignatureOverdue() as event:
                self._remind(event, logged.day)
            case AgreementWithdrawn() | AgreementLapsed():
                assert self.in_force_since is None, "what is in force is neither withdrawn nor lapses"
                self.active = set()
            case _:
                self._read_of_force(logged)

    def _read_of_force(self, logged: Logged) -> None:
        match logged.event:
            case AgreementSigned() as event:
                assert self.in_force_since is None, "an agreement comes into force once"
                assert self.is_complete, "an agreement is in force when all have signed"
                assert self.recorded or event.in_force_since == max(self.signed.values())
                assert {ref.ags for ref in event.municipalities} == self.active
                self.in_force_since, self.term = event.in_force_since, event.ends_on
                self.spans = {ags: Span(event.in_force_since) for ags in self.active}
            case AgreementRenewed() as event:
                assert self.active
                self.term = event.ends_on
            case AgreementEndsSoon() as event:
                assert (event.ends_on, event.days) not in self.announced, "the end is announced once"
                assert event.ends_on - timedelta(days=event.days) <= logged.day <= event.ends_on
                self.announced |= {(event.ends_on, event.days)}
            case NoticeGiven() as event:
                assert event.party in self.parties
                assert event.given_on <= logged.day
                assert event.party not in self.notices, "nobody gives notice twice"
                self.notices[event.party] = event.ends_on
            case AgreementEnded() as event:
                for ref in event.municipalities:
                    self._end(ref.ags, event, logged.day)
                assert {ref.ags for ref in event.remaining} == self.active
            case AgreementPassedOn() as event:
                self._pass_on(event)

    @property
    def is_complete(self) -> bool:
        return self.recorded or (bool(self.signed) and set(self.signed) == set(self.required))

    @property
    def ended(self) -> bool:
        return self.in_force_since is not None and not self.active

    def is_swept(self, today: date) -> bool:
        """Whether nothing is over that should have ended before today, and everybody knows of what ends soon."""
        if self.in_force_since is None:
            return not self.active or self.ready_on is None or today <= (self.last_day or today)
        left = (self.term - today).days if self.active and self.term else None
        known = left is None or left > 90 or (self.term, 30 if left <= 30 else 90) in self.announced
        return known and all(today <= (self.last_day_for(ags) or today) for ags in self.active)

    def _sign(self, event: AgreementSignedByParty | SignatureCorrected, today: date) -> None:
        assert self.in_force_since is None
        assert event.party in self.parties
        assert self.ready_on
        assert self.ready_on <= event.signed_on <= min(today, self.last_day or today)
        self.signed[event.party] = event.signed_on
        self.declined -= {event.party}

    def _remind(self, event: SignatureOverdue, today: date) -> None:
        assert event.missing, "somebody is reminded"
        assert not set(event.missing) & (set(self.signed) | self.declined)
        assert set(event.missing) <= self.invited
        assert event.due_on not in self.announced, "each reminder is sent once"
        waited = (event.due_on - event.ready_on).days
        assert (waited % 14, waited >= 14, event.due_on <= today) == (0, True, True)
        self.announced |= {event.due_on}

    def _end(self, ags: str, event: AgreementEnded, today: date) -> None:
        assert ags in self.active, "it ends once for each"
        assert event.ended_on < today
        if event.how != "merged":
            assert event.ended_on == self.last_day_for(ags), "the first end that comes is the end"
            assert event.how == "terminated" or event.ended_on == self.term
        self._close(ags, event.ended_on)

    def _pass_on(self, event: AgreementPassedOn) -> None:
        old, new = event.municipality.ags, event.successor.ags
        assert old in self.active
        self._close(old, event.passed_on - ONE_DAY)
        names = {f"municipality:{old}": f"municipality:{new}"}
        if new not in self.active:
            assert new not in self.spans, "nobody comes back into an agreement that they have left"
            self.active |= {new}
            self.successors |= {new}
            self.spans[new] = Span(event.passed_on)
            self.notices = {names.get(party, party): last for party, last in self.notices.items()}
        self.parties = tuple(dict.fromkeys(names.get(party, party) for party in self.parties))

    def _close(self, ags: str, until: date) -> None:
        self.active -= {ags}
        self.spans[ags] = Span(self.spans[ags].since, until)
        if ags not in self.successors:
            assert self.spans[ags].since <= until, f"{ags}: nothing ends before it began"

    def last_day_for(self, ags: str) -> date | None:
        """The last day for a municipality: of the term or of a notice, by itself or by one that is no municipality."""
        others = {party for party in self.notices if not party.startswith("municipality:")}
        days = [self.notices[party] for party in self.notices if party in {*others, f"municipality:{ags}"}]
        return min([*days, *([self.term] if self.term else [])], default=None)
