"""HTTP routes of notifications, with their permissions: contacts and deliveries."""

from typing import Annotated

from litestar import Response, Router, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from services.notifications import use_cases
from services.notifications.domain.contacts import Contact, Role
from services.notifications.domain.deliveries import Delivery, State
from services.notifications.records import Records
from shared.kernel.clock import Clock
from shared.kernel.copying import copy_as
from shared.web.answers import created
from shared.web.fields import Body, Email, Line
from shared.web.paging import Limit, Listing, cursor_place, listing
from shared.web.problems import Asked
from shared.web.requests import request_cause
from shared.web.rights import Role as Reader


class ContactKept(Body):
    """An office and its address."""

    office: Line
    email: Email
    role: Role
    area: Line
    active: bool = True


class Attempt(Body):
    """One more attempt; it has no fields."""


def routes(records: Records, clock: Clock) -> list[ControllerRouterHandler]:
    """The routes of notifications."""
    contacts, deliveries = records.contacts, records.deliveries

    @get("/contacts")
    async def contact_list(request: Asked, cursor: FromQuery[str | None] = None, limit: Limit = 50) -> Listing[Contact]:
        """List the contacts. For the LPR and auditors."""
        request.user.require(Reader.LPR, Reader.AUDITOR)
        return listing(await contacts.page({}, after=cursor_place(cursor), limit=limit))

    @put("/contacts/{id:str}")
    async def contact(request: Asked, id: FromPath[str], data: JSONBody[ContactKept]) -> Contact:
        """Enter a contact, or change it. For the LPR."""
        request.user.require(Reader.LPR)
        return await use_cases.keep_contact(
            contacts, copy_as(Contact, data, id=id), await request_cause(request, clock)
        )

    @get("/deliveries")
    async def delivery_list(
        request: Asked, wanted: Annotated[State | None, QueryParameter(name="state")] = None,
        event_id: FromQuery[str | None] = None, cursor: FromQuery[str | None] = None, limit: Limit = 50,
    ) -> Listing[Delivery]:  # fmt: skip
        """List the deliveries and their states. For the LPR and auditors."""
        request.user.require(Reader.LPR, Reader.AUDITOR)
        where = {name: value for name, value in (("state", wanted), ("event_id", event_id)) if value}
        return listing(await deliveries.page(where, after=cursor_place(cursor), limit=limit))

    @get("/deliveries/{id:str}")
    async def delivery(request: Asked, id: FromPath[str]) -> Delivery:
        """Get one delivery. For the LPR and auditors."""
        request.user.require(Reader.LPR, Reader.AUDITOR)
        return await deliveries.get(id)

    @post("/deliveries/{id:str}/attempts")
    async def attempt(request: Asked, id: FromPath[str], data: JSONBody[Attempt]) -> Response[Delivery]:  # noqa: ARG001
        """Send a failed email again. For the LPR."""
        request.user.require(Reader.LPR)
        again = await use_cases.retry_delivery(deliveries, contacts, id, await request_cause(request, clock))
        return created(again, f"/notifications/v1/deliveries/{id}")

    handlers: list[ControllerRouterHandler] = [contact_list, contact, delivery_list, delivery, attempt]
    return [Router("/notifications/v1", route_handlers=handlers)]
