"""Answers to requests that read or change one thing."""

from typing import TypeVar

from litestar import Response

T = TypeVar("T")


def created(state: T, path: str) -> Response[T]:
    """Return 201 with the state, and its `path` as Location."""
    return Response(state, status_code=201, headers={"Location": path})


def versioned(state: T, version: int) -> Response[T]:
    """Return a state with the ETag that a later `If-Match` refers to."""
    return Response(state, headers={"ETag": f'"{version}"'})
