"""Answers to requests that change something."""

from typing import TypeVar

from litestar import Response

T = TypeVar("T")


def created(state: T, path: str) -> Response[T]:
    """201 with the state, and its `path` as Location."""
    return Response(state, status_code=201, headers={"Location": path})
