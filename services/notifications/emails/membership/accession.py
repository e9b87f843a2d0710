"""Emails about an accession: to the parties, the new member and its neighbours."""

from typing import Any

from services.notifications.domain.contacts import SAXONY, Role
from services.notifications.domain.emails import Email
from services.notifications.emails.membership.wording import (
    about_agreement,
    about_member,
    names,
    neighbours,
    police_directorates,
)
from services.notifications.emails.table import Members
from shared.alliance.action_fields import in_german
from shared.alliance.districts import police_in_german
from shared.events.membership.agreements import AgreementSigned
from shared.events.membership.members import MemberJoined


def agreement_in_force(event: AgreementSigned, _: Members) -> list[Email]:
    """To the police directorates and the head of the LPR: an agreement is in force."""
    data = _about_agreement_in_force(event) | {"ends_on": event.ends_on}
    reasons = {
        (
            Role.POLICE_DIRECTORATE,
            area,
        ): f"die Vereinbarung den Bereich der {police_in_german(area)} betrifft"
        for area in police_directorates(event.municipalities)
    }
    reasons[Role.LPR_HEAD, SAXONY] = "der Landespräventionsrat Sachsen von jeder neuen Kooperationsvereinbarung erfährt"
    return [
        Email(template="agreement_in_force", role=role, area=area, data=data | {"reason": reason})
        for (role, area), reason in reasons.items()
    ]


def agreement_for_press(event: AgreementSigned, _: Members) -> list[Email]:
    """To the press office: all it needs to write about the accession."""
    data = _about_agreement_in_force(event) | {
        "reason": "die Pressestelle von jeder neuen Kooperationsvereinbarung erfährt"
    }
    return [Email(template="agreement_for_press", role=Role.PRESS_OFFICE, area=SAXONY, data=data)]


def member_welcome(event: MemberJoined, members: Members) -> list[Email]:
    """To the new member: a welcome, the next steps and its neighbours."""
    data = _about_new_member(event) | {
        "neighbours": [neighbour.name for neighbour in neighbours(event, members)],
        "reason": f"{event.name} Mitglied der Allianz geworden ist",
    }
    return [Email(template="member_welcome", role=Role.MUNICIPALITY, area=event.ags, data=data)]


def new_neighbour(event: MemberJoined, members: Members) -> list[Email]:
    """To the other members of the district: a new neighbour to exchange experience with."""
    return [
        Email(
            template="new_neighbour",
            role=Role.MUNICIPALITY,
            area=neighbour.ags,
            data=_about_new_member(event) | {"reason": f"auch {neighbour.name} in diesem Landkreis Mitglied ist"},
        )
        for neighbour in neighbours(event, members)
    ]


def _about_agreement_in_force(event: AgreementSigned) -> dict[str, Any]:
    return about_agreement(event) | {
        "in_force_since": event.in_force_since,
        "parties": names(event.parties, event.municipalities),
        "action_fields": in_german(event.action_fields),
    }


def _about_new_member(event: MemberJoined) -> dict[str, Any]:
    return about_member(event) | {"action_fields": in_german(event.action_fields)}
