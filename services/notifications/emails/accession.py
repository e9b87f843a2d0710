"""Emails about an accession: from the consultation to the welcome and the news to the neighbours."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from services.notifications.domain import SAXONY, Email, Member, Role
from shared.events.membership import (
    AgreementReady,
    AgreementSigned,
    AgreementSignedByParty,
    ConsultationHeld,
    MemberJoined,
    MunicipalityRef,
)

Members = Sequence[Member]
Agreement = AgreementReady | AgreementSignedByParty | AgreementSigned

ACTION_FIELDS = {
    "graffiti": "Sachbeschädigung durch Graffiti",
    "littering": "Vermüllung öffentlicher Plätze",
    "violence": "Gewalt",
    "extremism": "Extremismus",
    "drugs": "Drogenmissbrauch",
    "youth": "Jugend",
    "seniors": "Senioren",
    "traffic": "Verkehr",
    "burglary": "Einbruch",
    "other": "Sonstiges",
}
"""The action fields (Handlungsfelder) in German, in the order in which an email names them."""

FORMS = {"paper": "auf Papier", "remote": "aus der Ferne"}
"""How a party signed, in German."""


def consultation_held(fact: ConsultationHeld, _: Members) -> list[Email]:
    """The LPR contact learns what was discussed and what comes next."""
    data = _about_municipality(fact.ags) | {
        "name": fact.name,
        "held_on": fact.held_on,
        "topics": fact.topics,
        "next_step": fact.next_step,
        "file": f"AGS {fact.ags}",
        "reason": _because_contact(fact.police_directorate),
    }
    return [Email(template="consultation_held", role=Role.LPR_CONTACT, area=fact.police_directorate, data=data)]


def agreement_to_sign(fact: AgreementReady, _: Members) -> list[Email]:
    """Every party is asked to sign."""
    parties = _parties(fact.parties, fact.municipalities)
    return [
        Email(
            template="agreement_to_sign",
            role=party.role,
            area=party.area,
            data=_about_agreement(fact)
            | {
                "ready_on": fact.ready_on,
                "party": party.name,
                "others": [other.name for other in parties if other != party],
                "reason": _because_party(party),
            },
        )
        for party in parties
    ]


def agreement_ready(fact: AgreementReady, _: Members) -> list[Email]:
    """The LPR contacts learn that the parties were asked to sign."""
    data = _about_agreement(fact) | {
        "ready_on": fact.ready_on,
        "parties": [party.name for party in _parties(fact.parties, fact.municipalities)],
    }
    return _to_lpr_contacts("agreement_ready", fact, data)


def signature_receipt(fact: AgreementSignedByParty, _: Members) -> list[Email]:
    """The party that signed learns that this was recorded, and as what."""
    (party,) = _parties([fact.party], fact.municipalities)
    data = _about_signature(fact) | {"reason": _because_party(party)}
    return [Email(template="signature_receipt", role=party.role, area=party.area, data=data)]


def signature_progress(fact: AgreementSignedByParty, _: Members) -> list[Email]:
    """The LPR contacts learn who signed and who is still missing."""
    return _to_lpr_contacts("signature_progress", fact, _about_signature(fact))


def agreement_in_force(fact: AgreementSigned, _: Members) -> list[Email]:
    """The police directorates and the head of the LPR learn that an agreement is in force."""
    data = _about_agreement_in_force(fact)
    reasons = {
        (Role.POLICE_DIRECTORATE, area): f"die Vereinbarung den Bereich der {_police(area)} betrifft"
        for area in _police_directorates(fact)
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
    data = _about_member(fact) | {
        "neighbours": [neighbour.name for neighbour in _neighbours(fact, members)],
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
            data=_about_member(fact) | {"reason": f"auch {neighbour.name} in diesem Landkreis Mitglied ist"},
        )
        for neighbour in _neighbours(fact, members)
    ]


class _Party(NamedTuple):
    """A party of an agreement: whom we write to, and its name in German."""

    role: Role
    area: str
    name: str


def _parties(parties: Iterable[str], municipalities: Iterable[MunicipalityRef]) -> list[_Party]:
    names = {municipality.ags: municipality.name for municipality in municipalities}
    return [_party(party, names) for party in parties]


def _party(party: str, names: dict[str, str]) -> _Party:
    kind, _, area = party.partition(":")
    match kind:
        case "municipality":
            return _Party(Role.MUNICIPALITY, area, names[area])
        case "police_directorate":
            return _Party(Role.POLICE_DIRECTORATE, area, _police(area))
        case "lpr":
            return _Party(Role.LPR_HEAD, SAXONY, "Landespräventionsrat Sachsen")
        case "ministry":
            return _Party(Role.MINISTRY, SAXONY, "Sächsisches Staatsministerium des Innern")
    raise ValueError(f"nobody can be told for the party {party!r}")


def _to_lpr_contacts(template: str, fact: Agreement, data: dict[str, Any]) -> list[Email]:
    return [
        Email(template=template, role=Role.LPR_CONTACT, area=area, data=data | {"reason": _because_contact(area)})
        for area in _police_directorates(fact)
    ]


def _about_municipality(ags: str) -> dict[str, Any]:
    return {"link": f"/membership/v1/municipalities/{quote(ags, safe='')}"}


def _about_agreement(fact: Agreement) -> dict[str, Any]:
    return {
        "municipalities": [municipality.name for municipality in fact.municipalities],
        "several": len(fact.municipalities) > 1,
        "file": f"Az. {fact.agreement_id}",
        "link": f"/membership/v1/agreements/{quote(fact.agreement_id, safe='')}",
    }


def _about_signature(fact: AgreementSignedByParty) -> dict[str, Any]:
    (party,) = _parties([fact.party], fact.municipalities)
    return _about_agreement(fact) | {
        "party": party.name,
        "person": f"i. V. {fact.person}" if fact.deputy else fact.person,
        "function": fact.function,
        "signed_on": fact.signed_on,
        "place": fact.place,
        "form": FORMS.get(fact.form, fact.form),
        "missing": [missing.name for missing in _parties(fact.missing, fact.municipalities)],
    }


def _about_agreement_in_force(fact: AgreementSigned) -> dict[str, Any]:
    return _about_agreement(fact) | {
        "in_force_since": fact.in_force_since,
        "parties": [party.name for party in _parties(fact.parties, fact.municipalities)],
        "action_fields": _in_german(fact.action_fields),
    }


def _about_member(fact: MemberJoined) -> dict[str, Any]:
    return _about_municipality(fact.ags) | {
        "name": fact.name,
        "title": _title(fact),
        "district": fact.district if fact.district.endswith("kreis") else f"Landkreis {fact.district}",
        "joined_on": fact.joined_on,
        "action_fields": _in_german(fact.action_fields),
        "file": f"Az. {fact.agreement_id}",
    }


def _title(fact: MemberJoined) -> str:
    """`Stadt Görlitz`, `Gemeinde Rosenbach`, but `Stadt Wehlen`, which is called so."""
    kind = "Gemeinde" if fact.kind == "Gemeinde" else "Stadt"
    return fact.name if fact.name.startswith(f"{kind} ") else f"{kind} {fact.name}"


def _neighbours(fact: MemberJoined, members: Members) -> list[Member]:
    """The members of the same district but those of this agreement, who know: the new one, and who joins with it."""
    return [
        member
        for member in members
        if member.district_key == fact.district_key and member.agreement_id != fact.agreement_id
    ]


def _in_german(codes: Sequence[str]) -> list[str]:
    """The action fields in our order; a code that is new to us comes last, as it is."""
    known = [german for code, german in ACTION_FIELDS.items() if code in codes]
    return known + [code for code in codes if code not in ACTION_FIELDS]


def _police_directorates(fact: Agreement) -> list[str]:
    return list(dict.fromkeys(municipality.police_directorate for municipality in fact.municipalities))


def _police(area: str) -> str:
    return f"Polizeidirektion {area.removeprefix('PD ')}"


def _because_contact(area: str) -> str:
    return f"Sie für den Landespräventionsrat die Kommunen im Bereich der {_police(area)} betreuen"


def _because_party(party: _Party) -> str:
    return f"Sie die Vertragspartei {party.name} vertreten"
