"""The connection to NATS comes back by itself, also after a refusal."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import nats
import pytest

from operations.embedded.servers import NatsServer
from shared.nats import connection as broker
from shared.nats.connection import Broker
from shared.nats.streams import Durable, set_up_streams
from shared.runtime.service import _for_ever
from tests.waiting import until

pytestmark = pytest.mark.servers

# nats-py leaves the socket of a refused attempt to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

DURABLE = Durable("larder", "kitchen", frozenset({"kitchen.jar_filled.v1"}))


class GuardedNats(NatsServer):
    """A nats-server that asks for a password."""

    password = "right"

    def _config(self) -> str:
        return f"{super()._config()}authorization {{ user: larder, password: {self.password} }}\n"

    def restart(self, password: str) -> None:
        self.kill()
        self.password = password
        self.start()

    async def refusals(self) -> int:
        return self.log_path.read_text().count("authentication error")


class Larder:
    """A broker at work."""

    def __init__(self, server: GuardedNats) -> None:
        self.server = server
        self.url = f"nats://larder:right@127.0.0.1:{server.port}"
        self.broker = Broker("larder", self.url)
        self.broker.nats._connection_kwargs["reconnect_time_wait"] = 0.05
        self.broker.watch(DURABLE)


@pytest.fixture
async def larder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Larder]:
    monkeypatch.setattr(broker, "PROBE_SECONDS", 0.1)
    server = GuardedNats(tmp_path)
    server.start()
    larder = Larder(server)
    client = await nats.connect(larder.url)
    await set_up_streams(client.jetstream(), ["kitchen"], [DURABLE])
    await client.close()
    running = asyncio.create_task(_for_ever(larder.broker.run))
    await until(larder.broker.ready, bool)
    yield larder
    running.cancel()
    await larder.broker.stop()
    server.destroy()


async def test_after_a_refusal_it_tries_on(larder: Larder) -> None:
    larder.server.restart("wrong")
    await until(larder.server.refusals, lambda count: count > 2)
    larder.server.restart("right")
    await until(larder.broker.ready, bool)
    assert (await larder.broker.client.jetstream().consumer_info("KITCHEN", "larder")).name == "larder"
