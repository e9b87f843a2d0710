"""The caller, cause and expected version of a request."""

import hashlib
import re
from typing import Any, TypeAlias

import structlog
from litestar import Request

from shared.kernel.cause import Cause
from shared.kernel.clock import Clock
from shared.kernel.errors import Invalid
from shared.web.rights import Actor

Asked: TypeAlias = Request[Actor, Any, Any]
"""A request of somebody whose token was checked."""

_KEY = re.compile(r"[!-~]{1,200}")


async def request_cause(request: Asked, clock: Clock) -> Cause:
    """Return the cause of a change that is requested; an Idempotency-Key makes it take effect only once."""
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
    """Return the version in an `If-Match` header; raises Invalid if it is not the form of our `ETag`s."""
    if if_match is None or if_match == "*":
        return None
    if not re.fullmatch(r'"\d{1,9}"', if_match):
        raise Invalid(f'If-Match {if_match} is not an ETag of ours, such as "3"')
    return int(if_match.strip('"'))
