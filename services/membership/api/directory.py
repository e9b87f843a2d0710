"""HTTP routes for the directory of municipalities (list, table, map) and the journey of one, with their permissions."""

from datetime import date
from typing import Annotated, Any

from litestar import Response, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.types import ControllerRouterHandler

from services.membership.api.rights import must_see, own_municipalities
from services.membership.domain.journey import Journey
from services.membership.domain.milestones import Stage
from services.membership.domain.municipality import Municipality
from services.membership.queries.directory import Wanted, as_csv, as_geojson
from services.membership.queries.figures import Figure, Filter, day_asked
from services.membership.queries.steps import journey_of
from services.membership.records import Municipalities, Records
from shared.alliance.action_fields import ActionField
from shared.alliance.sizes import SizeClass
from shared.kernel.clock import Clock, berlin_day
from shared.store.mongo import Database
from shared.web.paging import Limit, Listing, cursor_place, listing
from shared.web.requests import Asked
from shared.web.rights import Actor

# No control characters: MongoDB takes no NUL in an expression.
Words = Annotated[str | None, QueryParameter(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]
District = Annotated[str | None, QueryParameter(pattern=r"^[0-9]{5}$(?!\n)")]


def directory_routes(records: Records, database: Database, clock: Clock) -> list[ControllerRouterHandler]:
    """The routes for the directory of municipalities."""
    return [*_list_routes(records, database, clock), *_file_routes(records.municipalities, clock)]


def _wanted(
    *, q: Words = None, stage: FromQuery[Stage | None] = None, district: District = None,
    police_directorate: FromQuery[str | None] = None, size_class: FromQuery[SizeClass | None] = None,
    action_field: FromQuery[ActionField | None] = None, council: FromQuery[bool | None] = None,
    figure: FromQuery[Figure | None] = None, on: FromQuery[date | None] = None, former: FromQuery[bool] = False,
) -> Wanted:  # fmt: skip
    return Wanted(
        q=q, stage=stage, district=district, police_directorate=police_directorate, size_class=size_class,
        action_field=action_field, council=council, figure=figure, on=on, former=former,
    )  # fmt: skip


_WANTED = {"wanted": Provide(_wanted, sync_to_thread=False)}


def _list_routes(records: Records, database: Database, clock: Clock) -> list[ControllerRouterHandler]:
    municipalities = records.municipalities

    @get("/municipalities", dependencies=_WANTED)
    async def municipality_list(
        request: Asked, wanted: NamedDependency[Wanted], cursor: FromQuery[str | None] = None, limit: Limit = 50
    ) -> Listing[Municipality]:
        """List matching municipalities in the caller's area, by official key."""
        where = _seen(request.user, wanted, clock)
        return listing(await municipalities.page(where, after=cursor_place(cursor), limit=limit))

    @get("/municipalities/{ags:str}/journey")
    async def municipality_journey(request: Asked, ags: FromPath[str]) -> Journey:
        """Show the milestones of a municipality in order, its next steps, and warnings."""
        found = await municipalities.get(ags)
        must_see(request.user, found)
        return await journey_of(records, database, found, berlin_day(clock()))

    return [municipality_list, municipality_journey]


def _file_routes(municipalities: Municipalities, clock: Clock) -> list[ControllerRouterHandler]:
    async def found(request: Asked, wanted: Wanted) -> tuple[list[Municipality], date]:
        """All municipalities that match, and the day that is asked for."""
        day = day_asked(wanted.on, berlin_day(clock()))
        return await municipalities.all(_seen(request.user, wanted, clock)), day

    @get("/municipalities.csv", dependencies=_WANTED, media_type="text/csv; header=present")
    async def municipality_table(request: Asked, wanted: NamedDependency[Wanted]) -> Response[str]:
        """The same municipalities, all of them, as a table (RFC 4180)."""
        return Response(as_csv(*await found(request, wanted)), headers=_named("municipalities.csv"))

    @get("/municipalities.geojson", dependencies=_WANTED, media_type="application/geo+json")
    async def municipality_map(request: Asked, wanted: NamedDependency[Wanted]) -> Response[dict[str, Any]]:
        """The same municipalities, all of them, as points on a map (RFC 7946)."""
        return Response(as_geojson(*await found(request, wanted)), headers=_named("municipalities.geojson"))

    return [municipality_table, municipality_map]


def _seen(who: Actor, wanted: Wanted, clock: Clock) -> Filter:
    return {"$and": [own_municipalities(who), wanted.filter(berlin_day(clock()))]}


def _named(file: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{file}"'}
