"""The connection to NATS: publishing with acknowledgement, and subscribing to a durable."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import structlog
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, NatsMessage, PullSub
from nats.aio.client import Client, ErrorCallback

from shared.cloudevents import Envelope
from shared.publisher import Publisher
from shared.streams import Durable, Mismatch, check_durable

PROBE_SECONDS = 10.0
STOP_SECONDS = 5.0

log = structlog.get_logger()

Receive = Callable[[NatsMessage], Awaitable[None]]


class _PatientBroker(NatsBroker):
    """FastStream raises in the task that reconnects when the server refuses us once: it would never try again.

    See faststream #2981; nats-py by itself tries on.
    """

    def _log_connection_broken(self, error_cb: ErrorCallback | None = None) -> ErrorCallback:
        async def log_it(error: Exception) -> None:
            log.warning("nats connection broken", error=repr(error))

        return error_cb or log_it


class Broker:
    """One service's connection to NATS; it comes up by itself, whenever NATS does, and comes back the same way."""

    def __init__(self, service: str, url: str) -> None:
        self._service = service
        self._durables: list[Durable] = []
        self._client: Client | None = None
        self._publisher = Publisher()
        self._in_place = False
        inbox = f"_INBOX_{service}"
        self._inbox_prefix = f"{inbox}.".encode()
        self.nats = _PatientBroker(
            url,
            name=f"asskomm-{service}",
            logger=None,
            # What it would look up for each message, in a thread, is the message.
            apply_types=False,
            # The default would drop a message whose reaction fails.
            ack_policy=AckPolicy.NACK_ON_ERROR,
            graceful_timeout=STOP_SECONDS,
            inbox_prefix=inbox,
            # After a limited number of attempts nats-py would freeze the event loop.
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            ping_interval=10,
            max_outstanding_pings=2,
        )

    def subscribe(self, durable: Durable, receive: Receive) -> None:
        """Hand every message of the durable to `receive`, one at a time."""
        self._durables.append(durable)
        self.nats.subscriber(
            durable=durable.service,
            config=durable.config,
            stream=JStream(durable.stream, declare=False),
            pull_sub=PullSub(batch_size=1, timeout=5),
            inbox_prefix=self._inbox_prefix,
            # Otherwise a forged `reply_to` makes us publish with our own rights.
            no_reply=True,
            decoder=_whole_message,
        )(receive)

    async def run(self) -> None:
        """Connect, subscribe once the durables are as they should be, and watch over them until cancelled."""
        self._client = await self.nats.connect()
        while not await self._probe():  # noqa: ASYNC110 -- NATS is asked; there is nothing here to wait for
            await asyncio.sleep(1)
        await self.nats.start()
        while True:
            await asyncio.sleep(PROBE_SECONDS)
            await self._probe()

    async def _probe(self) -> bool:
        # A durable that was deleted is otherwise noticed by nobody: its subscriber spins, and pings go well.
        try:
            for durable in self._durables:
                await check_durable(self.client.jetstream(), durable)
        except Mismatch as error:
            self._in_place = False
            log.error("durable not in place", error=str(error))  # noqa: TRY400 -- the message says it all
        except Exception as error:  # noqa: BLE001 -- NATS is away; the connection mends itself
            log.warning("durables not probed", error=repr(error))
            return False
        else:
            self._in_place = True
        return self._in_place

    @property
    def client(self) -> Client:
        """The connection of nats-py; raises ConnectionError before it stands for the first time."""
        if self._client is None:
            raise ConnectionError("not connected to nats")
        return self._client

    @property
    def connected(self) -> bool:
        """Whether the connection stands, as far as this side knows."""
        return self._client is not None and self._client.is_connected

    @property
    def connections(self) -> int:
        """How many connections there have been; it grows before anything can be sent over the next one."""
        return 0 if self._client is None else 1 + self._client.stats["reconnects"]

    async def ready(self) -> bool:
        """Whether a message would get through now: a round trip, and every durable in place."""
        if not self.connected:
            return False
        try:
            await self.client.flush(timeout=2)
        except Exception:  # noqa: BLE001 -- whatever it was, the answer is no
            return False
        return self._in_place

    async def publish(self, envelope: Envelope) -> int:
        """Publish an event; returns its place in the stream, once stored. A timeout means unknown: publish it again."""
        if not self.connected:
            raise ConnectionError("not connected to nats")
        return await self._publisher.publish(self.client, envelope)

    async def publish_together(self, envelopes: Sequence[Envelope]) -> int:
        """Publish all of them or none; returns the place of the last one. A timeout means unknown, as above."""
        if not self.connected:
            raise ConnectionError("not connected to nats")
        return await self._publisher.publish_together(self.client, envelopes)

    async def stop(self) -> None:
        """Let reactions under way finish, within a limit, and disconnect."""
        # FastStream raises here while NATS is away; unacknowledged messages come again in any case.
        with suppress(Exception):
            await asyncio.wait_for(self.nats.stop(), STOP_SECONDS + 1)


async def _whole_message(message: NatsMessage) -> NatsMessage:
    return message
