"""HTTP routes for security analyses, with their permissions."""

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from services.membership.api import bodies
from services.membership.api.rights import own_agreements
from services.membership.domain.analysis import SecurityAnalysis
from services.membership.records import Records
from services.membership.use_cases import analyses as use_cases
from shared.kernel.clock import Clock
from shared.kernel.errors import NotFound
from shared.web.answers import created
from shared.web.paging import Limit, Listing, cursor_place, listing
from shared.web.problems import Asked
from shared.web.requests import request_cause
from shared.web.rights import Role


def analysis_routes(records: Records, clock: Clock) -> list[ControllerRouterHandler]:
    """The routes for security analyses."""
    analyses = records.analyses

    @get("/security-analyses")
    async def analysis_list(
        request: Asked, ags: FromQuery[str | None] = None, cursor: FromQuery[str | None] = None, limit: Limit = 50
    ) -> Listing[SecurityAnalysis]:
        """List the security analyses in the areas of the caller by file number, or those of one municipality."""
        where = {"$and": [own_agreements(request.user), {"municipalities.ags": ags} if ags else {}]}
        return listing(await analyses.page(where, after=cursor_place(cursor), limit=limit))

    @get("/security-analyses/{id:str}")
    async def analysis(request: Asked, id: FromPath[str]) -> SecurityAnalysis:
        """Get one security analysis."""
        found = await analyses.get(id)
        if not request.user.sees(*found.municipalities):
            raise NotFound.of("securityanalysis", id)
        return found

    @post("/security-analyses")
    async def analysis_start(request: Asked, data: JSONBody[bodies.AnalysisStarted]) -> Response[SecurityAnalysis]:
        """Start a security analysis of one or several municipalities. For the LPR."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        started = await use_cases.start_analysis(
            records, data.municipalities, data.started_on, cause, with_survey=data.with_survey, subject=data.subject
        )
        return _created(started)

    @post("/security-analyses/{id:str}/end")
    async def analysis_end(
        request: Asked, id: FromPath[str], data: JSONBody[bodies.AnalysisFinished]
    ) -> Response[SecurityAnalysis]:
        """Record the results of a security analysis. For the LPR."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        finished = await use_cases.finish_analysis(
            analyses, id, data.finished_on, cause, respondents=data.respondents, summary=data.summary
        )
        return _created(finished)

    return [analysis_list, analysis, analysis_start, analysis_end]


def _created(analysis: SecurityAnalysis) -> Response[SecurityAnalysis]:
    return created(analysis, f"/membership/v1/security-analyses/{analysis.id}")
