"""Who may see what of membership, and act for whom; what is required of a change is asked by `Repository.guarded`."""

from typing import Any

from services.membership.domain.agreement import Agreement
from services.membership.domain.municipality import Municipality
from services.membership.domain.parties import PartyKind
from shared.kernel.errors import NotAllowed, NotFound
from shared.web.auth import Actor, Role


def acts_for(who: Actor, party: str) -> bool:
    """Whether somebody signs, or speaks, for a party."""
    kind, _, area = party.partition(":")
    match kind:
        case PartyKind.MUNICIPALITY:
            return who.role is Role.MUNICIPALITY and area in who.ags
        case PartyKind.POLICE_DIRECTORATE:
            return who.role is Role.POLICE and area == who.police_directorate
        case PartyKind.LPR:
            return who.role is Role.LPR
        case PartyKind.MINISTRY:
            return who.role is Role.MINISTRY
        case _:
            return False


def must_see(who: Actor, municipality: Municipality) -> None:
    """Raise NotFound unless the municipality lies in this one's area."""
    if not who.sees(municipality.ags, municipality.police_directorate):
        raise NotFound(f"there is no municipality {municipality.ags}")


def must_see_agreement(who: Actor, agreement: Agreement) -> None:
    """Raise NotFound unless a municipality of the agreement lies in this one's area."""
    if not any(who.sees(ref.ags, ref.police_directorate) for ref in agreement.municipalities):
        raise NotFound(f"there is no agreement {agreement.id}")


def own_municipalities(who: Actor) -> dict[str, Any]:
    """The municipalities in somebody's area, as a filter."""
    if who.sees_all:
        return {}
    return {"$or": [{"_id": {"$in": sorted(who.ags)}}, {"police_directorate": who.police_directorate}]}


def own_agreements(who: Actor) -> dict[str, Any]:
    """The agreements in somebody's area, as a filter."""
    if who.sees_all:
        return {}
    return {
        "$or": [
            {"municipalities.ags": {"$in": sorted(who.ags)}},
            {"municipalities.police_directorate": who.police_directorate},
        ]
    }


def require_own_or_lpr(who: Actor, municipality: Municipality) -> None:
    """Raise NotFound for a foreign municipality, NotAllowed unless it is its own that asks, or the LPR."""
    must_see(who, municipality)
    if who.role is not Role.LPR and municipality.ags not in who.ags:
        raise NotAllowed(f"role {who.role} may not do this; it takes lpr, or the municipality itself")


def require_party(who: Actor, party: str, agreement: Agreement) -> None:
    """Raise NotFound for a foreign agreement, NotAllowed unless the party itself asks: nobody signs for another."""
    must_see_agreement(who, agreement)
    if not acts_for(who, party):
        raise NotAllowed(f"{who.subject} may not act for {party}")


def require_party_or_lpr(who: Actor, party: str, agreement: Agreement) -> None:
    """The same, but the LPR records what other parties wrote to it: a decline, a correction, a notice."""
    if who.role is not Role.LPR:
        require_party(who, party, agreement)
