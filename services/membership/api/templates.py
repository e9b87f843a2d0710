"""HTTP routes for the templates of agreements, with their permissions."""

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from services.membership.api import bodies
from services.membership.domain.template import Template
from services.membership.records import Templates
from services.membership.use_cases import agreements as use_cases
from shared.kernel.clock import Clock
from shared.web.answers import created
from shared.web.fields import Name
from shared.web.paging import Limit, Listing, cursor_place, listing
from shared.web.problems import Asked
from shared.web.requests import request_cause
from shared.web.rights import Role


def template_routes(templates: Templates, clock: Clock) -> list[ControllerRouterHandler]:
    """The routes for templates."""

    @get("/templates")
    async def template_list(cursor: FromQuery[str | None] = None, limit: Limit = 50) -> Listing[Template]:
        """List the templates, each in all versions."""
        return listing(await templates.page({}, after=cursor_place(cursor), limit=limit))

    @get("/templates/{id:str}")
    async def template(id: FromPath[str]) -> Template:
        """Get one template in all versions."""
        return await templates.get(id)

    @post("/templates/{id:str}/versions")
    async def template_version(
        request: Asked, id: FromPath[Name], data: JSONBody[bodies.TemplateText]
    ) -> Response[Template]:
        """Publish a new version for new agreements; existing agreements keep their text. For the LPR."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        published = await use_cases.publish_template(templates, id, data.text, cause)
        return created(published, f"/membership/v1/templates/{id}")

    return [template_list, template, template_version]
