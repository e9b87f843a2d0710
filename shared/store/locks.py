"""Per-key locks, and one query shared by concurrent callers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

K = TypeVar("K")
V = TypeVar("V")


class KeyedLocks:
    """Locks by key; each exists for as long as someone holds it or waits for it, in the order of asking."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, key: str) -> asyncio.Lock:
        """The lock of a key, for `async with`."""
        return self._locks.setdefault(key, asyncio.Lock())


class SharedQuery(Generic[K, V]):
    """One query for all callers that ask at the same time; no answer was read before its caller asked."""

    def __init__(self, read: Callable[[set[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._read = read
        self._wanted: set[K] = set()
        self._next: asyncio.Task[Mapping[K, V]] | None = None

    async def get(self, keys: set[K]) -> Mapping[K, V]:
        """The values of these keys, and possibly of others; raises what the query raises."""
        self._wanted |= keys
        if self._next is None:
            self._next = asyncio.create_task(self._read_wanted())
        # A caller may go away; the others still wait.
        return await asyncio.shield(self._next)

    async def _read_wanted(self) -> Mapping[K, V]:
        await asyncio.sleep(0)  # Callers that are about to ask do so now.
        wanted, self._wanted, self._next = self._wanted, set(), None
        return await self._read(wanted)
