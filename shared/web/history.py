"""The history of an aggregate: its events."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from litestar import get
from litestar.handlers import HTTPRouteHandler

from shared.store.mongo import Database
from shared.store.repository import Repository
from shared.store.rows import history
from shared.web.paging import Listing
from shared.web.requests import Asked
from shared.web.rights import Actor

S = TypeVar("S")


def history_route(
    path: str, aggregates: Repository[S], database: Database, must_see: Callable[[Actor, S], None]
) -> HTTPRouteHandler:
    """The route `path`/history; the last parameter of `path` is the id of the aggregate.

    `must_see` raises NotFound if the caller may not know of the aggregate.
    """

    @get(f"{path}/history")
    async def aggregate_history(request: Asked) -> Listing[dict[str, Any]]:
        """List its events, oldest first."""
        *_, id = request.path_params.values()
        await aggregates.guarded(partial(must_see, request.user)).get(id)
        return Listing(items=await history(database, id), next=None)

    return aggregate_history
