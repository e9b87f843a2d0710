"""A cooperation agreement: its state, and below it what each event makes of it.

It is drafted, ready, signed party by party, in force and ended; or it is withdrawn or lapses before that. The rules
are in `drafting`, `signing` and `ending`.
"""

from dataclasses import replace
from datetime import date, timedelta

from services.membership.domain.parties import kind_of, party_of
from services.membership.domain.signatures import Decline, Form, Signature
from services.membership.domain.term import ACTIVE, Final, Notice, Stage, next_warning_on
from shared.alliance.action_fields import ActionField
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
    AgreementTextAdapted,
    AgreementWithdrawn,
    NoticeGiven,
    SignatureCorrected,
    SignatureDeclined,
    SignatureOverdue,
)
from shared.events.membership.refs import MunicipalityRef
from shared.kernel.copying import copy_as
from shared.kernel.decision import Evolve
from shared.kernel.value import value


@value
class Agreement:
    """A cooperation agreement of one or several municipalities with the state; its id is the file number."""

    id: str
    municipalities: tuple[MunicipalityRef, ...]
    covered: tuple[str, ...]
    """The `ags` of the municipalities that it covers, or still covers."""
    parties: tuple[str, ...]
    """The required signatories: `municipality:<ags>`, `police_directorate:<name>`, `lpr`, `ministry`."""
    witnesses: tuple[str, ...] = ()
    ordered: bool = False
    """Parties sign in the order of their kinds in `parties`."""
    action_fields: tuple[ActionField, ...] = ()
    template: str | None = None
    template_version: int | None = None
    text: str = ""
    """The text to be signed, verbatim; its first line is the title."""
    text_sha256: str = ""
    """The fingerprint of the text, from readiness on."""
    stage: Stage = Stage.DRAFT
    drafted_on: date | None
    """None for drafts that predate this field."""
    ready_on: date | None = None
    sign_by: date | None = None
    remind_on: date | None = None
    """The day of the next reminder to parties that have not signed."""
    signatures: tuple[Signature, ...] = ()
    declines: tuple[Decline, ...] = ()
    in_force_since: date | None = None
    ends_on: date | None = None
    """The last day of its term; None if it has none."""
    end_told: int | None = None
    """Number of days before the end at which the parties were last warned."""
    notice_months: int = 0
    notices: tuple[Notice, ...] = ()
    ended_on: date | None = None
    """The last day, or the day on which it was withdrawn or lapsed."""
    reason: str | None = None
    due_on: date | None = None
    """The next day on which something becomes due."""

    @property
    def missing(self) -> tuple[str, ...]:
        """The parties that have not signed."""
        signed = {signature.party for signature in self.signatures}
        return tuple(party for party in self.parties if party not in signed)

    @property
    def turn(self) -> tuple[str, ...]:
        """The parties that can sign next: all that are missing, or in an ordered agreement the first kind of them."""
        if not self.ordered or not self.missing:
            return self.missing
        first = kind_of(self.missing[0])
        return tuple(party for party in self.missing if kind_of(party) is first)

    @property
    def awaited(self) -> tuple[str, ...]:
        """The parties that can sign next and have not declined."""
        declined = {decline.party for decline in self.declines}
        return tuple(party for party in self.turn if party not in declined)

    @property
    def signable_until(self) -> date | None:
        """The last day for signing: `sign_by` or the end of the term, whichever is earlier."""
        return min((day for day in (self.sign_by, self.ends_on) if day), default=None)

    @property
    def remaining(self) -> tuple[MunicipalityRef, ...]:
        """The municipalities that it still covers."""
        return tuple(ref for ref in self.municipalities if ref.ags in self.covered)


def refuse_final(agreement: Agreement) -> None:
    """Raise Final if the agreement is over."""
    if agreement.stage not in ACTIVE:
        raise Final(f"agreement {agreement.id} is {agreement.stage} since {agreement.ended_on}; draft another one")


def _drafted(event: AgreementDrafted) -> Agreement:
    return copy_as(
        Agreement,
        event,
        id=event.agreement_id,
        covered=_keys(event.municipalities),
        action_fields=tuple(map(ActionField, event.action_fields)),
    )


def _recorded(event: AgreementRecorded) -> Agreement:
    return Agreement(
        id=event.agreement_id,
        municipalities=event.municipalities,
        covered=_keys(event.municipalities),
        parties=event.parties,
        drafted_on=event.in_force_since,
    )


def _ready(agreement: Agreement, event: AgreementReady) -> Agreement:
    return replace(
        agreement,
        stage=Stage.READY,
        ready_on=event.ready_on,
        text=event.text,
        text_sha256=event.text_sha256,
        sign_by=event.sign_by,
        remind_on=event.remind_on,
    )


def _signed_by_party(agreement: Agreement, event: AgreementSignedByParty) -> Agreement:
    return replace(
        agreement,
        stage=Stage.PARTIALLY_SIGNED,
        signatures=(*agreement.signatures, _signature(event)),
        declines=tuple(decline for decline in agreement.declines if decline.party != event.party),
    )


def _signature_corrected(agreement: Agreement, event: SignatureCorrected) -> Agreement:
    new = _signature(event)
    return replace(agreement, signatures=tuple(new if old.party == new.party else old for old in agreement.signatures))


def _signed(agreement: Agreement, event: AgreementSigned) -> Agreement:
    return replace(
        agreement,
        stage=Stage.IN_FORCE,
        in_force_since=event.in_force_since,
        ready_on=agreement.ready_on or event.in_force_since,
        ends_on=event.ends_on,
        remind_on=None,
    )


def _ended(agreement: Agreement, event: AgreementEnded) -> Agreement:
    left = replace(agreement, covered=_keys(event.remaining))
    if event.remaining:
        return left
    return replace(left, stage=Stage.EXPIRED if event.how == "expired" else Stage.TERMINATED, ended_on=event.ended_on)


def _passed_on(agreement: Agreement, event: AgreementPassedOn) -> Agreement:
    """The successor takes the place and the notice of the merged one, unless it has a place of its own."""
    new = event.successor
    moved = {party_of(event.municipality): party_of(new)}
    notices = agreement.notices
    if new.ags not in agreement.covered:
        notices = tuple(replace(notice, party=moved.get(notice.party, notice.party)) for notice in notices)
    known = agreement.municipalities
    covered = (new.ags if ags == event.municipality.ags else ags for ags in agreement.covered)
    return replace(
        agreement,
        municipalities=known if new.ags in _keys(known) else (*known, new),
        covered=tuple(dict.fromkeys(covered)),
        parties=tuple(dict.fromkeys(moved.get(party, party) for party in agreement.parties)),
        notices=notices,
    )


def _keys(municipalities: tuple[MunicipalityRef, ...]) -> tuple[str, ...]:
    return tuple(ref.ags for ref in municipalities)


def _signature(event: AgreementSignedByParty | SignatureCorrected) -> Signature:
    return copy_as(Signature, event, form=Form(event.form))


def _with_due_on(agreement: Agreement) -> Agreement:
    due_on = _due_on(agreement)
    return agreement if due_on == agreement.due_on else replace(agreement, due_on=due_on)


def _due_on(agreement: Agreement) -> date | None:
    match agreement.stage:
        case Stage.READY | Stage.PARTIALLY_SIGNED:
            return _first(agreement.remind_on if agreement.awaited else None, _day_after(agreement.signable_until))
        case Stage.IN_FORCE:
            warning = next_warning_on(agreement.ends_on, agreement.end_told) if agreement.ends_on else None
            notices = (notice for notice in agreement.notices if notice.concerned(agreement.remaining))
            return _first(warning, _day_after(agreement.ends_on), *(_day_after(notice.ends_on) for notice in notices))
        case _:
            return None


def _first(*days: date | None) -> date | None:
    return min((day for day in days if day), default=None)


def _day_after(day: date | None) -> date | None:
    return day + timedelta(days=1) if day else None


evolve = Evolve[Agreement](
    creates={
        AgreementDrafted: _drafted,
        AgreementRecorded: _recorded,
    },
    changes={
        AgreementTextAdapted: lambda agreement, event: replace(agreement, text=event.text),
        AgreementReady: _ready,
        AgreementSignedByParty: _signed_by_party,
        SignatureCorrected: _signature_corrected,
        SignatureDeclined: lambda agreement, event: replace(
            agreement, declines=(*agreement.declines, copy_as(Decline, event))
        ),
        SignatureOverdue: lambda agreement, event: replace(agreement, remind_on=event.remind_on),
        AgreementWithdrawn: lambda agreement, event: replace(
            agreement, stage=Stage.WITHDRAWN, ended_on=event.withdrawn_on, reason=event.reason, covered=()
        ),
        AgreementLapsed: lambda agreement, event: replace(
            agreement, stage=Stage.LAPSED, ended_on=event.sign_by, covered=()
        ),
        AgreementSigned: _signed,
        AgreementEndsSoon: lambda agreement, event: replace(agreement, end_told=event.days),
        AgreementRenewed: lambda agreement, event: replace(agreement, ends_on=event.ends_on, end_told=None),
        NoticeGiven: lambda agreement, event: replace(agreement, notices=(*agreement.notices, copy_as(Notice, event))),
        AgreementEnded: _ended,
        AgreementPassedOn: _passed_on,
    },
    derive=_with_due_on,
)
