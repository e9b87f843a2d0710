"""The frame of every HTTP API: tokens, causes, cursors, health, and one log line per request."""

import base64
import binascii
import hashlib
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any, Generic, TypeAlias, TypeVar, cast

import msgspec
import structlog
from litestar import Litestar, Request, Response, get
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.params import QueryParameter
from litestar.types import ASGIApp, ControllerRouterHandler, HTTPScope, Message, Receive, Scope, Send
from msgspec import Meta

from shared.kernel.cause import Cause
from shared.kernel.clock import Clock
from shared.kernel.errors import Invalid
from shared.kernel.ids import new_id, new_trace
from shared.store.repository import Page
from shared.web.problems import HANDLERS
from shared.web.rights import Actor
from shared.web.tokens import TokenRefused, Tokens

Asked: TypeAlias = Request[Actor, Any, Any]
T = TypeVar("T")

# No control characters and no line separators, also not at the end, where `$` alone would let one pass.
Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$(?!\n)")]
"""A line of text in a request."""
Limit = Annotated[int, QueryParameter(ge=1, le=200)]
"""How much of a list is asked for; as Meta within FromQuery, nobody would check it."""

BODY_MAX_BYTES = 64 * 1024
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_KEY = re.compile(r"[!-~]{1,200}")

log = structlog.get_logger()


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a request; a field that it does not name is refused."""


class Listing(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A part of a list; `next` is the cursor of the next part, null at the end."""

    items: list[T]
    next: str | None


def listing(page: Page[T]) -> Listing[T]:
    """A page as it is answered, with an opaque cursor."""
    cursor = base64.urlsafe_b64encode(page.next.encode()).decode() if page.next else None
    return Listing(items=page.items, next=cursor)


def cursor_place(cursor: str | None) -> str | None:
    """The id that a cursor stands for; raises Invalid when it is none of ours."""
    try:
        # Without `validate`, what is no base64 would be left out, and the list begin anew.
        return base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True).decode() if cursor else None
    except (binascii.Error, UnicodeError) as error:
        raise Invalid(f"cursor {cursor!r} is not one that a list answered as `next`") from error


async def request_cause(request: Asked, clock: Clock) -> Cause:
    """Why a request changes something; its Idempotency-Key, where it has one, makes it happen one time only."""
    who = request.user.subject
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise Invalid("Idempotency-Key must be 1 to 200 printable ASCII characters without spaces")
    context = structlog.contextvars.get_contextvars()
    return Cause(
        actor=who,
        at=clock(),
        id=context["request"],
        trace=context["trace"],
        once=f"request:{who}:{key}" if key else None,
        digest=await _digest(request) if key else "",
    )


async def _digest(request: Asked) -> str:
    what = f"{request.method} {request.url.path}?{request.url.query}\n".encode() + await request.body()
    return hashlib.sha256(what).hexdigest()


def expected_version(if_match: str | None) -> int | None:
    """The version in an `If-Match` header; raises Invalid when it is none that an `ETag` of ours showed."""
    if if_match is None or if_match == "*":
        return None
    if not re.fullmatch(r'"\d{1,9}"', if_match):
        raise Invalid(f'If-Match {if_match} is not an ETag of ours, such as "3"')
    return int(if_match.strip('"'))


def versioned(state: T, version: int) -> Response[T]:
    """A state with the ETag that a later `If-Match` refers to."""
    return Response(state, headers={"ETag": f'"{version}"'})


def application(
    service: str,
    routes: Sequence[ControllerRouterHandler],
    *,
    tokens: Tokens,
    ready: Callable[[], Awaitable[dict[str, bool]]],
    lifespan: Callable[[Litestar], AbstractAsyncContextManager[None]],
) -> Litestar:
    """A service's HTTP API: everything but its own routes, which all need a token unless they say otherwise."""

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
            # Not "/": below its path, Litestar answers what is not there with a page in HTML.
            path="/openapi.json",
            render_plugins=[JsonRenderPlugin(path="/")],
            components=Components(security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer")}),
            security=[{"bearer": []}],
        ),
        logging_config=None,
    )


async def _harden(message: Message, _: Scope) -> None:
    """Add the headers of every answer; as a hook, for middleware does not see what is answered in its stead."""
    if message["type"] == "http.response.start":
        message["headers"] = [
            *message["headers"],
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
        ]


class _Context(ASGIMiddleware):
    """Names each request for the logs, and writes one line when it is done."""

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
    """Lets in who shows a token of ours; a route is open only if it says so itself."""

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
