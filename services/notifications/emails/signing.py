"""Emails about an agreement before it is in force: the parties sign, decline, are reminded, or it comes to nothing."""

from typing import Any

from services.notifications.domain import SAXONY, Email, Role
from services.notifications.emails.wording import (
    Members,
    about_agreement,
    about_signature,
    because_party,
    names,
    parties,
    to_lpr_contacts,
    to_parties,
)
from shared.events.membership.agreements import (
    AgreementLapsed,
    AgreementReady,
    AgreementSignedByParty,
    AgreementWithdrawn,
    SignatureCorrected,
    SignatureDeclined,
    SignatureOverdue,
)


def agreement_to_sign(fact: AgreementReady, _: Members) -> list[Email]:
    """Every party that can sign now is asked to."""
    data = about_agreement(fact) | {"ready_on": fact.ready_on, "sign_by": fact.sign_by}
    return _asked_to_sign("agreement_to_sign", fact, _turn(fact), _later(fact), data)


def turn_to_sign(fact: AgreementSignedByParty, _: Members) -> list[Email]:
    """The parties that can sign because another one did are asked to."""
    (signer,) = parties([fact.party], fact.municipalities)
    data = about_agreement(fact) | {"signer": signer.called, "signed_on": fact.signed_on, "sign_by": fact.sign_by}
    later = tuple(party for party in fact.missing if party not in fact.turn)
    return _asked_to_sign("turn_to_sign", fact, fact.turn, later, data)


def agreement_ready(fact: AgreementReady, _: Members) -> list[Email]:
    """The LPR contacts learn that the parties were asked to sign."""
    data = about_agreement(fact) | {
        "ready_on": fact.ready_on,
        "sign_by": fact.sign_by,
        "parties": names(_turn(fact), fact.municipalities),
        "later": names(_later(fact), fact.municipalities),
    }
    return to_lpr_contacts("agreement_ready", fact.municipalities, data)


def signature_receipt(fact: AgreementSignedByParty, _: Members) -> list[Email]:
    """The party that signed learns that this was recorded, and as what."""
    signer = parties([fact.party], fact.municipalities)
    return to_parties("signature_receipt", signer, _about_progress(fact))


def signature_progress(fact: AgreementSignedByParty, _: Members) -> list[Email]:
    """The LPR contacts learn who signed and who is still missing."""
    return to_lpr_contacts("signature_progress", fact.municipalities, _about_progress(fact))


def signature_reminder(fact: SignatureOverdue, _: Members) -> list[Email]:
    """The parties that could have signed are reminded."""
    return [
        Email(
            template="signature_reminder",
            role=party.role,
            area=party.area,
            data=_about_overdue(fact) | {"party": party.name, "reason": because_party(party)},
        )
        for party in parties(fact.missing, fact.municipalities)
    ]


def signatures_missing(fact: SignatureOverdue, _: Members) -> list[Email]:
    """The LPR contacts learn who was reminded."""
    again = fact.sign_by is None or fact.remind_on <= fact.sign_by
    data = _about_overdue(fact) | {
        "missing": names(fact.missing, fact.municipalities),
        "remind_on": fact.remind_on if again else None,
    }
    return to_lpr_contacts("signatures_missing", fact.municipalities, data)


def signature_declined(fact: SignatureDeclined, _: Members) -> list[Email]:
    """The LPR contacts and the head of the LPR learn who does not want to sign, and why."""
    data = about_agreement(fact) | {
        "party": names([fact.party], fact.municipalities)[0],
        "declined_on": fact.declined_on,
        "grounds": fact.reason,
    }
    head = data | {"reason": "der Landespräventionsrat Sachsen von jeder abgelehnten Unterzeichnung erfährt"}
    return [
        *to_lpr_contacts("signature_declined", fact.municipalities, data),
        Email(template="signature_declined", role=Role.LPR_HEAD, area=SAXONY, data=head),
    ]


def signature_corrected(fact: SignatureCorrected, _: Members) -> list[Email]:
    """The party and the LPR contacts learn what is now recorded of its signature."""
    data = about_signature(fact) | {"grounds": fact.reason}
    signer = parties([fact.party], fact.municipalities)
    return [
        *to_parties("signature_corrected", signer, data | {"yours": True}),
        *to_lpr_contacts("signature_corrected", fact.municipalities, data | {"yours": False}),
    ]


def agreement_withdrawn(fact: AgreementWithdrawn, _: Members) -> list[Email]:
    """The LPR contacts learn that there will be no agreement, and so do the parties if they were asked to sign it."""
    data = about_agreement(fact) | {
        "withdrawn_on": fact.withdrawn_on,
        "draft": fact.ready_on is None,
        "grounds": fact.reason,
    }
    asked = parties(fact.parties if fact.ready_on else (), fact.municipalities)
    return [
        *to_parties("agreement_withdrawn", asked, data),
        *to_lpr_contacts("agreement_withdrawn", fact.municipalities, data),
    ]


def agreement_lapsed(fact: AgreementLapsed, _: Members) -> list[Email]:
    """The parties and the LPR contacts learn that the time for signing is over, and who did not sign."""
    data = about_agreement(fact) | {"sign_by": fact.sign_by, "missing": names(fact.missing, fact.municipalities)}
    return [
        *to_parties("agreement_lapsed", parties(fact.parties, fact.municipalities), data),
        *to_lpr_contacts("agreement_lapsed", fact.municipalities, data),
    ]


def _turn(fact: AgreementReady) -> tuple[str, ...]:
    """Who can sign now; events from before there was an order name nobody, and mean all."""
    return fact.turn or fact.parties


def _later(fact: AgreementReady) -> tuple[str, ...]:
    return tuple(party for party in fact.parties if party not in _turn(fact))


def _asked_to_sign(
    template: str,
    fact: AgreementReady | AgreementSignedByParty,
    turn: tuple[str, ...],
    later: tuple[str, ...],
    data: dict[str, Any],
) -> list[Email]:
    asked = parties(turn, fact.municipalities)
    return [
        Email(
            template=template,
            role=party.role,
            area=party.area,
            data=data
            | {
                "party": party.name,
                "others": [other.name for other in asked if other != party],
                "later": names(later, fact.municipalities),
                "reason": because_party(party),
            },
        )
        for party in asked
    ]


def _about_progress(fact: AgreementSignedByParty) -> dict[str, Any]:
    return about_signature(fact) | {"missing": names(fact.missing, fact.municipalities)}


def _about_overdue(fact: SignatureOverdue) -> dict[str, Any]:
    return about_agreement(fact) | {
        "ready_on": fact.ready_on,
        "days": (fact.due_on - fact.ready_on).days,
        "sign_by": fact.sign_by,
    }
