"""Who may ask what about one municipality, and who holds its offices."""

from dataclasses import replace
from functools import partial
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler

from services.membership.api import bodies
from services.membership.api.rights import must_see, require_own_or_lpr
from services.membership.domain.municipality import Municipality
from services.membership.domain.official import OfficeHolder
from services.membership.domain.people import Person
from services.membership.use_cases import Records
from services.membership.use_cases import municipalities as use_cases
from shared.kernel.clock import Clock
from shared.kernel.ids import new_id
from shared.store.mongo import Database
from shared.store.rows import history
from shared.web.frame import Asked, Listing, request_cause, versioned


class Office(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds an office, or held it; name and addresses are business contacts."""

    holder: OfficeHolder
    person: Person | None


def municipality_routes(records: Records, database: Database, clock: Clock) -> list[ControllerRouterHandler]:
    """The routes for one municipality."""
    municipalities = records.municipalities

    @get("/municipalities/{ags:str}")
    async def municipality(request: Asked, ags: FromPath[str]) -> Response[Municipality]:
        """One municipality, with the ETag that a change may refer to."""
        found, version = await municipalities.versioned(ags)
        must_see(request.user, found)
        return versioned(found, version)

    @get("/municipalities/{ags:str}/history")
    async def municipality_history(request: Asked, ags: FromPath[str]) -> Listing[dict[str, Any]]:
        """What happened to a municipality, oldest first."""
        must_see(request.user, await municipalities.get(ags))
        return Listing(items=await history(database, ags), next=None)

    @get("/municipalities/{ags:str}/offices")
    async def offices(request: Asked, ags: FromPath[str]) -> Listing[Office]:
        """Who holds its offices, and who held them before."""
        found = await municipalities.get(ags)
        must_see(request.user, found)
        ids = [holder.contact_id for holder in found.office_holders]
        people = {one.id: one for one in await records.people.all({"_id": {"$in": ids}})}
        items = [Office(holder=holder, person=people.get(holder.contact_id)) for holder in found.office_holders]
        return Listing(items=items, next=None)

    @post("/municipalities/{ags:str}/offices")
    async def office(
        request: Asked, ags: FromPath[str], data: JSONBody[bodies.OfficeAssigned]
    ) -> Response[Municipality]:
        """The LPR, or the municipality itself, records who holds an office from a day on."""
        own = replace(records, municipalities=municipalities.guarded(partial(require_own_or_lpr, request.user)))
        cause = await request_cause(request, clock)
        person = Person(id=new_id(), name=data.person, email=data.email, phone=data.phone)
        holder = OfficeHolder(contact_id=person.id, office=data.office, function=data.function, since=data.since)
        return created(await use_cases.assign_office(own, ags, holder, person, cause))

    @post("/municipalities/{ags:str}/offices/{contact_id:str}/end")
    async def office_end(
        request: Asked, ags: FromPath[str], contact_id: FromPath[str], data: JSONBody[bodies.OfficeLeft]
    ) -> Response[Municipality]:
        """The LPR, or the municipality itself, records until when somebody holds an office."""
        own = municipalities.guarded(partial(require_own_or_lpr, request.user))
        cause = await request_cause(request, clock)
        return created(await use_cases.leave_office(own, ags, contact_id, data.until, cause))

    return [municipality, municipality_history, offices, office, office_end]


def created(municipality: Municipality) -> Response[Municipality]:
    """The answer to what was recorded of a municipality."""
    location = f"/membership/v1/municipalities/{municipality.ags}"
    return Response(municipality, status_code=201, headers={"Location": location})
