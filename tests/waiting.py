"""Waiting for what a test needs, with a limit."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

LIMIT_SECONDS = 30.0


async def until(look: Callable[[], Awaitable[T]], holds: Callable[[T], bool]) -> T:
    """Look until what is seen is so, and return it."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not holds(seen := await look()):
        assert time.monotonic() < deadline, f"still {seen!r} after {LIMIT_SECONDS:.0f} s"
        await asyncio.sleep(0.02)
    return seen
