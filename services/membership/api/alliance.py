"""HTTP routes for the alliance as a whole: figures, durations of steps and the board of next steps."""

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
        """Show the duration of each step in all of Saxony, and the municipalities in it within the caller's area."""
        who = request.user
        today = berlin_day(clock())
        times = await step_times(records, database, today, who.sees)
        return Listing(items=times, next=None)

    @get("/board")
    async def board_list(
        request: Asked, *, waiting_for: FromQuery[str | None] = None, step: FromQuery[Step | None] = None,
        police_directorate: FromQuery[str | None] = None, cursor: FromQuery[str | None] = None, limit: Limit = 50,
    ) -> Listing[Waiting]:  # fmt: skip
        """List the next steps in the caller's area, longest wait first; optionally for one party or kind of party."""
        narrowed = {"police_directorate": police_directorate} if police_directorate else {}

        def wanted(row: Waiting) -> bool:
            return (step is None or row.step is step) and (waiting_for is None or row.waits_for(waiting_for))

        page = await board(
            records, database, {"$and": [own_municipalities(request.user), narrowed]}, berlin_day(clock()), wanted,
            after=cursor_place(cursor), limit=limit,
        )  # fmt: skip
        return listing(page)

    return [alliance, steps, board_list]
