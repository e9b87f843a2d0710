"""Who may ask what about the alliance as a whole: its figures, how long steps take, and what comes next for whom."""

from datetime import date

from litestar import get
from litestar.params import FromQuery
from litestar.types import ControllerRouterHandler

from services.membership.api.rights import own_municipalities
from services.membership.domain.next_steps import Step
from services.membership.queries.figures import Alliance, alliance_on, day_asked
from services.membership.queries.steps import StepTime, Waiting, board, step_times
from services.membership.records import Records
from shared.kernel.clock import Clock, berlin_day
from shared.store.mongo import Database
from shared.web.paging import Limit, Listing, cursor_place, listing
from shared.web.requests import Asked


def alliance_routes(records: Records, database: Database, clock: Clock) -> list[ControllerRouterHandler]:
    """The routes for the alliance as a whole."""

    @get("/alliance")
    async def alliance(on: FromQuery[date | None] = None) -> Alliance:
        """The public figures of the alliance, today or on a day that is past."""
        return await alliance_on(database, day_asked(on, berlin_day(clock())))

    @get("/alliance/steps")
    async def steps(request: Asked) -> Listing[StepTime]:
        """How long each step takes in all of Saxony, and who in the area of whoever asks is in it now."""
        who = request.user
        today = berlin_day(clock())
        times = await step_times(records, database, today, who.sees)
        return Listing(items=times, next=None)

    @get("/board")
    async def board_list(
        request: Asked, *, waiting_for: FromQuery[str | None] = None, step: FromQuery[Step | None] = None,
        police_directorate: FromQuery[str | None] = None, cursor: FromQuery[str | None] = None, limit: Limit = 50,
    ) -> Listing[Waiting]:  # fmt: skip
        """What comes next in the area of whoever asks, longest first; waiting for a party, or for any of its kind."""
        narrowed = {"police_directorate": police_directorate} if police_directorate else {}

        def wanted(row: Waiting) -> bool:
            return (step is None or row.step is step) and (waiting_for is None or row.waits_for(waiting_for))

        page = await board(
            records, database, {"$and": [own_municipalities(request.user), narrowed]}, berlin_day(clock()), wanted,
            after=cursor_place(cursor), limit=limit,
        )  # fmt: skip
        return listing(page)

    return [alliance, steps, board_list]
