"""Rules for signing an agreement: a party signs, declines, or has the record of its signature corrected."""

from dataclasses import replace
from datetime import date, datetime

from services.membership.domain.agreement import Agreement, evolve, refuse_final
from services.membership.domain.signatures import (
    AlreadyDeclined,
    AlreadyInForce,
    AlreadySigned,
    Decline,
    NotAParty,
    NotReady,
    NotSigned,
    OtherText,
    OutOfTurn,
    Signature,
    SignedBeforeReady,
    SignedInFuture,
    SignedTooLate,
)
from services.membership.domain.term import Stage
from shared.events.membership.agreements import (
    AgreementSigned,
    AgreementSignedByParty,
    SignatureCorrected,
    SignatureDeclined,
)
from shared.kernel.clock import berlin_day
from shared.kernel.copying import copy_as
from shared.kernel.decision import Decision


def sign(
    agreement: Agreement, signature: Signature, now: datetime, text_sha256: str | None = None
) -> Decision[Agreement]:
    """Record one party's signature; the last required one puts the agreement into force.

    `text_sha256` is the fingerprint of the text that was signed, if the signer has compared it.
    """
    _refuse_unless_signable(agreement, signature.party)
    _refuse_day(agreement, signature, berlin_day(now))
    if text_sha256 not in {None, agreement.text_sha256}:
        raise OtherText(
            f"{signature.party} signed {text_sha256}; the text of {agreement.id} is {agreement.text_sha256}"
        )
    after = replace(agreement, signatures=(*agreement.signatures, signature))
    signed = copy_as(
        AgreementSignedByParty,
        signature,
        agreement_id=agreement.id,
        municipalities=agreement.municipalities,
        missing=after.missing,
        text_sha256=agreement.text_sha256,
        turn=tuple(party for party in after.turn if party not in agreement.turn),
        sign_by=agreement.signable_until,
    )
    if after.missing:
        return evolve.decision(agreement, signed)
    return evolve.decision(agreement, signed, _in_force(after))


def correct(agreement: Agreement, signature: Signature, reason: str, now: datetime) -> Decision[Agreement]:
    """Correct the record of a signature while the agreement is open for signature."""
    _refuse_unless_open(agreement)
    if signature in agreement.signatures:
        return agreement, []
    if signature.party not in {recorded.party for recorded in agreement.signatures}:
        raise NotSigned(f"{signature.party} has not signed agreement {agreement.id}: there is nothing to correct")
    _refuse_day(agreement, signature, berlin_day(now))
    return evolve.decision(
        agreement,
        copy_as(
            SignatureCorrected,
            signature,
            agreement_id=agreement.id,
            municipalities=agreement.municipalities,
            reason=reason,
        ),
    )


def decline(agreement: Agreement, declined: Decline, now: datetime) -> Decision[Agreement]:
    """Record that a party does not want to sign; it gets no more reminders, and may still sign later."""
    _refuse_unless_signable(agreement, declined.party)
    today = berlin_day(now)
    if declined.declined_on > today:
        raise SignedInFuture(f"{declined.party} cannot decline on {declined.declined_on}: today is {today}")
    if declined.party in {earlier.party for earlier in agreement.declines}:
        raise AlreadyDeclined(f"{declined.party} has declined to sign agreement {agreement.id} before")
    return evolve.decision(
        agreement,
        copy_as(SignatureDeclined, declined, agreement_id=agreement.id, municipalities=agreement.municipalities),
    )


def _in_force(agreement: Agreement) -> AgreementSigned:
    return AgreementSigned(
        agreement_id=agreement.id,
        municipalities=agreement.municipalities,
        parties=agreement.parties,
        in_force_since=max(signature.signed_on for signature in agreement.signatures),
        action_fields=agreement.action_fields,
        ends_on=agreement.ends_on,
    )


def _refuse_unless_open(agreement: Agreement) -> None:
    refuse_final(agreement)
    if agreement.stage is Stage.IN_FORCE:
        raise AlreadyInForce(f"agreement {agreement.id} is in force since {agreement.in_force_since}")
    if agreement.stage is Stage.DRAFT:
        raise NotReady(f"agreement {agreement.id} is {agreement.stage} and not ready for signature")


def _refuse_unless_signable(agreement: Agreement, party: str) -> None:
    if party not in agreement.parties:
        raise NotAParty(f"{party} is no party of agreement {agreement.id}; these are {', '.join(agreement.parties)}")
    if signed := [signature for signature in agreement.signatures if signature.party == party]:
        raise AlreadySigned(f"{party} signed agreement {agreement.id} on {signed[0].signed_on}")
    _refuse_unless_open(agreement)
    if party not in agreement.turn:
        raise OutOfTurn(
            f"agreement {agreement.id} is signed in order: first by {', '.join(agreement.turn)}, then by {party}"
        )


def _refuse_day(agreement: Agreement, signature: Signature, today: date) -> None:
    assert agreement.ready_on is not None
    what = f"signature of {signature.party} on {signature.signed_on}"
    if signature.signed_on < agreement.ready_on:
        raise SignedBeforeReady(f"{what} is before agreement {agreement.id} was ready on {agreement.ready_on}")
    if signature.signed_on > today:
        raise SignedInFuture(f"{what} is in the future: today is {today}")
    last = agreement.signable_until
    if last and signature.signed_on > last:
        raise SignedTooLate(f"{what} is after {last}, the last day for signing agreement {agreement.id}")
