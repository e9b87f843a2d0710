"""A cooperation agreement: drafted, ready, signed party by party, in force, ended; or withdrawn, or lapsed."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any

from services.membership.domain.agreement_facts import begun, changed
from services.membership.domain.parties import kind_of
from services.membership.domain.signatures import (
    AlreadyDeclined,
    AlreadyInForce,
    AlreadyReady,
    AlreadySigned,
    Decline,
    NotAParty,
    NotReady,
    NotSigned,
    OtherText,
    OutOfTurn,
    ReadyInFuture,
    Signature,
    SignedBeforeReady,
    SignedInFuture,
    SignedTooLate,
)
from services.membership.domain.template import sha256
from services.membership.domain.term import ACTIVE, Final, Notice, Stage, TooShort, next_reminder
from shared.alliance.action_fields import ActionField
from shared.events.membership.agreements import (
    AgreementReady,
    AgreementSigned,
    AgreementSignedByParty,
    AgreementTextAdapted,
    AgreementWithdrawn,
    SignatureCorrected,
    SignatureDeclined,
)
from shared.events.membership.refs import MunicipalityRef
from shared.kernel.clock import berlin_day
from shared.kernel.errors import Refused
from shared.kernel.event import Event
from shared.kernel.facts import told

Decided = tuple["Agreement", list[Event]]


class AgreementExists(Refused):
    """The municipality has an active agreement."""

    code = "agreement_exists"


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """A cooperation agreement of one or several municipalities with the state; its id is the file number."""

    id: str
    municipalities: tuple[MunicipalityRef, ...]
    covered: tuple[str, ...]
    """The `ags` of the municipalities that it is for, or still for."""
    parties: tuple[str, ...]
    """Who must sign: `municipality:<ags>`, `police_directorate:<name>`, `lpr`, `ministry`."""
    witnesses: tuple[str, ...] = ()
    ordered: bool = False
    """Parties sign in the order of their kinds in `parties`."""
    action_fields: tuple[ActionField, ...] = ()
    template: str | None = None
    template_version: int | None = None
    text: str = ""
    """What is signed, verbatim; its first line is the title."""
    text_sha256: str = ""
    """The fingerprint of the text, from readiness on."""
    stage: Stage = Stage.DRAFT
    drafted_on: date | None
    """None where it was drafted before that was told."""
    ready_on: date | None = None
    sign_by: date | None = None
    remind_on: date | None = None
    """When who has not signed is reminded next."""
    signatures: tuple[Signature, ...] = ()
    declines: tuple[Decline, ...] = ()
    in_force_since: date | None = None
    ends_on: date | None = None
    """The last day of its term; None where it has none."""
    end_told: int | None = None
    """How many days before the end it was told last that it ends."""
    notice_months: int = 0
    notices: tuple[Notice, ...] = ()
    ended_on: date | None = None
    """The last day, or the day on which it was withdrawn or lapsed."""
    reason: str | None = None
    due_on: date | None = None
    """The next day on which something becomes due."""

    @classmethod
    def begun(cls, fact: Any) -> "Agreement":
        """An agreement as it is when it was drafted, or entered."""
        return cls(**begun(fact))

    def after(self, fact: Any) -> "Agreement":
        """The agreement after this fact."""
        return changed(self, fact)

    @property
    def missing(self) -> tuple[str, ...]:
        """The parties that have not signed."""
        signed = {signature.party for signature in self.signatures}
        return tuple(party for party in self.parties if party not in signed)

    @property
    def turn(self) -> tuple[str, ...]:
        """The parties that can sign next: all that are missing, or the first kind of them where there is an order."""
        if not self.ordered or not self.missing:
            return self.missing
        first = kind_of(self.missing[0])
        return tuple(party for party in self.missing if kind_of(party) is first)

    @property
    def awaited(self) -> tuple[str, ...]:
        """The parties that can sign next and have not declined to."""
        declined = {decline.party for decline in self.declines}
        return tuple(party for party in self.turn if party not in declined)

    @property
    def signable_until(self) -> date | None:
        """The last day for signing: the one that was set for it, or that of the term, whichever comes first."""
        return min((day for day in (self.sign_by, self.ends_on) if day), default=None)

    @property
    def remaining(self) -> tuple[MunicipalityRef, ...]:
        """The municipalities that it is still for."""
        return tuple(ref for ref in self.municipalities if ref.ags in self.covered)

    def adapt_text(self, text: str) -> Decided:
        """Adapt the text of a draft; from readiness on it is fixed."""
        self._refuse_unless_draft()
        return (self, []) if text == self.text else self._told(AgreementTextAdapted, text=text)

    def make_ready(self, ready_on: date, now: datetime, sign_by: date | None = None) -> Decided:
        """Open the agreement for signature, from a day that is not to come, perhaps until a last day."""
        self._refuse_unless_draft()
        today = berlin_day(now)
        if ready_on > today:
            raise ReadyInFuture(f"agreement {self.id} cannot be ready on {ready_on}: today is {today}")
        last = replace(self, sign_by=sign_by).signable_until
        if last and last < today:
            raise TooShort(f"agreement {self.id} cannot be signed until {last}: today is {today}")
        return self._told(
            AgreementReady,
            parties=self.parties, ready_on=ready_on, text=self.text, text_sha256=sha256(self.text),
            turn=self.turn, sign_by=sign_by, remind_on=next_reminder(ready_on, today),
        )  # fmt: skip

    def sign(self, signature: Signature, now: datetime, text_sha256: str | None = None) -> Decided:
        """One party signs; with the last required signature the agreement is in force.

        `text_sha256` is the fingerprint of the text that was signed, where somebody has compared it.
        """
        self._refuse_unless_signable(signature.party)
        self._refuse_day(signature, berlin_day(now))
        if text_sha256 not in {None, self.text_sha256}:
            raise OtherText(f"{signature.party} signed {text_sha256}; the text of {self.id} is {self.text_sha256}")
        signed = replace(self, signatures=(*self.signatures, signature))
        fact = self.fact(
            AgreementSignedByParty,
            **_plain(signature), missing=signed.missing, text_sha256=self.text_sha256,
            turn=tuple(party for party in signed.turn if party not in self.turn), sign_by=self.signable_until,
        )  # fmt: skip
        return told(self, fact) if signed.missing else told(self, fact, signed.in_force())

    def in_force(self) -> Event:
        """The fact that every required party has signed, the last one of them on this day."""
        return self.fact(
            AgreementSigned,
            parties=self.parties, in_force_since=max(one.signed_on for one in self.signatures),
            action_fields=self.action_fields, ends_on=self.ends_on,
        )  # fmt: skip

    def correct(self, signature: Signature, reason: str, now: datetime) -> Decided:
        """Mend what was recorded of a signature, before the agreement is complete."""
        self._refuse_unless_open()
        if signature in self.signatures:
            return self, []
        if signature.party not in {one.party for one in self.signatures}:
            raise NotSigned(f"{signature.party} has not signed agreement {self.id}: there is nothing to correct")
        self._refuse_day(signature, berlin_day(now))
        return self._told(SignatureCorrected, **_plain(signature), reason=reason)

    def decline(self, decline: Decline, now: datetime) -> Decided:
        """One party does not want to sign; it is not reminded, and may sign later all the same."""
        self._refuse_unless_signable(decline.party)
        if decline.declined_on > berlin_day(now):
            raise SignedInFuture(f"{decline.party} cannot decline on {decline.declined_on}: today is {berlin_day(now)}")
        if decline.party in {one.party for one in self.declines}:
            raise AlreadyDeclined(f"{decline.party} has declined to sign agreement {self.id} before")
        return self._told(
            SignatureDeclined, party=decline.party, declined_on=decline.declined_on, reason=decline.reason
        )

    def withdraw(self, reason: str, now: datetime) -> Decided:
        """Give up an agreement that is not in force yet."""
        if self.stage is Stage.IN_FORCE:
            raise AlreadyInForce(f"agreement {self.id} is in force since {self.in_force_since}: give notice instead")
        self._refuse_if_final()
        return self._told(
            AgreementWithdrawn,
            parties=self.parties,
            ready_on=self.ready_on,
            withdrawn_on=berlin_day(now),
            reason=reason,
        )

    def _told(self, event: Callable[..., Event], /, **facts: Any) -> Decided:
        return told(self, self.fact(event, **facts))

    def fact(self, event: Callable[..., Event], /, **facts: Any) -> Event:
        """A fact about this agreement."""
        return event(**{"agreement_id": self.id, "municipalities": self.municipalities} | facts)

    def _refuse_unless_draft(self) -> None:
        self._refuse_if_final()
        if self.stage is not Stage.DRAFT:
            raise AlreadyReady(f"agreement {self.id} is {self.stage}, ready since {self.ready_on}")

    def _refuse_if_final(self) -> None:
        if self.stage not in ACTIVE:
            raise Final(f"agreement {self.id} is {self.stage} since {self.ended_on}; draft another one")

    def _refuse_unless_open(self) -> None:
        self._refuse_if_final()
        if self.stage is Stage.IN_FORCE:
            raise AlreadyInForce(f"agreement {self.id} is in force since {self.in_force_since}")
        if self.stage is Stage.DRAFT:
            raise NotReady(f"agreement {self.id} is {self.stage} and not ready for signature")

    def _refuse_unless_signable(self, party: str) -> None:
        if party not in self.parties:
            raise NotAParty(f"{party} is no party of agreement {self.id}; these are {', '.join(self.parties)}")
        if before := [one for one in self.signatures if one.party == party]:
            raise AlreadySigned(f"{party} signed agreement {self.id} on {before[0].signed_on}")
        self._refuse_unless_open()
        if party not in self.turn:
            raise OutOfTurn(f"agreement {self.id} is signed in order: first by {', '.join(self.turn)}, then by {party}")

    def _refuse_day(self, signature: Signature, today: date) -> None:
        assert self.ready_on is not None
        what = f"signature of {signature.party} on {signature.signed_on}"
        if signature.signed_on < self.ready_on:
            raise SignedBeforeReady(f"{what} is before agreement {self.id} was ready on {self.ready_on}")
        if signature.signed_on > today:
            raise SignedInFuture(f"{what} is in the future: today is {today}")
        if self.signable_until and signature.signed_on > self.signable_until:
            raise SignedTooLate(f"{what} is after {self.signable_until}, the last day for signing agreement {self.id}")


def _plain(signature: Signature) -> dict[str, Any]:
    return {field.name: getattr(signature, field.name) for field in fields(signature)}
