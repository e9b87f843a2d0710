"""A kitchen for the tests of what stores and publishes: empty at the beginning of each test."""

from collections.abc import AsyncIterator

import pytest

from operations.embedded.servers import EmbeddedServers
from shared.store.mongo import Database
from tests.shared.kitchen import Kitchen


@pytest.fixture(scope="session")
async def set_up_kitchen(servers: EmbeddedServers) -> AsyncIterator[Kitchen]:
    made = Kitchen(servers)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def kitchen(set_up_kitchen: Kitchen) -> Kitchen:
    """Jars in the real MongoDB, in a database that nobody else uses."""
    await set_up_kitchen.empty()
    return set_up_kitchen


@pytest.fixture
def database(kitchen: Kitchen) -> Database:
    """The kitchen's database, for tests that need no jars."""
    return kitchen.database
