"""The route that serves the JSON Schemas of a service's events, at the URI that `ce-dataschema` names."""

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from shared.events import all_events
from shared.events.schemas import schema
from shared.kernel.errors import NotFound

MEDIA_TYPE = "application/schema+json"


def schema_routes(publisher: str) -> list[ControllerRouterHandler]:
    """The route of a publisher, open to everybody; none for a service that publishes nothing."""
    published = {f"{event.type}.json": event for event in all_events() if event.type.startswith(f"{publisher}.")}

    @get(f"/{publisher}/v1/events/{{file:str}}", opt={"exclude_from_auth": True}, security=[{}])
    async def event_schema(file: FromPath[str]) -> Response[dict[str, object]]:
        """The JSON Schema of an event, such as `membership.member_joined.v1.json`; it needs no token."""
        if file not in published:
            raise NotFound(f"{publisher} publishes no event with the schema {file}")
        return Response(schema(published[file]), media_type=MEDIA_TYPE)

    return [event_schema] if published else []
