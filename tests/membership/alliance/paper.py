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
    """One agreement as its events tell it; reading an event that must not be there fails."""

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
    """Who was told that it is their turn."""
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
    told: set[object] = field(default_factory=set)

    def read(self, logged: Logged) -> None:
        match logged.fact:
            case AgreementDrafted() | AgreementRecorded() as fact:
                self.required = self.parties = fact.parties
                self.recorded = isinstance(fact, AgreementRecorded)
                self.term = None if isinstance(fact, AgreementRecorded) else fact.ends_on
                self.active = {ref.ags for ref in fact.municipalities}
            case AgreementReady() as fact:
                assert fact.ready_on <= logged.day
                self.ready_on, self.invited = fact.ready_on, set(fact.turn)
                self.last_day = min((day for day in (fact.sign_by, self.term) if day), default=None)
            case AgreementSignedByParty() as fact:
                assert fact.party not in self.signed, "nobody signs twice"
                assert fact.party in self.invited, "nobody signs out of turn"
                self._sign(fact, logged.day)
                assert fact.missing == tuple(party for party in self.parties if party not in self.signed)
                self.invited |= set(fact.turn)
            case SignatureCorrected() as fact:
                assert fact.party in self.signed
                self._sign(fact, logged.day)
            case SignatureDeclined() as fact:
                assert fact.party in self.parties
                assert fact.party not in {*self.signed, *self.declined}
                self.declined |= {fact.party}
            case SignatureOverdue() as fact:
                self._remind(fact, logged.day)
            case AgreementWithdrawn() | AgreementLapsed():
                assert self.in_force_since is None, "what is in force is neither withdrawn nor lapses"
                self.active = set()
            case _:
                self._read_of_force(logged)

    def _read_of_force(self, logged: Logged) -> None:
        match logged.fact:
            case AgreementSigned() as fact:
                assert self.in_force_since is None, "an agreement comes into force once"
                assert self.is_complete, "an agreement is in force when all have signed"
                assert self.recorded or fact.in_force_since == max(self.signed.values())
                assert {ref.ags for ref in fact.municipalities} == self.active
                self.in_force_since, self.term = fact.in_force_since, fact.ends_on
                self.spans = {ags: Span(fact.in_force_since) for ags in self.active}
            case AgreementRenewed() as fact:
                assert self.active
                self.term = fact.ends_on
            case AgreementEndsSoon() as fact:
                assert (fact.ends_on, fact.days) not in self.told, "an end that comes is told once"
                assert fact.ends_on - timedelta(days=fact.days) <= logged.day <= fact.ends_on
                self.told |= {(fact.ends_on, fact.days)}
            case NoticeGiven() as fact:
                assert fact.party in self.parties
                assert fact.given_on <= logged.day
                assert fact.party not in self.notices, "nobody gives notice twice"
                self.notices[fact.party] = fact.ends_on
            case AgreementEnded() as fact:
                for ref in fact.municipalities:
                    self._end(ref.ags, fact, logged.day)
                assert {ref.ags for ref in fact.remaining} == self.active
            case AgreementPassedOn() as fact:
                self._pass_on(fact)

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
        known = left is None or left > 90 or (self.term, 30 if left <= 30 else 90) in self.told
        return known and all(today <= (self.last_day_for(ags) or today) for ags in self.active)

    def _sign(self, fact: AgreementSignedByParty | SignatureCorrected, today: date) -> None:
        assert self.in_force_since is None
        assert fact.party in self.parties
        assert self.ready_on
        assert self.ready_on <= fact.signed_on <= min(today, self.last_day or today)
        self.signed[fact.party] = fact.signed_on
        self.declined -= {fact.party}

    def _remind(self, fact: SignatureOverdue, today: date) -> None:
        assert fact.missing, "somebody is reminded"
        assert not set(fact.missing) & (set(self.signed) | self.declined)
        assert set(fact.missing) <= self.invited
        assert fact.due_on not in self.told, "each date is reminded of once"
        waited = (fact.due_on - fact.ready_on).days
        assert (waited % 14, waited >= 14, fact.due_on <= today) == (0, True, True)
        self.told |= {fact.due_on}

    def _end(self, ags: str, fact: AgreementEnded, today: date) -> None:
        assert ags in self.active, "it ends once for each"
        assert fact.ended_on < today
        if fact.how != "merged":
            assert fact.ended_on == self.last_day_for(ags), "the first end that comes is the end"
            assert fact.how == "terminated" or fact.ended_on == self.term
        self._close(ags, fact.ended_on)

    def _pass_on(self, fact: AgreementPassedOn) -> None:
        old, new = fact.municipality.ags, fact.successor.ags
        assert old in self.active
        self._close(old, fact.passed_on - ONE_DAY)
        names = {f"municipality:{old}": f"municipality:{new}"}
        if new not in self.active:
            assert new not in self.spans, "nobody comes back into an agreement that they have left"
            self.active |= {new}
            self.successors |= {new}
            self.spans[new] = Span(fact.passed_on)
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
