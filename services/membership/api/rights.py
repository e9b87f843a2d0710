"""Rights in membership; `Repository.guarded` checks those that a change requires."""

from typing import Any

from services.membership.domain.agreement import Agreement
from services.membership.domain.municipality import Municipality
from services.membership.domain.parties import PartyKind
from shared.kernel.errors import NotAllowed, NotFound
from shared.web.rights import Actor, Role


def acts_for(who: Actor, party: str) -> bool:
    """Return True if the caller signs or speaks for a party."""
    kind, _, area = party.partition(":")
    match kind:
        case PartyKind.MUNICIPALITY:
            return area in who.areas(Role.MUNICIPALITY)
        case PartyKind.POLICE_DIRECTORATE:
            return area in who.areas(Role.POLICE)
        case PartyKind.LPR:
            return who.has(Role.LPR)
        case PartyKind.MINISTRY:
            return who.has(Role.MINISTRY)
        case _:
            return False


def must_see(who: Actor, municipality: Municipality) -> None:
    """Raise NotFound unless the municipality lies in an area of the actor."""
    if not who.sees(municipality):
        raise NotFound.of("municipality", municipality.ags)


def must_see_agreement(who: Actor, agreement: Agreement) -> None:
    """Raise NotFound unless a municipality of the agreement lies in an area of the actor."""
    if not who.sees(*agreement.municipalities):
        raise NotFound.of("agreement", agreement.id)


def own_municipalities(who: Actor) -> dict[str, Any]:
    """The filter for the municipalities in the areas of the actor."""
    return who.seen(ags="_id", police_directorate="police_directorate")


def own_agreements(who: Actor) -> dict[str, Any]:
    """The filter for the agreements, or security analyses, in the areas of the actor."""
    return who.seen(ags="municipalities.ags", police_directorate="municipalities.police_directorate")


def require_own_or_lpr(who: Actor, municipality: Municipality) -> None:
    """Raise NotFound for a foreign municipality, NotAllowed unless the actor is the LPR or of the municipality."""
    must_see(who, municipality)
    if not (who.has(Role.LPR) or municipality.ags in who.areas(Role.MUNICIPALITY)):
        raise who.refused("lpr, or the municipality itself")


def require_party(who: Actor, party: str, agreement: Agreement) -> None:
    """Raise NotFound for a foreign agreement, NotAllowed unless the actor acts for the party."""
    must_see_agreement(who, agreement)
    if not acts_for(who, party):
        raise NotAllowed(f"{who.subject} may not act for {party}")


def require_party_or_lpr(who: Actor, party: str, agreement: Agreement) -> None:
    """Do the same, but allow the LPR, which records what other parties wrote to it."""
    if not who.has(Role.LPR):
        require_party(who, party, agreement)
