"""Emails about signing an agreement: requests, receipts, reminders, and agreements that fail."""

from typing import Any

from services.notifications.domain.contacts import SAXONY, Role
from services.notifications.domain.emails import Email
from services.notifications.emails.membership.wording import (
    about_agreement,
    about_signature,
    because_party,
    names,
    parties,
    to_lpr_contacts,
    to_parties,
)
from services.notifications.emails.table import Members
from shared.events.membership.agreements import (
    AgreementLapsed,
    AgreementReady,
    AgreementSignedByParty,
    AgreementWithdrawn,
    SignatureCorrected,
    SignatureDeclined,
    SignatureOverdue,
)


def agreement_to_sign(event: AgreementReady, _: Members) -> list[Email]:
    """To every party that can sign now: please sign."""
    data = about_agreement(event) | {"ready_on": event.ready_on, "sign_by": event.sign_by}
    return _asked_to_sign("agreement_to_sign", event, _turn(event), _later(event), data)


def turn_to_sign(event: AgreementSignedByParty, _: Members) -> list[Email]:
    """To the parties that can sign because another one did: please sign."""
    (signer,) = parties([event.party], event.municipalities)
    data = about_agreement(event) | {"signer": signer.called, "signed_on": event.signed_on, "sign_by": event.sign_by}
    later = tuple(party for party in event.missing if party not in event.turn)
    return _asked_to_sign("turn_to_sign", event, event.turn, later, data)


def agreement_ready(event: AgreementReady, _: Members) -> list[Email]:
    """To the LPR contacts: the parties were asked to sign."""
    data = about_agreement(event) | {
        "ready_on": event.ready_on,
        "sign_by": event.sign_by,
        "parties": names(_turn(event), event.municipalities),
        "later": names(_later(event), event.municipalities),
    }
    return to_lpr_contacts("agreement_ready", event.municipalities, data)


def signature_receipt(event: AgreementSignedByParty, _: Members) -> list[Email]:
    """To the party that signed: the recorded signature."""
    signer = parties([event.party], event.municipalities)
    return to_parties("signature_receipt", signer, _about_progress(event))


def signature_progress(event: AgreementSignedByParty, _: Members) -> list[Email]:
    """To the LPR contacts: who signed and who is missing."""
    return to_lpr_contacts("signature_progress", event.municipalities, _about_progress(event))


def signature_reminder(event: SignatureOverdue, _: Members) -> list[Email]:
    """To the parties that could have signed: a reminder."""
    return [
        Email(
            template="signature_reminder",
            role=party.role,
            area=party.area,
            data=_about_overdue(event) | {"party": party.name, "reason": because_party(party)},
        )
        for party in parties(event.missing, event.municipalities)
    ]


def signatures_missing(event: SignatureOverdue, _: Members) -> list[Email]:
    """To the LPR contacts: who was reminded."""
    again = event.sign_by is None or event.remind_on <= event.sign_by
    data = _about_overdue(event) | {
        "missing": names(event.missing, event.municipalities),
        "remind_on": event.remind_on if again else None,
    }
    return to_lpr_contacts("signatures_missing", event.municipalities, data)


def signature_declined(event: SignatureDeclined, _: Members) -> list[Email]:
    """To the LPR contacts and the head of the LPR: who declined, and why."""
    data = about_agreement(event) | {
        "party": names([event.party], event.municipalities)[0],
        "declined_on": event.declined_on,
        "grounds": event.reason,
    }
    head = data | {"reason": "der Landespräventionsrat Sachsen von jeder abgelehnten Unterzeichnung erfährt"}
    return [
        *to_lpr_contacts("signature_declined", event.municipalities, data),
        Email(template="signature_declined", role=Role.LPR_HEAD, area=SAXONY, data=head),
    ]


def signature_corrected(event: SignatureCorrected, _: Members) -> list[Email]:
    """To the party and the LPR contacts: the corrected record of its signature."""
    data = about_signature(event) | {"grounds": event.reason}
    signer = parties([event.party], event.municipalities)
    return [
        *to_parties("signature_corrected", signer, data | {"yours": True}),
        *to_lpr_contacts("signature_corrected", event.municipalities, data | {"yours": False}),
    ]


def agreement_withdrawn(event: AgreementWithdrawn, _: Members) -> list[Email]:
    """To the LPR contacts, and to the parties if they were asked to sign: there will be no agreement."""
    data = about_agreement(event) | {
        "withdrawn_on": event.withdrawn_on,
        "draft": event.ready_on is None,
        "grounds": event.reason,
    }
    asked = parties(event.parties if event.ready_on else (), event.municipalities)
    return [
        *to_parties("agreement_withdrawn", asked, data),
        *to_lpr_contacts("agreement_withdrawn", event.municipalities, data),
    ]


def agreement_lapsed(event: AgreementLapsed, _: Members) -> list[Email]:
    """To the parties and the LPR contacts: the time for signing is over, and who did not sign."""
    data = about_agreement(event) | {"sign_by": event.sign_by, "missing": names(event.missing, event.municipalities)}
    return [
        *to_parties("agreement_lapsed", parties(event.parties, event.municipalities), data),
        *to_lpr_contacts("agreement_lapsed", event.municipalities, data),
    ]


def _turn(event: AgreementReady) -> tuple[str, ...]:
    """The parties that can sign now; events that predate the field name none, and mean all."""
    return event.turn or event.parties


def _later(event: AgreementReady) -> tuple[str, ...]:
    return tuple(party for party in event.parties if party not in _turn(event))


def _asked_to_sign(
    template: str,
    event: AgreementReady | AgreementSignedByParty,
    turn: tuple[str, ...],
    later: tuple[str, ...],
    data: dict[str, Any],
) -> list[Email]:
    asked = parties(turn, event.municipalities)
    return [
        Email(
            template=template,
            role=party.role,
            area=party.area,
            data=data
            | {
                "party": party.name,
                "others": [other.name for other in asked if other != party],
                "later": names(later, event.municipalities),
                "reason": because_party(party),
            },
        )
        for party in asked
    ]


def _about_progress(event: AgreementSignedByParty) -> dict[str, Any]:
    return about_signature(event) | {"missing": names(event.missing, event.municipalities)}


def _about_overdue(event: SignatureOverdue) -> dict[str, Any]:
    return about_agreement(event) | {
        "ready_on": event.ready_on,
        "days": (event.due_on - event.ready_on).days,
        "sign_by": event.sign_by,
    }
