"""Emails about the term of an agreement: it ends soon, is renewed, passed on or ends; a member leaves."""

from typing import Any

from services.notifications.domain.contacts import SAXONY, Role
from services.notifications.domain.emails import Email
from services.notifications.emails.membership.wording import (
    about_agreement,
    about_file,
    about_member,
    as_parties,
    names,
    neighbours,
    parties,
    police_directorates,
    to_lpr_contact,
    to_lpr_contacts,
    to_parties,
)
from services.notifications.emails.table import Members
from shared.alliance.districts import police_in_german
from shared.events.membership.agreements import (
    AgreementEnded,
    AgreementEndsSoon,
    AgreementPassedOn,
    AgreementRenewed,
    NoticeGiven,
)
from shared.events.membership.members import MemberLeft

HOW = {
    "expired": "Ablauf der Laufzeit",
    "terminated": "Kündigung der Kooperationsvereinbarung",
    "merged": "Eingliederung in eine andere Kommune",
}
"""The ways in which an agreement, and with it a membership, ends, in German."""


def agreement_ends_soon(event: AgreementEndsSoon, _: Members) -> list[Email]:
    """To the municipalities, the LPR contacts and the head of the LPR: the agreement ends soon."""
    data = about_agreement(event) | {
        "ends_on": event.ends_on,
        "days": event.days,
        "parties": names(event.parties, event.municipalities),
    }
    head = data | {"reason": "der Landespräventionsrat Sachsen erfährt, wenn die Laufzeit einer Vereinbarung endet"}
    return [
        *to_parties("agreement_ends_soon", as_parties(event.municipalities), data),
        *to_lpr_contacts("agreement_ends_soon", event.municipalities, data),
        Email(template="agreement_ends_soon", role=Role.LPR_HEAD, area=SAXONY, data=head),
    ]


def agreement_renewed(event: AgreementRenewed, _: Members) -> list[Email]:
    """To the parties and the LPR contacts: the new end of the agreement."""
    data = about_agreement(event) | {"renewed_on": event.renewed_on, "ends_on": event.ends_on}
    return [
        *to_parties("agreement_renewed", parties(event.parties, event.municipalities), data),
        *to_lpr_contacts("agreement_renewed", event.municipalities, data),
    ]


def notice_receipt(event: NoticeGiven, _: Members) -> list[Email]:
    """To the party that gave notice: it was recorded, and when the agreement ends."""
    return to_parties("notice_receipt", parties([event.party], event.municipalities), _about_notice(event))


def notice_given(event: NoticeGiven, _: Members) -> list[Email]:
    """To the other parties and the LPR contacts: who gave notice, and for whom the agreement ends or goes on."""
    (giver,) = parties([event.party], event.municipalities)
    # A municipality that left earlier is still among the parties, but no longer concerned.
    offices = parties([party for party in event.parties if not party.startswith("municipality:")], ())
    others = [party for party in (*as_parties(event.municipalities), *offices) if party != giver]
    data = _about_notice(event)
    return [
        *to_parties("notice_given", others, data | {"goes_on": False}),
        *to_parties("notice_given", as_parties(event.remaining), data | {"goes_on": True}),
        *to_lpr_contacts("notice_given", event.municipalities, data | {"goes_on": False}),
    ]


def agreement_goes_on(event: AgreementEnded, _: Members) -> list[Email]:
    """To the remaining municipalities: for whom the agreement ended."""
    data = about_agreement(event) | {
        "remaining": [municipality.name for municipality in event.remaining],
        "ended_on": event.ended_on,
        "how": HOW.get(event.how, event.how),
    }
    return to_parties("agreement_goes_on", as_parties(event.remaining), data)


def member_farewell(event: MemberLeft, _: Members) -> list[Email]:
    """To the municipality that left: thanks, and how to come back."""
    data = _about_former_member(event) | {"reason": f"{event.name} Mitglied der Allianz war"}
    return [Email(template="member_farewell", role=Role.MUNICIPALITY, area=event.ags, data=data)]


def member_left(event: MemberLeft, _: Members) -> list[Email]:
    """To the police directorate, the LPR and the press office: a member left."""
    data = _about_former_member(event)
    everybody = "von jedem Mitglied erfährt, das die Allianz verlässt"
    reasons = {
        (Role.POLICE_DIRECTORATE, event.police_directorate): (
            f"{event.name} im Bereich der {police_in_german(event.police_directorate)} liegt"
        ),
        (Role.LPR_HEAD, SAXONY): f"der Landespräventionsrat Sachsen {everybody}",
        (Role.PRESS_OFFICE, SAXONY): f"die Pressestelle {everybody}",
    }
    to_others = [
        Email(template="member_left", role=role, area=area, data=data | {"reason": reason})
        for (role, area), reason in reasons.items()
    ]
    return [*to_others, to_lpr_contact("member_left", event.police_directorate, data)]


def neighbour_left(event: MemberLeft, members: Members) -> list[Email]:
    """To the other members of the district: a neighbour left."""
    return [
        Email(
            template="neighbour_left",
            role=Role.MUNICIPALITY,
            area=neighbour.ags,
            data=_about_former_member(event) | {"reason": f"auch {neighbour.name} in diesem Landkreis Mitglied ist"},
        )
        for neighbour in neighbours(event, members)
    ]


def agreement_passed_on(event: AgreementPassedOn, _: Members) -> list[Email]:
    """To the LPR contacts and police directorates: which municipality took the place of which."""
    data = about_file(event.agreement_id) | {
        "former": event.municipality.name,
        "successor": event.successor.name,
        "passed_on": event.passed_on,
    }
    both = (event.municipality, event.successor)
    to_police = [
        Email(
            template="agreement_passed_on",
            role=Role.POLICE_DIRECTORATE,
            area=area,
            data=data | {"reason": f"die Vereinbarung den Bereich der {police_in_german(area)} betrifft"},
        )
        for area in police_directorates(both)
    ]
    return [*to_police, *to_lpr_contacts("agreement_passed_on", both, data)]


def _about_notice(event: NoticeGiven) -> dict[str, Any]:
    return about_agreement(event) | {
        "covered": [municipality.name for municipality in event.municipalities + event.remaining],
        "remaining": [municipality.name for municipality in event.remaining],
        "party": names([event.party], event.municipalities)[0],
        "given_on": event.given_on,
        "ends_on": event.ends_on,
        "grounds": event.reason,
    }


def _about_former_member(event: MemberLeft) -> dict[str, Any]:
    return about_member(event) | {
        "left_on": event.left_on,
        "how": HOW.get(event.how, event.how),
        "merged": event.how == "merged",
    }
