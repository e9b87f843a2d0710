"""A fixture whose context is entered and left by one task."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar

T = TypeVar("T")


@asynccontextmanager
async def in_a_task_of_its_own(context: AbstractAsyncContextManager[T]) -> AsyncIterator[T]:
    """Litestar wants to be stopped by the task that started it; pytest ends a fixture in another one."""
    ready: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    ended = asyncio.Event()

    async def run() -> None:
        async with context as entered:
            ready.set_result(entered)
            await ended.wait()

    task = asyncio.create_task(run())
    await asyncio.wait((task, ready), return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    yield ready.result()
    ended.set()
    await task
