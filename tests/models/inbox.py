"""Inbox and parking: each event has its effect once, in order per aggregate, and a stuck one stops only its own."""

import functools
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import ClassVar, cast

import msgspec
from faststream.nats import NatsBroker
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from pymongo.errors import PyMongoError

from shared.inbox.inbox import Inbox
from shared.inbox.parking import PARKED, PAUSES, Parking, State
from shared.inbox.pipeline import Pipeline, ReactionMiddleware
from shared.inbox.reactions import Reactions
from shared.inbox.reader import Reader
from shared.kernel.cause import Cause
from shared.kernel.cloudevents import Envelope
from shared.kernel.decision import Decision
from shared.kernel.errors import NotFound, Refused
from shared.nats.connection import Broker
from shared.nats.streams import ACK_WAIT_SECONDS
from shared.store.repository import Repository
from shared.store.store import Store
from tests.models.consumer import Connection, Consumer
from tests.models.driver import Connected
from tests.models.schedule import REPLICAS, Held, Schedule, number

AGGREGATES = "ab"
ENOUGH = 30
"""So many events show what more would show."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """Something that a service reacts to."""

    type: ClassVar[str] = "model.told.v1"

    aggregate: str
    n: int
    refused: bool
    """A rule does not let it happen."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """What a service has heard of an aggregate, in the order in which it did."""

    id: str
    events: tuple[int, ...] = ()

    def hear(self, n: int) -> Decision["Heard"]:
        return replace(self, events=(*self.events, n)), []


@dataclass(frozen=True, kw_only=True, slots=True)
class Replica:
    """One process: its connection, and what operators decide on."""

    connection: Connection
    parking: Parking


class Reacting(Schedule):
    """Replicas that react to the events of a stream."""

    pauses = (PAUSES[-1].total_seconds() + 1, *[ACK_WAIT_SECONDS / 4] * 10)

    def __init__(self, inbox: type[Inbox] = Inbox, *, forgetful: bool = False) -> None:
        self._inbox, self._forgetful = inbox, forgetful
        self.replicas: dict[int, Replica] = {}
        self._connections = 0
        self.published: list[Envelope] = []
        self.broken: dict[str, int] = {}
        """How often the reaction still fails, by the event's id: before what it writes, or after it where negative."""
        self.refused: set[str] = set()
        """Events to which a rule has said no."""
        super().__init__()

    @functools.cached_property
    def consumer(self) -> Consumer:
        """The one durable of all replicas."""
        return Consumer(self.wire)

    def jobs(self, replica: int) -> list[Callable[[], Awaitable[None]]]:
        database = Connected(self.mongo)
        store = Store(database)
        heard = Repository(store, "heard", Heard)

        reactions = Reactions("model")

        @reactions.to(Told)
        async def react(event: Told, cause: Cause) -> None:
            await self._react(heard, event, cause)

        parking, broker = Parking(database), NatsBroker(logger=None, apply_types=False)
        broker.add_middleware(ReactionMiddleware("model", store, lambda: self.now))
        inbox = self._inbox("model", reactions, Pipeline(broker, reactions), parking, lambda: self.now)
        lease = Held(database, lambda: replica in self.holders)
        connection = self._connected(replica)
        self.replicas[replica] = Replica(connection=connection, parking=parking)
        reader = Reader(cast("Broker", connection), lease, inbox)
        return [inbox.start, reader.run, lambda: inbox.retry(lease)]

    def _connected(self, replica: int) -> Connection:
        """A new connection; who has died does not listen any more."""
        self._connections += 1
        if former := self.replicas.get(replica):
            former.connection.end()
        return Connection(self.consumer, f"{replica}-{self._connections}")

    async def _react(self, heard: Repository[Heard], fact: Told, cause: Cause) -> None:
        fails = self.broken.get(cause.id, 0)
        if fails > 0:
            self.broken[cause.id] -= 1
            raise RuntimeError("it is broken")
        if fact.refused:
            self.refused.add(cause.id)
            raise Refused("that is not how it goes")
        why = replace(cause, once=None) if self._forgetful else cause
        step = heard.changing(fact.aggregate, lambda known: known.hear(fact.n), new=Heard(id=fact.aggregate))
        await heard.store.commit(why, step)
        if fails < 0:
            self.broken[cause.id] += 1
            raise RuntimeError("it was done, and broke then")

    @rule(
        aggregate=st.sampled_from(AGGREGATES),
        refused=st.sampled_from([False, False, False, True]),
        fails=st.sampled_from([0, 0, 0, 1, 3, 99, -1]),
    )
    def publish(self, aggregate: str, refused: bool, fails: int) -> None:
        version = 1 + sum(one.subject == aggregate for one in self.published)
        fact = Told(aggregate=aggregate, n=version, refused=refused)
        envelope = Envelope(
            id=f"{aggregate}{version}",
            publisher="model",
            type=fact.type,
            subject=aggregate,
            time=self.now,
            version=version,
            actor="model",
            cause="request",
            trace=f"00-{1:032x}-{1:016x}-01",
            history=False,
            body=msgspec.json.encode(fact),
        )
        self.broken[envelope.id] = fails
        self.published.append(envelope)
        self.consumer.stored.append(envelope)

    @precondition(lambda self: len(self.published) < ENOUGH)
    @rule(aggregates=st.lists(st.sampled_from(AGGREGATES), min_size=2, max_size=4), lost=st.booleans())
    def publish_some(self, aggregates: list[str], lost: bool) -> None:
        """Several that nothing is the matter with; the first of them may be lost on the way, and nobody notices."""
        for aggregate in aggregates:
            self.publish(aggregate, refused=False, fails=0)
        if lost and (under_way := self.consumer.under_way):
            under_way[0].pop(0)

    @precondition(lambda self: len(self.published) < ENOUGH)
    @rule(aggregate=st.sampled_from(AGGREGATES))
    def others_follow_what_is_lost(self, aggregate: str) -> None:
        """While the lost ones are not due to come again, and all else goes well."""
        for lost in (True, False):
            self.publish_some([aggregate] * 2, lost=lost)
            self.all_goes_well(1)

    @rule(seconds=st.integers(1, 4))
    def all_goes_well(self, seconds: int) -> None:
        """For so long that whoever begins to read gets there."""
        for _ in range(4 * seconds):
            self.answer_all()
            self.wire.wait(0.25)

    @rule(replica=st.integers(0, REPLICAS - 1))
    def lose_connection(self, replica: int) -> None:
        """What is on its way to it is lost; it connects anew."""
        self.replicas[replica].connection.begin_anew()
        self.wire.settle()

    @precondition(lambda self: self.published)
    @rule(pick=number)
    def publish_again(self, pick: int) -> None:
        """The relay did not know that it was stored, and the window has passed."""
        self.consumer.stored.append(self.published[pick % len(self.published)])

    @rule()
    def mend(self) -> None:
        self.broken.clear()

    @precondition(lambda self: self.mongo.stored[PARKED])
    @rule(pick=number, drop=st.booleans(), replica=st.integers(0, REPLICAS - 1))
    def operators_decide(self, pick: int, drop: bool, replica: int) -> None:
        """They give up what is stuck, or have it tried again."""
        parked = [one["_id"] for one in self.mongo.all(PARKED) if one["state"] == State.STUCK]
        parking = self.replicas[replica].parking

        async def decide(id: str) -> None:
            with suppress(NotFound, PyMongoError):
                await (parking.drop(id, "operator", self.now) if drop else parking.retry(id, self.now))

        if parked:
            self.wire.start(self.processes[replica], lambda: decide(parked[pick % len(parked)]))

    @rule(pause=st.sampled_from([one.total_seconds() for one in PAUSES]))
    def pause_passes(self, pause: float) -> None:
        self.wait(pause)

    def check(self) -> None:
        for one in self.mongo.all("heard"):
            assert one["events"] == sorted(set(one["events"])), "each once, and in order"
        for event in self.consumer.acknowledged:
            assert self._is_settled(event), f"{event.id} was acknowledged, and is lost"

    def _is_settled(self, event: Envelope) -> bool:
        """Whether it is done, refused, or parked."""
        done = any(event.version in one["events"] for one in self.mongo.all("heard", _id=event.subject))
        return done or event.id in self.refused or event.id in self._parked()

    def _parked(self, *states: State) -> set[str]:
        """The ids of events that are parked, in one of these states, or in any."""
        parked = self.mongo.all(PARKED)
        return {one["headers"]["ce-id"] for one in parked if one["state"] in (states or tuple(State))}

    def check_healed(self) -> None:
        assert self.consumer.all_acknowledged, "nothing stays in the stream"
        for aggregate in AGGREGATES:
            self._is_done_up_to_the_stuck_one(aggregate)

    def _is_done_up_to_the_stuck_one(self, aggregate: str) -> None:
        events = [one for one in self.published if one.subject == aggregate]
        stuck, dropped = self._parked(State.STUCK), self._parked(State.DROPPED)
        end = next((place for place, one in enumerate(events) if one.id in stuck), len(events))
        heard = {n for one in self.mongo.all("heard", _id=aggregate) for n in one["events"]}
        due = [one for one in events[:end] if one.id not in self.refused | dropped and one.version not in heard]
        assert not due, f"all of {aggregate} has its effect but what is stuck, and behind it"
