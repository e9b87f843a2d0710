"""The real servers for the tests: one NATS, one MongoDB and one mail sink, started when the first test needs them."""

import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx
import hypothesis
import pytest

from operations.demo.accessions import DAY, Staff
from operations.demo.load import load
from operations.embedded.servers import EmbeddedServers
from operations.running.local import System, running_system
from shared.runtime.log import configure_logs
from tests.lifespan import in_a_task_of_its_own

hypothesis.settings.register_profile("few", max_examples=20)
# Thousands of collected tests are no garbage; looking for some among them takes a fifth of the time.
gc.set_threshold(100_000, 50, 100)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServers]:
    """NATS, MongoDB and the mail sink."""
    configure_logs("tests", "warning")
    with EmbeddedServers(tmp_path_factory.mktemp("servers"), enable_test_commands=True) as running:
        yield running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use the servers; run the longest first, so that no core is idle at the end."""
    for item in items:
        if "servers" in getattr(item, "fixturenames", ()):
            item.add_marker("servers")
    long = ("test_races", "test_outages", "test_cli", "test_rig")
    items.sort(key=lambda item: next((n for n, name in enumerate(long) if name in item.nodeid), len(long)))


def loaded_system(servers: EmbeddedServers) -> AbstractAsyncContextManager[System]:
    """All services on the day of the story, with the alliance of January 2023 loaded."""
    return in_a_task_of_its_own(_loaded_system(servers))


@asynccontextmanager
async def _loaded_system(servers: EmbeddedServers) -> AsyncIterator[System]:
    async with running_system(servers, as_of=DAY) as running:
        await load(running.environ)
        await running.quiet()
        yield running


@pytest.fixture(scope="session")
async def system(servers: EmbeddedServers) -> AsyncIterator[System]:
    """The system that most tests share, each with municipalities of its own."""
    async with loaded_system(servers) as running:
        yield running


@pytest.fixture(scope="session")
async def http(system: System) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the one port behind which all services answer."""
    async with httpx.AsyncClient(base_url=system.url, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def staff(system: System, http: httpx.AsyncClient) -> Staff:
    """The people of the story, and whoever else a test needs."""
    return Staff(http, system.settings.token_private_key)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder."""
    return tmp_path
