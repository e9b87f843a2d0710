"""The relay: whatever happens, the stream gets what was committed, in order."""

import functools
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import rule
from pymongo.errors import PyMongoError

from shared.kernel.cloudevents import Envelope
from shared.kernel.decision import Decision
from shared.kernel.errors import Stale, Taken
from shared.nats.streams import DUPLICATE_WINDOW_SECONDS
from shared.outbox.relay import Relay
from shared.store.mongo import Database
from shared.store.repository import Repository
from shared.store.rows import EVENTS
from shared.store.store import Store
from tests.models.driver import Connected
from tests.models.schedule import REPLICAS, Held, Schedule
from tests.models.wire import Wire


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """A number went up."""

    type: ClassVar[str] = "model.counted.v1"

    to: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Count:
    """A number that goes up."""

    id: str
    value: int = 0

    def up(self, times: int) -> Decision["Count"]:
        values = range(self.value + 1, self.value + times + 1)
        return replace(self, value=values[-1]), [Counted(to=value) for value in values]


class Stream:
    """The stream of NATS: keeps what is published, and drops what comes twice within the window."""

    def __init__(self, wire: Wire, is_committed: Callable[[str], bool]) -> None:
        self._wire, self._is_committed = wire, is_committed
        self.stored: list[Envelope] = []
        self.acknowledged: set[str] = set()
        """Ids of which the relay has heard that they are stored."""
        self._stored_at: dict[str, float] = {}

    async def publish(self, envelope: Envelope) -> None:
        if "nats" in self._wire.away:
            raise ConnectionError("not connected to nats")
        name = f"publish {envelope.subject} {envelope.version}"
        await self._wire.ask("nats", name, lambda: self._store(envelope), lambda: TimeoutError("not acknowledged"))
        self.acknowledged.add(envelope.id)

    async def publish_batch(self, envelopes: Sequence[Envelope]) -> None:
        if "nats" in self._wire.away:
            raise ConnectionError("not connected to nats")
        name = f"publish {', '.join(f'{one.subject} {one.version}' for one in envelopes)}"
        await self._wire.ask("nats", name, lambda: self._store_all(envelopes), lambda: TimeoutError("not acknowledged"))
        self.acknowledged |= {one.id for one in envelopes}

    async def whole(self) -> bool:
        """It never loses anything."""
        return True

    async def note(self) -> None:
        """There is nothing to remember of a stream that loses nothing."""

    def _store(self, envelope: Envelope) -> None:
        assert self._is_committed(envelope.id), "nothing is published before it is committed"
        if not self._comes_again(envelope):
            self.stored.append(envelope)
            self._stored_at[envelope.id] = self._wire.now

    def _store_all(self, envelopes: Sequence[Envelope]) -> None:
        if any(map(self._comes_again, envelopes)):
            raise RuntimeError("atomic publish batch contains duplicate message id")
        for envelope in envelopes:
            self._store(envelope)

    def _comes_again(self, envelope: Envelope) -> bool:
        since = self._wire.now - self._stored_at.get(envelope.id, -DUPLICATE_WINDOW_SECONDS)
        return since < DUPLICATE_WINDOW_SECONDS

    @property
    def order(self) -> dict[str, list[int]]:
        """The versions of each aggregate as they first came."""
        found: dict[str, list[int]] = defaultdict(list)
        for envelope in self.stored:
            if envelope.version not in found[envelope.subject]:
                found[envelope.subject].append(envelope.version)
        return found


class Publishing(Schedule):
    """Replicas that commit events, and publish them."""

    def __init__(self, relay: type[Relay] = Relay) -> None:
        self._relay = relay
        self.counts: dict[int, Repository[Count]] = {}
        super().__init__()
        # So few that what comes beyond is met, too.
        for name, few in (("BATCH", 3), ("TOGETHER", 3), ("SWEPT", 7), ("REMEMBERED", 2)):
            self.instead.setattr(f"shared.outbox.relay.{name}", few)

    @functools.cached_property
    def stream(self) -> Stream:
        """The one stream of all replicas."""
        return Stream(self.wire, self._is_committed)

    def jobs(self, replica: int) -> list[Callable[[], Awaitable[None]]]:
        database: Database = Connected(self.mongo)
        relay = self._relay(database, self.stream, Held(database, lambda: replica in self.holders))
        self.counts[replica] = Repository(Store(database, on_commit=relay.enqueue), "counts", Count)
        return [relay.run]

    @rule(replica=st.integers(0, REPLICAS - 1), subject=st.sampled_from("abc"), times=st.integers(1, 3))
    def commit(self, replica: int, subject: str, times: int) -> None:
        """A request comes in, and takes as long as the schedule wants."""
        counts = self.counts[replica]

        async def request() -> None:
            step = counts.changing(subject, lambda count: count.up(times), new=Count(id=subject))
            with suppress(Stale, Taken, PyMongoError):
                await counts.store.commit(self.cause(), step)

        self.wire.start(self.processes[replica], request)

    @rule(away=st.booleans())
    def nats_goes_or_comes(self, away: bool) -> None:
        (self.wire.away.add if away else self.wire.away.discard)("nats")

    @rule()
    def window_passes(self) -> None:
        self.wait(DUPLICATE_WINDOW_SECONDS)

    def _is_committed(self, event: str) -> bool:
        return event in self.mongo.stored[EVENTS]

    def check(self) -> None:
        for subject, versions in self.stream.order.items():
            assert versions == list(range(1, len(versions) + 1)), f"{subject} is in order, without gaps"
        for row in self.mongo.all(EVENTS):
            assert "unpublished" in row or row["_id"] in self.stream.acknowledged, "the flag stays until acknowledged"
        contents = {(one.id, one.body) for one in self.stream.stored}
        assert len(contents) == len({id for id, _ in contents}), "what is published again is the same again"

    def check_healed(self) -> None:
        rows = self.mongo.all(EVENTS)
        assert not [row for row in rows if "unpublished" in row], "everything is acknowledged in the end"
        assert {row["_id"] for row in rows} == {one.id for one in self.stream.stored}, "and it is there"
        for one in self.mongo.all("counts"):
            assert self.stream.order[one["_id"]][-1] == one["value"] == one["version"]
