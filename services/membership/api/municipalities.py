"""HTTP routes for one municipality and its offices, with their permissions."""

from dataclasses import replace
from functools import partial

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler

from services.membership.api import bodies
from services.membership.api.rights import must_see, require_own_or_lpr
from services.membership.domain.municipality import Municipality
from services.membership.domain.official import OfficeHolder
from services.membership.domain.people import Person
from services.membership.records import Records
from services.membership.use_cases import offices as use_cases
from shared.kernel.clock import Clock
from shared.kernel.copying import copy_as
from shared.kernel.ids import new_id
from shared.store.mongo import Database
from shared.web.answers import created, versioned
from shared.web.history import history_route
from shared.web.paging import Listing
from shared.web.problems import Asked
from shared.web.requests import request_cause


class Office(msgspec.Struct, frozen=True, kw_only=True):
    """A present or past holder of an office; name and addresses are business contacts."""

    holder: OfficeHolder
    person: Person | None


def municipality_routes(records: Records, database: Database, clock: Clock) -> list[ControllerRouterHandler]:
    """The routes for one municipality."""
    municipalities = records.municipalities
    municipality_history = history_route("/municipalities/{ags:str}", municipalities, database, must_see)

    @get("/municipalities/{ags:str}")
    async def municipality(request: Asked, ags: FromPath[str]) -> Response[Municipality]:
        """Get one municipality, with its ETag for a later `If-Match`."""
        return versioned(*await municipalities.guarded(partial(must_see, request.user)).versioned(ags))

    @get("/municipalities/{ags:str}/offices")
    async def offices(request: Asked, ags: FromPath[str]) -> Listing[Office]:
        """List the present and past holders of its offices."""
        found = await municipalities.guarded(partial(must_see, request.user)).get(ags)
        ids = [holder.contact_id for holder in found.office_holders]
        people = {person.id: person for person in await records.people.all({"_id": {"$in": ids}})}
        items = [Office(holder=holder, person=people.get(holder.contact_id)) for holder in found.office_holders]
        return Listing(items=items, next=None)

    @post("/municipalities/{ags:str}/offices")
    async def office(
        request: Asked, ags: FromPath[str], data: JSONBody[bodies.OfficeAssigned]
    ) -> Response[Municipality]:
        """Assign an office from a day on. For the municipality itself and the LPR."""
        own = replace(records, municipalities=municipalities.guarded(partial(require_own_or_lpr, request.user)))
        cause = await request_cause(request, clock)
        person = Person(id=new_id(), name=data.person, email=data.email, phone=data.phone)
        holder = copy_as(OfficeHolder, data, contact_id=person.id)
        return recorded(await use_cases.assign_office(own, ags, holder, person, cause))

    @post("/municipalities/{ags:str}/offices/{contact_id:str}/end")
    async def office_end(
        request: Asked, ags: FromPath[str], contact_id: FromPath[str], data: JSONBody[bodies.OfficeLeft]
    ) -> Response[Municipality]:
        """Record the last day of an office holder. For the municipality itself and the LPR."""
        own = municipalities.guarded(partial(require_own_or_lpr, request.user))
        cause = await request_cause(request, clock)
        return recorded(await use_cases.leave_office(own, ags, contact_id, data.until, cause))

    return [municipality, municipality_history, offices, office, office_end]


def recorded(municipality: Municipality) -> Response[Municipality]:
    """The answer after something was recorded about a municipality."""
    return created(municipality, f"/membership/v1/municipalities/{municipality.ags}")
