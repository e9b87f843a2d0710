"""Rules for the offices of a municipality and the people who hold them."""

from datetime import date, timedelta

from services.membership.domain.dates import EndsBeforeItBegan
from services.membership.domain.municipality import Municipality, evolve
from services.membership.domain.official import OfficeHolder
from shared.events.membership.municipalities import OfficeHolderAssigned, OfficeHolderLeft
from shared.kernel.copying import copy_as
from shared.kernel.decision import Decision
from shared.kernel.errors import NotFound


def assign(municipality: Municipality, holder: OfficeHolder) -> Decision[Municipality]:
    """Assign an office from a day on, perhaps a future one; the previous holder keeps it until the day before."""
    assigned = copy_as(
        OfficeHolderAssigned,
        holder,
        ags=municipality.ags,
        name=municipality.name,
        police_directorate=municipality.police_directorate,
    )
    held = (held for held in municipality.office_holders if (held.office, held.until) == (holder.office, None))
    previous = next(held, None)
    if previous is None:
        return evolve.decision(municipality, assigned)
    if previous.contact_id == holder.contact_id:
        return municipality, []
    return evolve.decision(municipality, _left(municipality, previous, holder.since - timedelta(days=1)), assigned)


def leave(municipality: Municipality, contact_id: str, until: date) -> Decision[Municipality]:
    """End the term of an office holder on a day; raises NotFound if this person holds no office."""
    for holder in municipality.office_holders:
        if (holder.contact_id, holder.until) == (contact_id, None):
            return evolve.decision(municipality, _left(municipality, holder, until))
    raise NotFound(f"{contact_id} holds no office of {municipality.name} ({municipality.ags})")


def _left(municipality: Municipality, holder: OfficeHolder, until: date) -> OfficeHolderLeft:
    if until < holder.since:
        office = f"{holder.office} of {municipality.name} ({municipality.ags})"
        raise EndsBeforeItBegan(f"{office} is held since {holder.since}, not until {until}")
    return copy_as(OfficeHolderLeft, municipality, contact_id=holder.contact_id, office=holder.office, until=until)
