"""Errors over HTTP: problem+json (RFC 9457) with a stable `code` and a message that names the values."""

from http import HTTPStatus
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from shared.kernel.errors import Invalid, KeyReused, NotAllowed, NotFound, Refused, Stale
from shared.store.mongo import OUTAGES
from shared.web.tokens import TokenRefused

STATUS: dict[type[Refused], HTTPStatus] = {
    Invalid: HTTPStatus.BAD_REQUEST,
    NotAllowed: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    KeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    Refused: HTTPStatus.CONFLICT,
}

log = structlog.get_logger()

Asked = Request[Any, Any, Any]


def problem(status: int, code: str, detail: str, headers: dict[str, str] | None = None, **more: Any) -> Response[Any]:
    """Return one problem; `code` is for programs, `detail` for people."""
    content = {
        "type": f"urn:asskomm:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        **more,
    }
    return Response(content, status_code=status, media_type="application/problem+json", headers=headers)


def _refused(_: Asked, refusal: Refused) -> Response[Any]:
    status = next(STATUS[kind] for kind in type(refusal).__mro__ if kind in STATUS)
    return problem(status, refusal.code, str(refusal))


def _stale(_: Asked, error: Stale) -> Response[Any]:
    return problem(412, error.code, str(error))


def _token_refused(_: Asked, error: TokenRefused) -> Response[Any]:
    log.info("token refused", reason=str(error))
    return problem(401, "token_refused", f"a valid bearer token is needed: {error}", {"WWW-Authenticate": "Bearer"})


def _unreadable(_: Asked, error: ValidationException) -> Response[Any]:
    wrong = [{"field": fault.get("key", ""), "message": fault["message"]} for fault in error.extra or []]  # type: ignore[union-attr, index]
    said = "; ".join(f"{fault['field']}: {fault['message']}".removeprefix(": ") for fault in wrong) or error.detail
    return problem(400, "invalid_request", said, errors=wrong)


def _http(_: Asked, error: HTTPException) -> Response[Any]:
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_").replace("-", "_")
    return problem(error.status_code, code, error.detail, dict(error.headers or {}))


def _away(_: Asked, error: Exception) -> Response[Any]:
    log.error("mongodb is away", error=repr(error))
    return problem(
        503, "unavailable", "the database cannot be reached; send the same request again", {"Retry-After": "2"}
    )


def _too_deep(_: Asked, __: RecursionError) -> Response[Any]:
    return problem(400, "invalid_request", "the body is nested too deeply")


def _no_text(_: Asked, __: UnicodeDecodeError) -> Response[Any]:
    return problem(400, "bad_request", "the body is not UTF-8")


def _unexpected(_: Asked, error: Exception) -> Response[Any]:
    log.error("request failed", exc_info=error)
    return problem(500, "internal_error", "this is our fault; it has been recorded")


HANDLERS: ExceptionHandlersMap = {
    Refused: _refused,
    Stale: _stale,
    TokenRefused: _token_refused,
    ValidationException: _unreadable,
    HTTPException: _http,
    RecursionError: _too_deep,
    UnicodeDecodeError: _no_text,
    **dict.fromkeys(OUTAGES, _away),
    Exception: _unexpected,
}
