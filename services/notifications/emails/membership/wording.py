"""Shared parts of emails about membership: German names, data, recipients and reasons."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote

from services.notifications.domain.contacts import SAXONY, Role
from services.notifications.domain.emails import Email
from services.notifications.domain.members import Member
from services.notifications.emails.table import Members
from shared.alliance.districts import police_in_german
from shared.events.membership.agreements import AgreementSignedByParty, SignatureCorrected
from shared.events.membership.members import MemberJoined, MemberLeft
from shared.events.membership.refs import MunicipalityRef

Municipalities = tuple[MunicipalityRef, ...]

FORMS = {"paper": "auf Papier", "remote": "aus der Ferne"}
"""The forms of a signature in German."""


class OfAgreement(Protocol):
    """An event about an agreement."""

    @property
    def agreement_id(self) -> str:
        """The file number."""

    @property
    def municipalities(self) -> Municipalities:
        """The municipalities it is about."""


class OfMunicipality(Protocol):
    """An event about a municipality."""

    @property
    def ags(self) -> str:
        """Its official key."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def police_directorate(self) -> str:
        """Its police directorate."""


class Party(NamedTuple):
    """A party of an agreement: role and area of its office, and its German name without and with article."""

    role: Role
    area: str
    name: str
    called: str


def parties(codes: Iterable[str], municipalities: Municipalities) -> list[Party]:
    """The parties behind codes such as `municipality:14626480` or `lpr`."""
    names = {municipality.ags: municipality.name for municipality in municipalities}
    return [_party(code, names) for code in codes]


def as_parties(municipalities: Municipalities) -> list[Party]:
    """Municipalities as parties of their agreement."""
    return parties([f"municipality:{municipality.ags}" for municipality in municipalities], municipalities)


def _party(code: str, names: Mapping[str, str]) -> Party:
    kind, _, area = code.partition(":")
    match kind:
        case "municipality":
            return Party(Role.MUNICIPALITY, area, names[area], names[area])
        case "police_directorate":
            return Party(
                Role.POLICE_DIRECTORATE,
                area,
                police_in_german(area),
                f"die {police_in_german(area)}",
            )
        case "lpr":
            return Party(Role.LPR_HEAD, SAXONY, "Landespräventionsrat Sachsen", "der Landespräventionsrat Sachsen")
        case "ministry":
            ministry = "Sächsisches Staatsministerium des Innern"
            return Party(Role.MINISTRY, SAXONY, ministry, "das Sächsische Staatsministerium des Innern")
    raise ValueError(f"nobody can be told for the party {code!r}")


def names(codes: Iterable[str], municipalities: Municipalities) -> list[str]:
    """The German names of parties, for lists."""
    return [party.name for party in parties(codes, municipalities)]


def police_directorates(municipalities: Municipalities) -> list[str]:
    """The police directorates of these municipalities, each once."""
    return list(dict.fromkeys(municipality.police_directorate for municipality in municipalities))


def about_agreement(event: OfAgreement) -> dict[str, Any]:
    """The agreement and its municipalities."""
    return about_municipalities(event.municipalities) | about_file(event.agreement_id)


def about_file(agreement_id: str) -> dict[str, Any]:
    """The file number and link of an agreement."""
    return {
        "file": f"Az. {agreement_id}",
        "link": f"/membership/v1/agreements/{quote(agreement_id, safe='')}",
    }


def about_municipalities(municipalities: Municipalities) -> dict[str, Any]:
    """Municipalities by name."""
    return {
        "municipalities": [municipality.name for municipality in municipalities],
        "several": len(municipalities) > 1,
    }


def about_signature(event: AgreementSignedByParty | SignatureCorrected) -> dict[str, Any]:
    """A signature and its agreement."""
    (party,) = parties([event.party], event.municipalities)
    return about_agreement(event) | {
        "party": party.name,
        "person": f"i. V. {event.person}" if event.deputy else event.person,
        "function": event.function,
        "signed_on": event.signed_on,
        "place": event.place,
        "form": FORMS.get(event.form, event.form),
    }


def about_municipality(event: OfMunicipality) -> dict[str, Any]:
    """The name, key and link of a municipality."""
    return {
        "name": event.name,
        "file": f"AGS {event.ags}",
        "link": f"/membership/v1/municipalities/{quote(event.ags, safe='')}",
    }


def about_member(event: MemberJoined | MemberLeft) -> dict[str, Any]:
    """A present or former member, its agreement and its day of joining."""
    return about_municipality(event) | {
        "title": _title(event),
        "district": event.district if event.district.endswith("kreis") else f"Landkreis {event.district}",
        "joined_on": event.joined_on,
        "file": f"Az. {event.agreement_id}",
    }


def _title(event: MemberJoined | MemberLeft) -> str:
    """`Stadt Görlitz`, `Gemeinde Rosenbach`, but `Stadt Wehlen`, which is called so."""
    kind = "Gemeinde" if event.kind == "Gemeinde" else "Stadt"
    return event.name if event.name.startswith(f"{kind} ") else f"{kind} {event.name}"


def neighbours(event: MemberJoined | MemberLeft, members: Members) -> list[Member]:
    """Return the other members of the district, except those of the same agreement, which know already."""
    return [
        member
        for member in members
        if member.district_key == event.district_key
        and member.ags != event.ags
        and member.agreement_id != event.agreement_id
    ]


def to_parties(template: str, to: Iterable[Party], data: Mapping[str, Any]) -> list[Email]:
    """One email to each of these parties."""
    return [
        Email(template=template, role=party.role, area=party.area, data={**data, "reason": because_party(party)})
        for party in to
    ]


def to_lpr_contacts(template: str, municipalities: Municipalities, data: Mapping[str, Any]) -> list[Email]:
    """One email to the LPR contact of each police directorate concerned."""
    return [to_lpr_contact(template, area, data) for area in police_directorates(municipalities)]


def to_lpr_contact(template: str, area: str, data: Mapping[str, Any]) -> Email:
    """An email to the LPR contact of a police directorate."""
    reason = f"Sie für den Landespräventionsrat die Kommunen im Bereich der {police_in_german(area)} betreuen"
    return Email(template=template, role=Role.LPR_CONTACT, area=area, data={**data, "reason": reason})


def because_party(party: Party) -> str:
    """The reason why a party receives an email."""
    return f"Sie die Vertragspartei {party.name} vertreten"
