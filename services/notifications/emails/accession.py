"""Emails about an accession: the agreement is in force, the new member is welcome, its neighbours hear of it."""

from typing import Any

from services.notifications.domain import SAXONY, Email, Role
from services.notifications.emails.wording import (
    Members,
    about_agreement,
    about_member,
    names,
    neighbours,
    police_directorates,
)
from shared.alliance.action_fields import in_german
from shared.alliance.districts import police_in_german
from shared.events.membership.agreements import AgreementSigned
from shared.events.membership.members import MemberJoined


def agreement_in_force(fact: AgreementSigned, _: Members) -> list[Email]:
    """The police directorates and the head of the LPR learn that an agreement is in force."""
    data = _about_agreement_in_force(fact) | {"ends_on": fact.ends_on}
    reasons = {
        (
            Role.POLICE_DIRECTORATE,
            area,
        ): f"die Vereinbarung den Bereich der {police_in_german(area)} betrifft"
        for area in police_directorates(fact.municipalities)
    }
    reasons[Role.LPR_HEAD, SAXONY] = "der Landespräventionsrat Sachsen von jeder neuen Kooperationsvereinbarung erfährt"
    return [
        Email(template="agreement_in_force", role=role, area=area, data=data | {"reason": reason})
        for (role, area), reason in reasons.items()
    ]


def agreement_for_press(fact: AgreementSigned, _: Members) -> list[Email]:
    """The press office gets what it needs to write about the accession."""
    data = _about_agreement_in_force(fact) | {
        "reason": "die Pressestelle von jeder neuen Kooperationsvereinbarung erfährt"
    }
    return [Email(template="agreement_for_press", role=Role.PRESS_OFFICE, area=SAXONY, data=data)]


def member_welcome(fact: MemberJoined, members: Members) -> list[Email]:
    """The new member is welcomed, and told what comes next and who is near."""
    data = _about_new_member(fact) | {
        "neighbours": [neighbour.name for neighbour in neighbours(fact, members)],
        "reason": f"{fact.name} Mitglied der Allianz geworden ist",
    }
    return [Email(template="member_welcome", role=Role.MUNICIPALITY, area=fact.ags, data=data)]


def new_neighbour(fact: MemberJoined, members: Members) -> list[Email]:
    """The other members of the district learn of the new one, with whom they may exchange experience."""
    return [
        Email(
            template="new_neighbour",
            role=Role.MUNICIPALITY,
            area=neighbour.ags,
            data=_about_new_member(fact) | {"reason": f"auch {neighbour.name} in diesem Landkreis Mitglied ist"},
        )
        for neighbour in neighbours(fact, members)
    ]


def _about_agreement_in_force(fact: AgreementSigned) -> dict[str, Any]:
    return about_agreement(fact) | {
        "in_force_since": fact.in_force_since,
        "parties": names(fact.parties, fact.municipalities),
        "action_fields": in_german(fact.action_fields),
    }


def _about_new_member(fact: MemberJoined) -> dict[str, Any]:
    return about_member(fact) | {"action_fields": in_german(fact.action_fields)}
