"""How emails call things in German, what they say about an agreement or a municipality, and why somebody gets them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote

from services.notifications.domain import SAXONY, Email, Member, Role
from shared.alliance.districts import police_in_german
from shared.events.membership.agreements import AgreementSignedByParty, SignatureCorrected
from shared.events.membership.members import MemberJoined, MemberLeft
from shared.events.membership.refs import MunicipalityRef

Members = Sequence[Member]
Municipalities = tuple[MunicipalityRef, ...]

FORMS = {"paper": "auf Papier", "remote": "aus der Ferne"}
"""How a party signed, in German."""


class OfAgreement(Protocol):
    """A fact about an agreement."""

    @property
    def agreement_id(self) -> str:
        """The file number."""

    @property
    def municipalities(self) -> Municipalities:
        """Those it is about."""


class OfMunicipality(Protocol):
    """A fact about a municipality."""

    @property
    def ags(self) -> str:
        """Its official key."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def police_directorate(self) -> str:
        """The one it belongs to."""


class Party(NamedTuple):
    """A party of an agreement: whom we write to, its name in German, and the same with its article."""

    role: Role
    area: str
    name: str
    called: str


def parties(codes: Iterable[str], municipalities: Municipalities) -> list[Party]:
    """The parties that events name by codes such as `municipality:14626480` or `lpr`."""
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
    """What parties are called in a list."""
    return [party.name for party in parties(codes, municipalities)]


def police_directorates(municipalities: Municipalities) -> list[str]:
    """Those of these municipalities, each once."""
    return list(dict.fromkeys(municipality.police_directorate for municipality in municipalities))


def about_agreement(fact: OfAgreement) -> dict[str, Any]:
    """Which agreement it is, and for whom."""
    return about_municipalities(fact.municipalities) | about_file(fact.agreement_id)


def about_file(agreement_id: str) -> dict[str, Any]:
    """Where the agreement is found."""
    return {
        "file": f"Az. {agreement_id}",
        "link": f"/membership/v1/agreements/{quote(agreement_id, safe='')}",
    }


def about_municipalities(municipalities: Municipalities) -> dict[str, Any]:
    """One municipality or several, by name."""
    return {
        "municipalities": [municipality.name for municipality in municipalities],
        "several": len(municipalities) > 1,
    }


def about_signature(fact: AgreementSignedByParty | SignatureCorrected) -> dict[str, Any]:
    """Who signed which agreement, when, where and how."""
    (party,) = parties([fact.party], fact.municipalities)
    return about_agreement(fact) | {
        "party": party.name,
        "person": f"i. V. {fact.person}" if fact.deputy else fact.person,
        "function": fact.function,
        "signed_on": fact.signed_on,
        "place": fact.place,
        "form": FORMS.get(fact.form, fact.form),
    }


def about_municipality(fact: OfMunicipality) -> dict[str, Any]:
    """Which municipality it is."""
    return {
        "name": fact.name,
        "file": f"AGS {fact.ags}",
        "link": f"/membership/v1/municipalities/{quote(fact.ags, safe='')}",
    }


def about_member(fact: MemberJoined | MemberLeft) -> dict[str, Any]:
    """Which municipality is meant, by which agreement it is or was a member, and since when."""
    return about_municipality(fact) | {
        "title": _title(fact),
        "district": fact.district if fact.district.endswith("kreis") else f"Landkreis {fact.district}",
        "joined_on": fact.joined_on,
        "file": f"Az. {fact.agreement_id}",
    }


def _title(fact: MemberJoined | MemberLeft) -> str:
    """`Stadt Görlitz`, `Gemeinde Rosenbach`, but `Stadt Wehlen`, which is called so."""
    kind = "Gemeinde" if fact.kind == "Gemeinde" else "Stadt"
    return fact.name if fact.name.startswith(f"{kind} ") else f"{kind} {fact.name}"


def neighbours(fact: MemberJoined | MemberLeft, members: Members) -> list[Member]:
    """The other members of the same district but those of the same agreement, who know."""
    return [
        member
        for member in members
        if member.district_key == fact.district_key
        and member.ags != fact.ags
        and member.agreement_id != fact.agreement_id
    ]


def to_parties(template: str, to: Iterable[Party], data: Mapping[str, Any]) -> list[Email]:
    """The same to each of these parties."""
    return [
        Email(template=template, role=party.role, area=party.area, data={**data, "reason": because_party(party)})
        for party in to
    ]


def to_lpr_contacts(template: str, municipalities: Municipalities, data: Mapping[str, Any]) -> list[Email]:
    """The same to the LPR contact of each of the areas in which these municipalities lie."""
    return [to_lpr_contact(template, area, data) for area in police_directorates(municipalities)]


def to_lpr_contact(template: str, area: str, data: Mapping[str, Any]) -> Email:
    """To the LPR contact of an area."""
    reason = f"Sie für den Landespräventionsrat die Kommunen im Bereich der {police_in_german(area)} betreuen"
    return Email(template=template, role=Role.LPR_CONTACT, area=area, data={**data, "reason": reason})


def because_party(party: Party) -> str:
    """Why a party is told."""
    return f"Sie die Vertragspartei {party.name} vertreten"
