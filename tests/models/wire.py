"""Processes, and the wire between them and their servers: nothing is answered, and no time passes, but when told so.

Each request to a server waits here. Whoever writes the schedule picks one, and lets it be answered, lost on its way
there, lost on its way back, or arrive when nobody waits for it any more.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar, cast

T = TypeVar("T")

ANSWER_SECONDS = 0.01
"""How long each answer takes."""


class Died(BaseException):
    """This process is no more; nothing that it does from now on reaches a server."""


class NotYet(Exception):  # noqa: N818 -- never leaves this module
    """The server has no answer yet: the request goes on waiting."""


class Fate(Enum):
    """What becomes of a request."""

    ANSWERED = "it is done and answered"
    LOST = "it is never done"
    UNANSWERED = "it is done, but the answer is lost"
    LATE = "it is done once nobody waits for it any more"


@dataclass(eq=False)
class Request:
    """What a process has asked a server, and waits for."""

    process: "Process"
    server: str
    name: str
    do: Callable[[], Any]
    lost: Callable[[], BaseException | None]
    """What the process is told when there is no answer; None where it never waits for one."""
    answer: asyncio.Future[Any]


@dataclass(eq=False)
class Process:
    """All that has no other memory than its own; `clock_ahead` are the seconds by which its clock is wrong."""

    name: str
    clock_ahead: float = 0.0
    dead: bool = False
    tasks: list["asyncio.Task[Any]"] = field(default_factory=list)


_current: ContextVar[Process] = ContextVar("process")


class _Loop(asyncio.BaseEventLoop):
    """Runs until everybody waits; its time passes when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._selector = self
        self.set_exception_handler(lambda *_: None)
        self.set_task_factory(cast("Any", _listed))

    def time(self) -> float:
        return self.now

    def select(self, timeout: float | None) -> Sequence[Any]:
        """In place of waiting for sockets: there are none."""
        if timeout is None or timeout > 0:
            self.stop()
        return ()

    def _process_events(self, events: Sequence[Any]) -> None: ...

    def _write_to_self(self) -> None: ...


def _listed(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T], **how: Any) -> "asyncio.Task[T]":
    task = asyncio.Task(work, loop=loop, **how)
    if process := _current.get(None):
        process.tasks.append(task)
    return task


class Wire:
    """All requests that wait, in the order in which they were made."""

    def __init__(self) -> None:
        self._loop = _Loop()
        self._processes: list[Process] = []
        self.requests: list[Request] = []
        self.late: list[Request] = []
        """Those that may still be done, though nobody waits for them."""
        self.away: set[str] = set()
        """Servers that nothing reaches now."""
        self.failures: list[BaseException] = []
        """What ended a job that should go on for ever."""

    @property
    def now(self) -> float:
        """Seconds since the beginning."""
        return self._loop.now

    @property
    def clock_ahead(self) -> float:
        """By how many seconds the clock of the process that is at work now is wrong."""
        process = _current.get(None)
        return process.clock_ahead if process else 0.0

    async def ask(
        self, server: str, name: str, do: Callable[[], T], lost: Callable[[], BaseException | None] = lambda: None
    ) -> T:
        """Ask a server to do something; called by its double."""
        process = _current.get()
        if process.dead:
            raise Died
        request = Request(process, server, name, do, lost, self._loop.create_future())
        self.requests.append(request)
        try:
            return cast("T", await request.answer)
        finally:
            if request in self.requests:
                self.requests.remove(request)
                self.late.append(request)

    def start(self, process: Process, *jobs: Callable[[], Awaitable[Any]]) -> None:
        """Let a process do something, until it ends by itself or the process does."""
        if process not in self._processes:
            self._processes.append(process)
        for job in jobs:
            context = copy_context()
            context.run(_current.set, process)
            context.run(self._loop.create_task, self._do(process, job))
        self.settle()

    async def _do(self, process: Process, job: Callable[[], Awaitable[Any]]) -> None:
        try:
            await job()
        except BaseException as error:  # noqa: BLE001 -- whatever a process dies of
            if not process.dead and not isinstance(error, asyncio.CancelledError):
                self.failures.append(error)

    def answer(self, request: Request, fate: Fate = Fate.ANSWERED) -> bool:
        """Decide over a request; returns False when there is no answer to it yet."""
        if request not in self.requests:
            return False
        self.requests.remove(request)
        if request.server in self.away:
            fate = Fate.LOST
        try:
            result = request.do() if fate in {Fate.ANSWERED, Fate.UNANSWERED} else None
        except NotYet:
            self.requests.append(request)
            return False
        except AssertionError:
            raise
        except Exception as error:  # noqa: BLE001 -- the server says no, whoever asked is told
            request.answer.set_exception(error)
        else:
            self._tell(request, fate, result)
        self.wait(ANSWER_SECONDS)
        return True

    def _tell(self, request: Request, fate: Fate, result: Any) -> None:
        if fate is Fate.LATE:
            self.late.append(request)
        if fate is not Fate.ANSWERED and (error := request.lost()):
            request.answer.set_exception(error)
        else:
            request.answer.set_result(result)

    def arrive(self, request: Request) -> None:
        """Let the server do what nobody waits for any more."""
        self.late.remove(request)
        with suppress(Exception):
            request.do()

    def crash(self, process: Process, *, arrives: bool) -> None:
        """End a process; what it has asked for last still arrives, or does not."""
        process.dead = True
        for request in [one for one in self.requests if one.process is process]:
            self.requests.remove(request)
            if arrives:
                with suppress(Exception):
                    request.do()
        for task in process.tasks:
            task.cancel()
        self.settle()
        assert all(task.done() for task in process.tasks), "the dead do not go on"

    def stop(self, process: Process) -> None:
        """Ask a process to come to an end by itself."""
        for task in process.tasks[:1]:
            task.cancel()
        self.settle()

    def wait(self, seconds: float) -> None:
        """Let time pass, in one leap; who wanted to be woken meanwhile wakes late."""
        self._loop.now += seconds
        self.settle()

    def settle(self) -> None:
        """Go on until everybody waits for an answer or for the time."""
        self._loop.run_forever()

    def close(self) -> None:
        """End all that is still there."""
        for process in self._processes:
            self.crash(process, arrives=False)
        self._loop.close()
