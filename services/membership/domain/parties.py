"""Parties of agreements: `municipality:<ags>`, `police_directorate:<name>`, `lpr`, `ministry`."""

from collections.abc import Sequence
from enum import StrEnum

from shared.alliance.districts import police_in_german
from shared.events.membership.refs import MunicipalityRef


class PartyKind(StrEnum):
    """The kind of a party of an agreement (Vertragspartei)."""

    MUNICIPALITY = "municipality"
    POLICE_DIRECTORATE = "police_directorate"
    LPR = "lpr"
    MINISTRY = "ministry"


DEFAULT_PARTIES = tuple(PartyKind)
"""The parties that must sign unless an agreement says otherwise, as on 27 January 2023."""


def parties_of(refs: Sequence[MunicipalityRef], required: Sequence[PartyKind]) -> tuple[str, ...]:
    """The parties of these kinds in this order: each municipality, each of their police directorates, and so on."""
    areas = {
        PartyKind.MUNICIPALITY: [f":{ref.ags}" for ref in refs],
        PartyKind.POLICE_DIRECTORATE: sorted({f":{ref.police_directorate}" for ref in refs}),
    }
    return tuple(f"{kind}{area}" for kind in dict.fromkeys(required) for area in areas.get(kind, [""]))


def party_of(ref: MunicipalityRef) -> str:
    """The municipality as a party."""
    return f"{PartyKind.MUNICIPALITY}:{ref.ags}"


def kind_of(party: str) -> PartyKind:
    """The kind of a party."""
    return PartyKind(party.partition(":")[0])


_OFFICES = {
    PartyKind.LPR: "Landespräventionsrat Sachsen",
    PartyKind.MINISTRY: "Sächsisches Staatsministerium des Innern",
}


def german(party: str, refs: Sequence[MunicipalityRef]) -> str:
    """The German name of a party."""
    kind, _, area = party.partition(":")
    match PartyKind(kind):
        case PartyKind.MUNICIPALITY:
            return next(ref.name for ref in refs if ref.ags == area)
        case PartyKind.POLICE_DIRECTORATE:
            return police_in_german(area)
        case office:
            return _OFFICES[office]
