"""The connection to NATS: publishing with acknowledgement, and a watch over the durables that a service reads."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog
from faststream.nats import NatsBroker
from nats.aio.client import Client, ErrorCallback

from shared.kernel.cloudevents import Envelope
from shared.nats.publishing import Publisher
from shared.nats.streams import Durable, Mismatch, check_durable

PROBE_SECONDS = 10.0
RETRY_SECONDS = 1.0
STOP_SECONDS = 5.0

log = structlog.get_logger()


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
        self.in_place = asyncio.Event()
        """Every durable was as this service needs it, when it was looked at last."""
        inbox = f"_INBOX_{service}"
        self.nats = _PatientBroker(
            url,
            name=f"asskomm-{service}",
            logger=None,
            graceful_timeout=STOP_SECONDS,
            inbox_prefix=inbox,
            # After a limited number of attempts nats-py would freeze the event loop.
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            ping_interval=10,
            max_outstanding_pings=2,
        )

    def watch(self, durable: Durable) -> None:
        """Look after a durable from now on: whether it is there, and as it should be."""
        self._durables.append(durable)

    async def run(self) -> None:
        """Connect, and watch over the durables, until cancelled."""
        self._client = await self.nats.connect()
        while True:
            await self._probe()
            await asyncio.sleep(PROBE_SECONDS if self.in_place.is_set() else RETRY_SECONDS)

    async def _probe(self) -> None:
        # A durable that was deleted is otherwise noticed by nobody: pings go well.
        try:
            for durable in self._durables:
                await check_durable(self.client.jetstream(), durable)
        except Mismatch as error:
            self.in_place.clear()
            log.error("durable not in place", error=str(error))  # noqa: TRY400 -- the message says it all
        except Exception as error:  # noqa: BLE001 -- NATS is away; the connection mends itself
            log.warning("durables not probed", error=repr(error))
        else:
            self.in_place.set()

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
        return self.in_place.is_set()

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
        """Send what is still to be sent, and disconnect."""
        # FastStream raises here while NATS is away; what is not acknowledged comes again in any case.
        with suppress(Exception):
            await asyncio.wait_for(self.nats.stop(), STOP_SECONDS + 1)
