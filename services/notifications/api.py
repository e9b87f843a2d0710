"""Who may ask notifications what over HTTP: the LPR keeps the contacts and looks after failed emails."""

from typing import Annotated

from litestar import Response, Router, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from services.notifications import use_cases
from services.notifications.domain import Contact, Delivery, Role, State
from services.notifications.use_cases import Contacts, Deliveries
from shared.kernel.clock import Clock
from shared.web.auth import Role as Reader
from shared.web.frame import Asked, Body, Limit, Line, Listing, cursor_place, listing, request_cause

# Stricter than RFC 5321 on purpose: quoted local parts have smuggled commands into SMTP sessions.
Address = Annotated[
    str, Meta(max_length=254, pattern=r"^[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+$(?!\n)")
]


class ContactKept(Body):
    """What is known of an office."""

    office: Line
    email: Address
    role: Role
    area: Line
    active: bool = True


class Attempt(Body):
    """One more attempt; there is nothing to say about it."""


def routes(contacts: Contacts, deliveries: Deliveries, clock: Clock) -> list[ControllerRouterHandler]:
    """The routes of notifications."""

    @get("/contacts")
    async def contact_list(request: Asked, cursor: FromQuery[str | None] = None, limit: Limit = 50) -> Listing[Contact]:
        """The offices that are told."""
        request.user.require(Reader.LPR, Reader.AUDITOR)
        return listing(await contacts.page({}, after=cursor_place(cursor), limit=limit))

    @put("/contacts/{id:str}")
    async def contact(request: Asked, id: FromPath[str], data: JSONBody[ContactKept]) -> Contact:
        """The LPR enters an office, or changes it."""
        request.user.require(Reader.LPR)
        kept = Contact(id=id, office=data.office, email=data.email, role=data.role, area=data.area, active=data.active)
        return await use_cases.keep_contact(contacts, kept, await request_cause(request, clock))

    @get("/deliveries")
    async def delivery_list(
        request: Asked, wanted: Annotated[State | None, QueryParameter(name="state")] = None,
        event_id: FromQuery[str | None] = None, cursor: FromQuery[str | None] = None, limit: Limit = 50,
    ) -> Listing[Delivery]:  # fmt: skip
        """The emails and what became of them."""
        request.user.require(Reader.LPR, Reader.AUDITOR)
        where = {name: value for name, value in (("state", wanted), ("event_id", event_id)) if value}
        return listing(await deliveries.page(where, after=cursor_place(cursor), limit=limit))

    @get("/deliveries/{id:str}")
    async def delivery(request: Asked, id: FromPath[str]) -> Delivery:
        """One email and what became of it."""
        request.user.require(Reader.LPR, Reader.AUDITOR)
        return await deliveries.get(id)

    @post("/deliveries/{id:str}/attempts")
    async def attempt(request: Asked, id: FromPath[str], data: JSONBody[Attempt]) -> Response[Delivery]:  # noqa: ARG001
        """The LPR has an email sent again that had failed."""
        request.user.require(Reader.LPR)
        again = await use_cases.send_again(deliveries, contacts, id, await request_cause(request, clock))
        return Response(again, status_code=201, headers={"Location": f"/notifications/v1/deliveries/{id}"})

    handlers: list[ControllerRouterHandler] = [contact_list, contact, delivery_list, delivery, attempt]
    return [Router("/notifications/v1", route_handlers=handlers)]
