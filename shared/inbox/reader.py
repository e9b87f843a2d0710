"""A reader that fetches many messages of a durable at a time and still keeps their order.

A stream delivers messages to anyone who asks. A message that was lost, or went to a process that died or froze, is
redelivered after ACK_WAIT_SECONDS, behind later ones. So only the holder of the lease asks, and it reads in runs. The
stream numbers its deliveries; within a run the numbers are consecutive, so nothing is missing. A gap ends the run. The
next one starts when all earlier deliveries are acknowledged or due for redelivery; the redelivered messages then come
first, all of them, and are sorted. This holds even if two processes both believe that they hold the lease; the lease
only keeps them from interrupting each other.
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
"""Interval between two checks of a run."""

SETTLED_SECONDS = 1.25 * ACK_WAIT_SECONDS
"""Silence after which all unacknowledged messages are due for redelivery."""

EXPIRES_SECONDS = 2 * ACK_WAIT_SECONDS
"""Time after which a request for messages expires in the stream."""

LATE_SECONDS = 2.0
"""Tolerated delay of a message."""

NO_MORE: Final = "408"

log = structlog.get_logger()


class Reader:
    """Reads one durable into an inbox whenever this process holds the lease."""

    def __init__(self, broker: Broker, lease: Lease, inbox: Inbox) -> None:
        self._broker, self._lease, self._inbox = broker, lease, inbox

    async def run(self) -> None:
        """Read run after run until cancelled."""
        while True:
            await self._broker.in_place.wait()
            try:
                if await self._lease.held():
                    await self._read_run()
            except (NatsError, *OUTAGES) as error:
                log.warning("reading waits", stream=self._inbox.durable.stream, error=repr(error))
            await asyncio.sleep(LOOK_SECONDS)

    async def _read_run(self) -> None:
        """Read until a message is missing, the connection has changed, or the lease is lost."""
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
        """Wait until all deliveries are acknowledged or due again; returns the durable's state, None without lease."""
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
    """A sequence of consecutive deliveries."""

    def __init__(self, client: Client, inbox: Inbox, lease: Lease, before: ConsumerInfo) -> None:
        self._client, self._inbox, self._lease = client, inbox, lease
        self._number = self._began_with = _last_number(before)
        self._due = before.num_ack_pending or 0
        """Number of messages to be redelivered before all others."""
        self._again: list[Msg] = []
        """Redelivered messages, held back until they are complete."""
        self._owed = 0
        """Number of messages requested from the stream and not delivered yet."""
        self._unbroken = True
        self._began_at = self._heard_at = time.monotonic()
        self._answers = client.new_inbox()
        self._subscription: Subscription | None = None

    async def begin(self) -> None:
        """Ask for messages."""
        self._subscription = await self._client.subscribe(self._answers, cb=self._arrived)
        await self._ask()

    async def end(self) -> None:
        """Stop reading; messages that still arrive are ignored and redelivered."""
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
        """True as long as no message is known to be missing or late."""
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
        """Return True for the next delivery, provided that nobody else can hold the lease."""
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
            for again in sorted(self._again, key=lambda again: again.metadata.sequence.stream):
                self._inbox.take(again)

    def _ended(self, headers: dict[str, str]) -> None:
        """Handle a status message: a request has expired; any other status ends the run."""
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
    """Return the number of the last delivery."""
    return info.delivered.consumer_seq if info.delivered else 0
