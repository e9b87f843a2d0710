"""Waiting for each other by name, and reading for each other."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

K = TypeVar("K")
V = TypeVar("V")


class Turns:
    """Locks by name, each for as long as somebody has it or waits for it: one at a time, in the order of asking."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, name: str) -> asyncio.Lock:
        """The lock of this name, for `async with`."""
        return self._locks.setdefault(name, asyncio.Lock())


class Gathered(Generic[K, V]):
    """A query on behalf of all who ask at the same time; nobody is answered with what was read before it asked."""

    def __init__(self, read: Callable[[set[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._read = read
        self._wanted: set[K] = set()
        self._next: asyncio.Task[Mapping[K, V]] | None = None

    async def get(self, keys: set[K]) -> Mapping[K, V]:
        """What there is under these keys, and maybe under others; raises what the query raises."""
        self._wanted |= keys
        if self._next is None:
            self._next = asyncio.create_task(self._read_wanted())
        # Who asks may go away; the others still wait.
        return await asyncio.shield(self._next)

    async def _read_wanted(self) -> Mapping[K, V]:
        await asyncio.sleep(0)  # Who is about to ask does so now.
        wanted, self._wanted, self._next = self._wanted, set(), None
        return await self._read(wanted)
