"""What may happen to any processes and servers at any time, as rules of a hypothesis state machine."""

import os
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import ClassVar

import hypothesis
import pytest
from hypothesis import HealthCheck
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from structlog.testing import capture_logs

from shared.kernel.cause import Cause
from shared.store.lease import Lease
from shared.store.mongo import Database
from tests.models.mongo import LIFETIME_SECONDS, Mongo
from tests.models.wire import ANSWER_SECONDS, Fate, Process, Wire

BEGINNING = datetime(2023, 1, 27, 10, 30, tzinfo=UTC)
REPLICAS = 2
PATIENCE = 1000
"""How many answers it may take until everybody waits for the time to pass."""

STANDSTILL_SECONDS = 31.0

ROUNDS_WITHOUT_CHANGE = 3
"""After which there is nothing more to come."""

EXAMPLES = os.environ.get("ASSKOMM_TEST_EXAMPLES")

patient = pytest.mark.timeout(3600 if EXAMPLES else 90)
"""Who looks for more, waits for it."""

number = st.integers(0, 99)
"""Picks one of however many there are."""


def settings(default: int) -> hypothesis.settings:
    """So many schedules, always the same; `ASSKOMM_TEST_EXAMPLES=5000` tries others, in another place each time."""
    return hypothesis.settings(
        max_examples=int(EXAMPLES or default),
        stateful_step_count=30,
        derandomize=EXAMPLES is None,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


class Held(Lease):
    """A lease that is held as the schedule says, also by two at a time, as for a moment when one of them is late."""

    def __init__(self, database: Database, holds: Callable[[], bool]) -> None:
        super().__init__(database)
        self._holds = holds

    async def held(self) -> bool:
        return self._holds()

    @property
    def is_sure(self) -> bool:
        return self._holds()


class Schedule(RuleBasedStateMachine):
    """Replicas of one service, a wire, and a MongoDB; what they do there is up to each model."""

    pauses: ClassVar[tuple[float, ...]] = (LIFETIME_SECONDS + 1,)
    """After so many seconds each whoever waits for something to be due goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.wire = Wire()
        self.mongo = Mongo(self.wire)
        self.holders = {0}
        self.sound = True
        self._counted = 0
        self._patched = ExitStack()
        self._patched.enter_context(capture_logs())
        self.instead = self._patched.enter_context(pytest.MonkeyPatch.context())
        self.instead.setattr("shared.store.rows.new_id", self.new_id)
        for module in ("shared.inbox.inbox", "shared.inbox.reader"):
            self.instead.setattr(f"{module}.time", SimpleNamespace(monotonic=lambda: self.wire.now))
        self.instead.setattr("shared.store.mongo.time", SimpleNamespace(monotonic=lambda: self.wire.now))
        self.instead.setattr("shared.store.mongo.PATIENCE_SECONDS", 20 * ANSWER_SECONDS)
        self.processes = [self.begin(replica) for replica in range(REPLICAS)]

    def begin(self, replica: int) -> Process:
        """Start a replica, whose clock is a little wrong."""
        process = Process(f"replica {replica}", clock_ahead=replica * 0.003)
        self.wire.start(process, *self.jobs(replica))
        return process

    def jobs(self, replica: int) -> list[Callable[[], Awaitable[None]]]:
        """What a replica does from its start on, with a memory of its own."""
        raise NotImplementedError

    def new_id(self, after: str = "") -> str:
        """An id as `shared.kernel.ids` makes it, without chance."""
        self._counted += 1
        made = f"{round(self.now.timestamp() * 1000):015}-{self._counted:06}"
        return made if made > after else f"{after}+"

    @property
    def now(self) -> datetime:
        """The time by the clock of whoever looks at it."""
        return BEGINNING + timedelta(milliseconds=round(1000 * (self.wire.now + self.wire.clock_ahead)))

    def cause(self, once: str | None = None) -> Cause:
        """Why something changes."""
        return Cause(actor="model", at=self.now, id=once or "request", trace="", once=once and f"event:{once}")

    @rule(picks=st.lists(number, max_size=20))
    def answer(self, picks: list[int]) -> None:
        for pick in picks:
            if self.wire.requests:
                self.wire.answer(self.wire.requests[pick % len(self.wire.requests)])

    @rule(late=st.sampled_from([None, None, *range(REPLICAS)]))
    def answer_all(self, late: int | None = None) -> None:
        """Until everybody waits for the time to pass, but for a replica that is late."""
        for _ in range(PATIENCE):
            waiting = [one for one in self.wire.requests if late is None or one.process is not self.processes[late]]
            if not any(map(self.wire.answer, waiting)):
                return
        raise AssertionError("it does not come to rest")

    @precondition(lambda self: self.wire.requests)
    @rule(pick=number, fate=st.sampled_from([Fate.LOST, Fate.UNANSWERED, Fate.LATE]))
    def fail(self, pick: int, fate: Fate) -> None:
        self.wire.answer(self.wire.requests[pick % len(self.wire.requests)], fate)

    @precondition(lambda self: self.wire.late)
    @rule(pick=number)
    def arrive(self, pick: int) -> None:
        self.wire.arrive(self.wire.late[pick % len(self.wire.late)])

    @rule(replica=st.integers(0, REPLICAS - 1), arrives=st.booleans())
    def crash(self, replica: int, arrives: bool) -> None:
        """A replica is killed, and started anew."""
        self.wire.crash(self.processes[replica], arrives=arrives)
        self.processes[replica] = self.begin(replica)

    @rule(seconds=st.sampled_from([0.3, 1.0, 5.0, 20.0]))
    def wait(self, seconds: float) -> None:
        self.wire.wait(seconds)

    @rule(late=st.integers(0, REPLICAS - 1))
    def stand_still(self, late: int) -> None:
        """A replica does nothing for longer than its lease and its claims last; another one takes over."""
        self.holders = set(range(REPLICAS)) - {late}
        self.wire.wait(STANDSTILL_SECONDS)
        self.answer_all(late=late)

    @rule(away=st.booleans())
    def mongodb_goes_or_comes(self, away: bool) -> None:
        (self.wire.away.add if away else self.wire.away.discard)("mongodb")

    @rule(holders=st.sampled_from([{0}, {1}, {0, 1}]))
    def lease_is_taken(self, holders: set[int]) -> None:
        self.holders = holders

    @invariant()
    def watch(self) -> None:
        self.sound = False
        assert not self.wire.failures, self.wire.failures
        self.check()
        self.sound = True

    def check(self) -> None:
        """What must be true at any time."""
        raise NotImplementedError

    def teardown(self) -> None:
        try:
            if self.sound:
                self.heal()
                self.watch()
                self.check_healed()
        finally:
            self.wire.close()
            self._patched.close()

    def heal(self) -> None:
        """All servers are there, one replica holds the lease, and what was left behind lapses."""
        self.wire.away.clear()
        self.wire.late.clear()
        self.holders = {0}
        still = 0
        for _ in range(PATIENCE):
            before = {name: dict(kept) for name, kept in self.mongo.stored.items()}
            for pause in self.pauses:
                self.wire.wait(pause)
                self.answer_all()
            still = still + 1 if before == self.mongo.stored else 0
            if still == ROUNDS_WITHOUT_CHANGE:
                return
        raise AssertionError("it does not come to an end")

    def check_healed(self) -> None:
        """What must be true once all servers have been there for long enough."""
        raise NotImplementedError
