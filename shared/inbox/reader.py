"""Reading a durable many messages at a time, and in order all the same.

A stream hands messages out to whoever asks. What went to a process that died or froze, or was lost on the way, comes
again when ACK_WAIT_SECONDS have passed: behind what came after it. So only the holder of the lease asks, and it reads
in runs. The stream numbers what it hands out, and within a run each number follows the one before: nothing is missing.
Where a number is missing the run is over. The next one begins when all that was handed out before is acknowledged, or
due to come again; that must come first then, all of it, and is put in order. This holds even where two processes take
themselves for the holder; the lease only keeps them from interrupting each other.
"""

import asyncio
import time
from typing import Final

import msgspec
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.js.api import ConsumerInfo

from shared.inbox.inbox import Inbox
from shared.nats.connection import Broker
from shared.nats.streams import ACK_WAIT_SECONDS, WINDOW
from shared.store.lease import Lease
from shared.store.mongo import OUTAGES

LOOK_SECONDS = 0.2
"""How often it is looked whether a run still goes on."""

SETTLED_SECONDS = 1.25 * ACK_WAIT_SECONDS
"""What nothing was heard of for so long is due to come again."""

EXPIRES_SECONDS = 2 * ACK_WAIT_SECONDS
"""How long the stream may take to hand out what it was asked for, before it says that there is no more."""

LATE_SECONDS = 2.0
"""How much later than it should a message may come."""

NO_MORE: Final = "408"

log = structlog.get_logger()


class Reader:
    """Reads one durable into an inbox whenever this process holds the lease."""

    def __init__(self, broker: Broker, lease: Lease, inbox: Inbox) -> None:
        self._broker, self._lease, self._inbox = broker, lease, inbox

    async def run(self) -> None:
        """Read run after run, until cancelled."""
        while True:
            await self._broker.in_place.wait()
            try:
                if await self._lease.held():
                    await self._read_run()
            except (NatsError, *OUTAGES) as error:
                log.warning("reading waits", stream=self._inbox.durable.stream, error=repr(error))
            await asyncio.sleep(LOOK_SECONDS)

    async def _read_run(self) -> None:
        """Read until something is missing, the connection was another one, or another process holds the lease."""
        await self._inbox.finish()
        connection = self._broker.connections
        if (before := await self._settled()) is None:
            return
        await self._inbox.look_up_parked()
        run = _Run(self._broker.client, self._inbox, self._lease, before)
        await run.begin()
        try:
            while await self._lease.held() and run.goes_on and self._broker.connections == connection:
                await self._inbox.say_in_progress()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            await run.end()

    async def _settled(self) -> ConsumerInfo | None:
        """How the durable stands once all it handed out is acknowledged or due to come again; None without lease."""
        js, durable = self._broker.client.jetstream(), self._inbox.durable
        last, since = -1, 0.0
        while await self._lease.held():
            info: ConsumerInfo = await js.consumer_info(durable.stream, durable.service)
            if (number := _last_number(info)) != last:
                last, since = number, time.monotonic()
            if not info.num_ack_pending or time.monotonic() > since + SETTLED_SECONDS:
                return info
            await asyncio.sleep(LOOK_SECONDS)
        return None


class _Run:
    """Messages with none missing between them."""

    def __init__(self, client: Client, inbox: Inbox, lease: Lease, before: ConsumerInfo) -> None:
        self._client, self._inbox, self._lease = client, inbox, lease
        self._number = self._began_with = _last_number(before)
        self._due = before.num_ack_pending or 0
        """How many come again, before all others."""
        self._again: list[Msg] = []
        """Those of them that are there, until all are."""
        self._owed = 0
        """How many messages the stream was asked for and has not handed out yet."""
        self._unbroken = True
        self._began_at = self._heard_at = time.monotonic()
        self._answers = client.new_inbox()
        self._subscription: Subscription | None = None

    async def begin(self) -> None:
        """Ask for messages."""
        self._subscription = await self._client.subscribe(self._answers, cb=self._arrived)
        await self._ask()

    async def end(self) -> None:
        """Ask for no more: what comes all the same reaches nobody, and comes again."""
        log.info(
            "run is over",
            stream=self._inbox.durable.stream,
            handed_out=self._number - self._began_with,
            unbroken=self._unbroken,
        )
        self._unbroken = False
        if self._subscription is not None and not self._client.is_closed:
            await self._subscription.unsubscribe()

    @property
    def goes_on(self) -> bool:
        """Whether nothing is missing, as far as can be seen."""
        now = time.monotonic()
        silent = now > self._heard_at + EXPIRES_SECONDS + LATE_SECONDS
        late = len(self._again) < self._due and now > self._began_at + LATE_SECONDS
        return self._unbroken and not silent and not late

    async def _arrived(self, message: Msg) -> None:
        self._heard_at = time.monotonic()
        if not message.reply:
            self._ended(message.headers or {})
        elif self._unbroken and self._follows(message):
            self._take(message)
        else:
            self._unbroken = False
        if self._unbroken and self._owed <= WINDOW // 2:
            await self._ask()

    def _follows(self, message: Msg) -> bool:
        """Whether it is the next one; what comes while somebody else may hold the lease is left to them."""
        metadata = message.metadata
        comes_again = len(self._again) == self._due or (metadata.num_delivered or 1) > 1
        return self._lease.is_sure and comes_again and metadata.sequence.consumer == self._number + 1

    def _take(self, message: Msg) -> None:
        self._number += 1
        self._owed -= 1
        if len(self._again) == self._due:
            self._inbox.take(message)
            return
        self._again.append(message)
        if len(self._again) == self._due:
            for one in sorted(self._again, key=lambda one: one.metadata.sequence.stream):
                self._inbox.take(one)

    def _ended(self, headers: dict[str, str]) -> None:
        """The stream has nothing more for a request; or whatever else it says: then the run is over."""
        if headers.get("Status") == NO_MORE:
            self._owed -= int(headers.get("Nats-Pending-Messages", "0"))
        else:
            self._unbroken = False

    async def _ask(self) -> None:
        wanted = WINDOW - self._owed
        self._owed += wanted
        durable = self._inbox.durable
        await self._client.publish(
            f"$JS.API.CONSUMER.MSG.NEXT.{durable.stream}.{durable.service}",
            msgspec.json.encode({"batch": wanted, "expires": int(EXPIRES_SECONDS * 1e9)}),
            reply=self._answers,
        )


def _last_number(info: ConsumerInfo) -> int:
    """The number of the last message that was handed out."""
    return info.delivered.consumer_seq if info.delivered else 0
