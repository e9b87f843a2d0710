"""HTTP routes of the purse."""

from typing import Annotated

from litestar import Response, Router, get, post
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from shared.kernel.clock import Clock
from shared.web.fields import Body
from shared.web.requests import Asked, request_cause
from shared.web.rights import Role
from tests.builds.purse import use_cases
from tests.builds.purse.domain import Grant, Purse
from tests.builds.purse.use_cases import Grants, Purses

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,40}$(?!\n)")]
Cents = Annotated[int, Meta(ge=1, le=10**12)]


class PurseOpened(Body):
    """A purse; the caller may choose its id."""

    total_cents: Cents
    id: Name | None = None


class MoneyGranted(Body):
    """The amount of a grant."""

    amount_cents: Cents


def routes(purses: Purses, grants: Grants, clock: Clock) -> list[ControllerRouterHandler]:
    """The routes of the purse."""

    @get("/purses/{id:str}")
    async def purse(request: Asked, id: FromPath[str]) -> Purse:
        """Get one purse with what is left of it."""
        request.user.require(Role.LPR)
        return await purses.get(id)

    @post("/purses")
    async def opening(request: Asked, data: JSONBody[PurseOpened]) -> Response[Purse]:
        """Open a purse. For the LPR."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        opened = await use_cases.open_purse(purses, data.id, data.total_cents, cause)
        return Response(opened, status_code=201, headers={"Location": f"/purse/v1/purses/{opened.id}"})

    @post("/purses/{id:str}/grants")
    async def granting(request: Asked, id: FromPath[str], data: JSONBody[MoneyGranted]) -> Response[Grant]:
        """Grant money from a purse. For the LPR."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        return Response(await use_cases.grant(purses, grants, id, data.amount_cents, cause), status_code=201)

    return [Router("/purse/v1", route_handlers=[purse, opening, granting])]
