"""Emails about a membership: its agreement ends soon, is renewed, ended or passed on; a member has left."""

from typing import Any

from services.notifications.domain import SAXONY, Email, Role
from services.notifications.emails.wording import (
    Members,
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
"""How an agreement ended for a municipality, and its membership with it, in German."""


def agreement_ends_soon(fact: AgreementEndsSoon, _: Members) -> list[Email]:
    """The municipalities, the LPR contacts and the head of the LPR learn until when an agreement can be renewed."""
    data = about_agreement(fact) | {
        "ends_on": fact.ends_on,
        "days": fact.days,
        "parties": names(fact.parties, fact.municipalities),
    }
    head = data | {"reason": "der Landespräventionsrat Sachsen erfährt, wenn die Laufzeit einer Vereinbarung endet"}
    return [
        *to_parties("agreement_ends_soon", as_parties(fact.municipalities), data),
        *to_lpr_contacts("agreement_ends_soon", fact.municipalities, data),
        Email(template="agreement_ends_soon", role=Role.LPR_HEAD, area=SAXONY, data=head),
    ]


def agreement_renewed(fact: AgreementRenewed, _: Members) -> list[Email]:
    """The parties and the LPR contacts learn until when the agreement holds now."""
    data = about_agreement(fact) | {"renewed_on": fact.renewed_on, "ends_on": fact.ends_on}
    return [
        *to_parties("agreement_renewed", parties(fact.parties, fact.municipalities), data),
        *to_lpr_contacts("agreement_renewed", fact.municipalities, data),
    ]


def notice_receipt(fact: NoticeGiven, _: Members) -> list[Email]:
    """The party that gave notice learns that this was recorded, and until when the agreement holds."""
    return to_parties("notice_receipt", parties([fact.party], fact.municipalities), _about_notice(fact))


def notice_given(fact: NoticeGiven, _: Members) -> list[Email]:
    """The other parties and the LPR contacts learn who gave notice, and for whom the agreement ends and goes on."""
    (giver,) = parties([fact.party], fact.municipalities)
    # A municipality that left earlier stands among the parties still, but the agreement is none of its business now.
    offices = parties([party for party in fact.parties if not party.startswith("municipality:")], ())
    others = [party for party in (*as_parties(fact.municipalities), *offices) if party != giver]
    data = _about_notice(fact)
    return [
        *to_parties("notice_given", others, data | {"goes_on": False}),
        *to_parties("notice_given", as_parties(fact.remaining), data | {"goes_on": True}),
        *to_lpr_contacts("notice_given", fact.municipalities, data | {"goes_on": False}),
    ]


def agreement_goes_on(fact: AgreementEnded, _: Members) -> list[Email]:
    """The municipalities for whom an agreement goes on learn for whom it ended."""
    data = about_agreement(fact) | {
        "remaining": [municipality.name for municipality in fact.remaining],
        "ended_on": fact.ended_on,
        "how": HOW.get(fact.how, fact.how),
    }
    return to_parties("agreement_goes_on", as_parties(fact.remaining), data)


def member_farewell(fact: MemberLeft, _: Members) -> list[Email]:
    """The municipality is thanked, and told that it can come back."""
    data = _about_former_member(fact) | {"reason": f"{fact.name} Mitglied der Allianz war"}
    return [Email(template="member_farewell", role=Role.MUNICIPALITY, area=fact.ags, data=data)]


def member_left(fact: MemberLeft, _: Members) -> list[Email]:
    """The police directorate, the LPR and the press office learn who is no member any more."""
    data = _about_former_member(fact)
    everybody = "von jedem Mitglied erfährt, das die Allianz verlässt"
    reasons = {
        (Role.POLICE_DIRECTORATE, fact.police_directorate): (
            f"{fact.name} im Bereich der {police_in_german(fact.police_directorate)} liegt"
        ),
        (Role.LPR_HEAD, SAXONY): f"der Landespräventionsrat Sachsen {everybody}",
        (Role.PRESS_OFFICE, SAXONY): f"die Pressestelle {everybody}",
    }
    to_others = [
        Email(template="member_left", role=role, area=area, data=data | {"reason": reason})
        for (role, area), reason in reasons.items()
    ]
    return [*to_others, to_lpr_contact("member_left", fact.police_directorate, data)]


def neighbour_left(fact: MemberLeft, members: Members) -> list[Email]:
    """The other members of the district learn that they have one neighbour less."""
    return [
        Email(
            template="neighbour_left",
            role=Role.MUNICIPALITY,
            area=neighbour.ags,
            data=_about_former_member(fact) | {"reason": f"auch {neighbour.name} in diesem Landkreis Mitglied ist"},
        )
        for neighbour in neighbours(fact, members)
    ]


def agreement_passed_on(fact: AgreementPassedOn, _: Members) -> list[Email]:
    """The LPR contacts and the police directorates learn which municipality took the place of which."""
    data = about_file(fact.agreement_id) | {
        "former": fact.municipality.name,
        "successor": fact.successor.name,
        "passed_on": fact.passed_on,
    }
    both = (fact.municipality, fact.successor)
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


def _about_notice(fact: NoticeGiven) -> dict[str, Any]:
    return about_agreement(fact) | {
        "covered": [municipality.name for municipality in fact.municipalities + fact.remaining],
        "remaining": [municipality.name for municipality in fact.remaining],
        "party": names([fact.party], fact.municipalities)[0],
        "given_on": fact.given_on,
        "ends_on": fact.ends_on,
        "grounds": fact.reason,
    }


def _about_former_member(fact: MemberLeft) -> dict[str, Any]:
    return about_member(fact) | {
        "left_on": fact.left_on,
        "how": HOW.get(fact.how, fact.how),
        "merged": fact.how == "merged",
    }
