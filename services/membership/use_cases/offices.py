"""Use cases of the offices of municipalities; the people who hold them are kept apart."""

from datetime import date

from services.membership.domain import offices
from services.membership.domain.municipality import Municipality
from services.membership.domain.official import OfficeHolder
from services.membership.domain.people import Person
from services.membership.records import Municipalities, Records
from shared.kernel.cause import Cause


async def assign_office(records: Records, ags: str, holder: OfficeHolder, person: Person, cause: Cause) -> Municipality:
    """Assign an office of a municipality; the previous holder keeps it until the day before."""
    assigned, _ = await records.municipalities.store.commit(
        cause,
        records.municipalities.changing(ags, lambda municipality: offices.assign(municipality, holder)),
        records.people.putting(person),
    )
    return records.municipalities.kind_of(assigned)


async def leave_office(
    municipalities: Municipalities, ags: str, contact_id: str, until: date, cause: Cause
) -> Municipality:
    """End the term of an office holder on a day."""
    return await municipalities.change(ags, lambda municipality: offices.leave(municipality, contact_id, until), cause)
