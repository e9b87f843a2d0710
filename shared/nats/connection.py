"""The connection of a service to NATS, and a watch over the durables that it reads."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog
from faststream.nats import NatsBroker
from nats.aio.client import Client, ErrorCallback

from shared.kernel.cloudevents import Envelope
from shared.nats.publishing import publish, publish_batch
from shared.nats.streams import Durable, Mismatch, check_durable

PROBE_SECONDS = 10.0
RETRY_SECONDS = 1.0
STOP_SECONDS = 5.0

log = structlog.get_logger()


class _PatientBroker(NatsBroker):
    """FastStream's broker, which keeps trying after the server has refused us once.

    From 0.7.4 on FastStream raises in the task that reconnects (faststream #2981), and offers no public way to prevent
    it; nats-py alone keeps trying. tests/shared/nats/test_connection.py notices if this is no longer needed or enough.
    """

    def _log_connection_broken(self, error_cb: ErrorCallback | None = None) -> ErrorCallback:
        async def log_it(error: Exception) -> None:
            log.warning("nats connection broken", error=repr(error))

        return error_cb or log_it


class Broker:
    """One service's connection to NATS; connects and reconnects whenever NATS is available."""

    def __init__(self, service: str, url: str) -> None:
        self._service = service
        self._durables: list[Durable] = []
        self._client: Client | None = None
        self.in_place = asyncio.Event()
        """Every durable was as this service needs it when last probed."""
        self.nats = _PatientBroker(
            url,
            name=f"asskomm-{service}",
            logger=None,
            # Handlers take the event alone: nothing is injected, which would cost 170 µs a message.
            apply_types=False,
            graceful_timeout=STOP_SECONDS,
            inbox_prefix=f"_INBOX_{service}",
            # After a limited number of attempts nats-py would freeze the event loop.
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            ping_interval=10,
            max_outstanding_pings=2,
        )

    def watch(self, durable: Durable) -> None:
        """Watch a durable from now on: it must exist with the right configuration."""
        self._durables.append(durable)

    async def run(self) -> None:
        """Connect and watch the durables until cancelled."""
        self._client = await self.nats.connect()
        while True:
            await self._probe()
            await asyncio.sleep(PROBE_SECONDS if self.in_place.is_set() else RETRY_SECONDS)

    async def _probe(self) -> None:
        # A deleted durable goes unnoticed otherwise: pings succeed.
        try:
            for durable in self._durables:
                await check_durable(self.client.jetstream(), durable)
        except Mismatch as error:
            self.in_place.clear()
            log.error("durable not in place", error=str(error))  # noqa: TRY400 -- the message says it all
        except Exception as error:  # noqa: BLE001 -- NATS is away; the connection recovers by itself
            log.warning("durables not probed", error=repr(error))
        else:
            self.in_place.set()

    @property
    def client(self) -> Client:
        """The client of nats-py; raises ConnectionError before the first connection."""
        if self._client is None:
            raise ConnectionError("not connected to nats")
        return self._client

    @property
    def connected(self) -> bool:
        """The connection is up, to the knowledge of this side."""
        return self._client is not None and self._client.is_connected

    @property
    def connections(self) -> int:
        """The number of connections so far; it grows before anything can be sent over a new one."""
        return 0 if self._client is None else 1 + self._client.stats["reconnects"]

    async def ready(self) -> bool:
        """A message would get through now: a round trip succeeds and every durable is in place."""
        if not self.connected:
            return False
        try:
            await self.client.flush(timeout=2)
        except Exception:  # noqa: BLE001 -- any error means no
            return False
        return self.in_place.is_set()

    async def publish(self, envelope: Envelope) -> int:
        """Publish an event; returns its sequence once stored. After a timeout it may be stored: publish it again."""
        if not self.connected:
            raise ConnectionError("not connected to nats")
        return await publish(self.nats, envelope)

    async def publish_batch(self, envelopes: Sequence[Envelope]) -> int:
        """Publish all events or none; returns the sequence of the last one. After a timeout they may be stored."""
        if not self.connected:
            raise ConnectionError("not connected to nats")
        return await publish_batch(self.client, envelopes)

    async def stop(self) -> None:
        """Flush and disconnect."""
        # FastStream raises here while NATS is away; unacknowledged messages are redelivered anyway.
        with suppress(Exception):
            await asyncio.wait_for(self.nats.stop(), STOP_SECONDS + 1)
