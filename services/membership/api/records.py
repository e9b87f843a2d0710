"""Who may ask what about security analyses and the templates of agreements, and record them."""

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from services.membership.api import bodies
from services.membership.api.rights import own_agreements
from services.membership.domain.analysis import SecurityAnalysis
from services.membership.domain.template import Template
from services.membership.use_cases import Records, Templates
from services.membership.use_cases import agreements as agreement_use_cases
from services.membership.use_cases import municipalities as use_cases
from shared.kernel.clock import Clock
from shared.kernel.errors import NotFound
from shared.web.auth import Role
from shared.web.frame import Asked, Limit, Listing, cursor_place, listing, request_cause


def record_routes(records: Records, clock: Clock) -> list[ControllerRouterHandler]:
    """The routes for security analyses and templates."""
    return [
        *_analysis_routes(records, clock),
        *_template_routes(records.templates, clock),
    ]


def _analysis_routes(records: Records, clock: Clock) -> list[ControllerRouterHandler]:
    analyses = records.analyses

    @get("/security-analyses")
    async def analysis_list(
        request: Asked, ags: FromQuery[str | None] = None, cursor: FromQuery[str | None] = None, limit: Limit = 50
    ) -> Listing[SecurityAnalysis]:
        """The security analyses in the area of whoever asks, by file number; of one municipality."""
        where = {"$and": [own_agreements(request.user), {"municipalities.ags": ags} if ags else {}]}
        return listing(await analyses.page(where, after=cursor_place(cursor), limit=limit))

    @get("/security-analyses/{id:str}")
    async def analysis(request: Asked, id: FromPath[str]) -> SecurityAnalysis:
        """One security analysis."""
        found = await analyses.get(id)
        if not any(request.user.sees(ref.ags, ref.police_directorate) for ref in found.municipalities):
            raise NotFound(f"there is no securityanalysis {id}")
        return found

    @post("/security-analyses")
    async def analysis_start(request: Asked, data: JSONBody[bodies.AnalysisStarted]) -> Response[SecurityAnalysis]:
        """The LPR starts a security analysis of one or several municipalities."""
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
        """The LPR records the results of a security analysis."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        finished = await use_cases.finish_analysis(
            analyses, id, data.finished_on, cause, respondents=data.respondents, summary=data.summary
        )
        return _created(finished)

    return [analysis_list, analysis, analysis_start, analysis_end]


def _template_routes(templates: Templates, clock: Clock) -> list[ControllerRouterHandler]:
    @get("/templates")
    async def template_list(cursor: FromQuery[str | None] = None, limit: Limit = 50) -> Listing[Template]:
        """The texts that agreements begin with, in all versions."""
        return listing(await templates.page({}, after=cursor_place(cursor), limit=limit))

    @get("/templates/{id:str}")
    async def template(id: FromPath[str]) -> Template:
        """One text, in all versions."""
        return await templates.get(id)

    @post("/templates/{id:str}/versions")
    async def template_version(
        request: Asked, id: FromPath[bodies.Name], data: JSONBody[bodies.TemplateText]
    ) -> Response[Template]:
        """The LPR publishes a text for agreements to come; the ones there are keep theirs."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        published = await agreement_use_cases.publish_template(templates, id, data.text, cause)
        return Response(published, status_code=201, headers={"Location": f"/membership/v1/templates/{id}"})

    return [template_list, template, template_version]


def _created(analysis: SecurityAnalysis) -> Response[SecurityAnalysis]:
    return Response(analysis, status_code=201, headers={"Location": f"/membership/v1/security-analyses/{analysis.id}"})
