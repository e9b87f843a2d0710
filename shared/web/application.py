"""The HTTP application of a service: its routes behind tokens, its health, and one log line per request."""

import re
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, cast

import structlog
from litestar import Litestar, Response, get
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ASGIApp, ControllerRouterHandler, HTTPScope, Message, Receive, Scope, Send

from shared.kernel.ids import new_id, new_trace
from shared.web.problems import HANDLERS
from shared.web.tokens import TokenRefused, Tokens

BODY_MAX_BYTES = 64 * 1024
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

log = structlog.get_logger()


def application(
    service: str,
    routes: Sequence[ControllerRouterHandler],
    *,
    tokens: Tokens,
    ready: Callable[[], Awaitable[dict[str, bool]]],
    lifespan: Callable[[Litestar], AbstractAsyncContextManager[None]],
) -> Litestar:
    """The application around a service's own routes; each route needs a token unless it opts out itself."""

    @get("/health/live", opt={"exclude_from_auth": True}, include_in_schema=False)
    async def live() -> dict[str, str]:
        return {"status": "ok"}

    @get("/health/ready", opt={"exclude_from_auth": True}, include_in_schema=False)
    async def readiness() -> Response[dict[str, Any]]:
        parts = await ready()
        ok = all(parts.values())
        return Response({"status": "ok" if ok else "not ready", **parts}, status_code=200 if ok else 503)

    return Litestar(
        [live, readiness, *routes],
        lifespan=[lifespan],
        middleware=[_Context(), _Authentication(tokens)],
        exception_handlers=HANDLERS,
        before_send=[_harden],
        request_max_body_size=BODY_MAX_BYTES,
        openapi_config=OpenAPIConfig(
            title=f"ASSKomm {service}",
            version="1",
            # Not "/": Litestar answers unknown paths below this one with a page in HTML.
            path="/openapi.json",
            render_plugins=[JsonRenderPlugin(path="/")],
            components=Components(security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer")}),
            security=[{"bearer": []}],
        ),
        logging_config=None,
    )


async def _harden(message: Message, _: Scope) -> None:
    """Add the headers of every answer, in a hook because middleware misses answers made before it runs."""
    if message["type"] == "http.response.start":
        message["headers"] = [
            *message["headers"],
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
        ]


class _Context(ASGIMiddleware):
    """Gives each request an id and a trace for the logs, and logs one line when it is done."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        started, status = time.perf_counter(), 0
        given = dict(scope["headers"]).get(b"traceparent", b"").decode("latin-1")
        trace = given if _TRACEPARENT.fullmatch(given) else new_trace()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=new_id(), trace=trace)

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"traceparent", trace.encode())]
            await send(message)

        await next_app(scope, receive, send_named)
        path, method = scope["path"], cast("HTTPScope", scope)["method"]
        if not path.startswith("/health/"):
            milliseconds = round((time.perf_counter() - started) * 1000, 1)
            log.info("request", method=method, path=path, status=status, milliseconds=milliseconds)


class _Authentication(ASGIMiddleware):
    """Refuses requests without a valid token, except for routes that opt out."""

    scopes = (ScopeType.HTTP,)
    exclude_opt_key = "exclude_from_auth"

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        scheme, _, token = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise TokenRefused("the header `Authorization: Bearer <token>` is missing")
        scope["user"] = self._tokens.actor(token.strip())
        await next_app(scope, receive, send)
