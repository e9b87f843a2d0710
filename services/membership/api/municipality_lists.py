"""HTTP routes for newer official lists of municipalities: preview, then apply. For the LPR."""

from dataclasses import dataclass
from datetime import date

import msgspec
from litestar import post
from litestar.exceptions import HTTPException
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import FromQuery
from litestar.types import ControllerRouterHandler

from services.membership.domain.list_diff import ListDiff
from services.membership.domain.list_file import decode, read_list
from services.membership.domain.registry import Official
from services.membership.records import Records
from services.membership.use_cases import registry
from shared.kernel.clock import Clock, berlin_day
from shared.web.requests import Asked, request_cause
from shared.web.rights import Role

LIST_MAX_BYTES = 1024 * 1024


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """The difference that a list would make; send its digest back to apply it."""

    digest: str
    changes: ListDiff


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """The difference with this digest has been applied."""

    digest: str
    valid_from: date


@dataclass
class _WithList(Operation):
    """Says in /openapi.json that the body is a CSV file."""

    def __post_init__(self) -> None:
        text = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))
        self.request_body = RequestBody(content={"text/csv": text}, required=True)


def municipality_list_routes(records: Records, clock: Clock) -> list[ControllerRouterHandler]:
    """The routes for lists of municipalities."""

    @post(
        "/municipality-lists/preview",
        status_code=200, request_max_body_size=LIST_MAX_BYTES, operation_class=_WithList,
    )  # fmt: skip
    async def list_preview(request: Asked, valid_from: FromQuery[date]) -> Preview:
        """Preview the changes and problems of a list without applying it."""
        request.user.require(Role.LPR)
        changes = await registry.preview(records, await _rows(request), valid_from, berlin_day(clock()))
        return Preview(digest=changes.digest, changes=changes)

    @post("/municipality-lists", request_max_body_size=LIST_MAX_BYTES, operation_class=_WithList)
    async def list_application(request: Asked, valid_from: FromQuery[date], digest: FromQuery[str]) -> Applied:
        """The LPR applies a list, all of it or nothing; `digest` is the one that its preview answered."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        await registry.apply(records, await _rows(request), valid_from, digest, cause)
        return Applied(digest=digest, valid_from=valid_from)

    return [list_preview, list_application]


async def _rows(request: Asked) -> tuple[Official, ...]:
    if request.content_type[0] != "text/csv":
        raise HTTPException("the list is sent as its CSV file, with Content-Type: text/csv", status_code=415)
    return read_list(decode(await request.body()))
