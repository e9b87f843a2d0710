"""A cooperation agreement: drafted, ready, signed party by party, in force."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from services.membership.domain.municipality import ActionField, Municipality
from shared.clock import berlin_day
from shared.errors import Invalid, Refused
from shared.events import Event
from shared.events.membership import (
    AgreementDrafted,
    AgreementReady,
    AgreementSigned,
    AgreementSignedByParty,
    MunicipalityRef,
)


class PartyKind(StrEnum):
    """What a party of an agreement is (Vertragspartei)."""

    MUNICIPALITY = "municipality"
    POLICE_DIRECTORATE = "police_directorate"
    LPR = "lpr"
    MINISTRY = "ministry"


DEFAULT_PARTIES = tuple(PartyKind)
"""Who must sign unless an agreement says otherwise, as on 27 January 2023."""


class Stage(StrEnum):
    """Where an agreement stands."""

    DRAFT = "draft"
    READY = "ready"
    PARTIALLY_SIGNED = "partially_signed"
    IN_FORCE = "in_force"


ACTIVE = (Stage.DRAFT, Stage.READY, Stage.PARTIALLY_SIGNED, Stage.IN_FORCE)
"""Of agreements in these stages, a municipality has at most one."""


class NoParty(Invalid):
    """The agreement needs somebody who signs."""

    code = "no_party"


class NotAParty(Refused):
    """Who signed is no party of the agreement."""

    code = "not_a_party"


class NotReady(Refused):
    """The agreement cannot be signed yet."""

    code = "agreement_not_ready"


class AlreadyReady(Refused):
    """The agreement is ready, or further, already."""

    code = "agreement_already_ready"


class AlreadyInForce(Refused):
    """The agreement was signed before its signatures were recorded here."""

    code = "agreement_in_force"


class AlreadySigned(Refused):
    """The party has signed before."""

    code = "already_signed"


class SignedInFuture(Refused):
    """A signature cannot be dated after today."""

    code = "signature_in_future"


class SignedBeforeReady(Refused):
    """A signature cannot be dated before the agreement was ready."""

    code = "signature_before_readiness"


class ReadyInFuture(Refused):
    """An agreement is ready today or was so before."""

    code = "readiness_in_future"


class AgreementExists(Refused):
    """The municipality has an active agreement."""

    code = "agreement_exists"


class Form(StrEnum):
    """How it was signed."""

    PAPER = "paper"
    REMOTE = "remote"


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """One party's signature, which the system documents and does not replace (Unterzeichnung)."""

    party: str
    person: str
    function: str
    deputy: bool = False
    """Signed on behalf of the office's holder (i. V.)."""
    signed_on: date
    place: str
    form: Form = Form.PAPER


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """A cooperation agreement of one or several municipalities with the state; its id is the file number."""

    id: str
    municipalities: tuple[MunicipalityRef, ...]
    parties: tuple[str, ...]
    """Who must sign: `municipality:<ags>`, `police_directorate:<name>`, `lpr`, `ministry`."""
    action_fields: tuple[ActionField, ...] = ()
    stage: Stage = Stage.DRAFT
    drafted_on: date
    ready_on: date | None = None
    signatures: tuple[Signature, ...] = ()
    in_force_since: date | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """The parties that have not signed."""
        signed = {signature.party for signature in self.signatures}
        return tuple(party for party in self.parties if party not in signed)

    def make_ready(self, ready_on: date, now: datetime) -> tuple["Agreement", list[Event]]:
        """Open the agreement for signature, from a day that is not to come."""
        if self.stage is not Stage.DRAFT:
            raise AlreadyReady(f"agreement {self.id} is {self.stage}, ready since {self.ready_on}")
        if ready_on > berlin_day(now):
            raise ReadyInFuture(f"agreement {self.id} cannot be ready on {ready_on}: today is {berlin_day(now)}")
        return replace(self, stage=Stage.READY, ready_on=ready_on), [
            AgreementReady(
                agreement_id=self.id, municipalities=self.municipalities, parties=self.parties, ready_on=ready_on
            ),
        ]

    def sign(self, signature: Signature, now: datetime) -> tuple["Agreement", list[Event]]:
        """One party signs; with the last required signature the agreement is in force."""
        self._refuse_unless_signable(signature, berlin_day(now))
        signed = replace(self, stage=Stage.PARTIALLY_SIGNED, signatures=(*self.signatures, signature))
        events: list[Event] = [
            AgreementSignedByParty(
                agreement_id=self.id,
                municipalities=self.municipalities,
                party=signature.party,
                person=signature.person,
                function=signature.function,
                deputy=signature.deputy,
                signed_on=signature.signed_on,
                place=signature.place,
                form=signature.form,
                missing=signed.missing,
            ),
        ]
        if signed.missing:
            return signed, events
        since = max(one.signed_on for one in signed.signatures)
        return replace(signed, stage=Stage.IN_FORCE, in_force_since=since), [*events, signed.in_force(since)]

    def _refuse_unless_signable(self, signature: Signature, today: date) -> None:
        if signature.party not in self.parties:
            raise NotAParty(
                f"{signature.party} is no party of agreement {self.id}; these are {', '.join(self.parties)}"
            )
        if signature.party not in self.missing:
            before = next(one for one in self.signatures if one.party == signature.party)
            raise AlreadySigned(f"{signature.party} signed agreement {self.id} on {before.signed_on}")
        if self.stage is Stage.IN_FORCE:
            raise AlreadyInForce(f"agreement {self.id} is in force since {self.in_force_since}")
        if self.ready_on is None:
            raise NotReady(f"agreement {self.id} is {self.stage} and not ready for signature")
        if signature.signed_on < self.ready_on:
            raise SignedBeforeReady(
                f"signature of {signature.party} on {signature.signed_on} is before agreement {self.id} "
                f"was ready on {self.ready_on}"
            )
        if signature.signed_on > today:
            raise SignedInFuture(
                f"signature of {signature.party} on {signature.signed_on} is in the future: today is {today}"
            )

    def in_force(self, since: date) -> AgreementSigned:
        """The fact that every required party has signed."""
        return AgreementSigned(
            agreement_id=self.id,
            municipalities=self.municipalities,
            parties=self.parties,
            in_force_since=since,
            action_fields=self.action_fields,
        )


def draft(
    id: str, municipalities: Sequence[Municipality], required: Collection[PartyKind], now: datetime
) -> tuple[Agreement, list[Event]]:
    """Draft an agreement for one or several municipalities, with a party for each kind that is required to sign."""
    refs = tuple(municipality.ref for municipality in sorted(municipalities, key=lambda one: one.ags))
    if not refs or not required:
        raise NoParty(f"agreement {id} needs at least one municipality and one party that signs")
    fields = tuple(sorted({field for municipality in municipalities for field in municipality.action_fields}))
    agreement = Agreement(
        id=id,
        municipalities=refs,
        parties=_parties(refs, required),
        action_fields=fields,
        drafted_on=berlin_day(now),
    )
    return agreement, [
        AgreementDrafted(
            agreement_id=id, municipalities=refs, parties=agreement.parties, action_fields=agreement.action_fields
        ),
    ]


def recorded(id: str, municipality: Municipality, in_force_since: date) -> tuple[Agreement, list[Event]]:
    """An agreement that was signed on paper before this system existed: in force, its signatures not recorded here."""
    agreement = Agreement(
        id=id,
        municipalities=(municipality.ref,),
        parties=_parties((municipality.ref,), DEFAULT_PARTIES),
        stage=Stage.IN_FORCE,
        drafted_on=in_force_since,
        ready_on=in_force_since,
        in_force_since=in_force_since,
    )
    return agreement, [agreement.in_force(in_force_since)]


def _parties(refs: Sequence[MunicipalityRef], required: Collection[PartyKind]) -> tuple[str, ...]:
    areas = {
        PartyKind.MUNICIPALITY: [f":{ref.ags}" for ref in refs],
        PartyKind.POLICE_DIRECTORATE: sorted({f":{ref.police_directorate}" for ref in refs}),
    }
    return tuple(f"{kind}{area}" for kind in PartyKind if kind in required for area in areas.get(kind, [""]))
