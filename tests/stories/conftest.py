"""A world of processes, for stories in which some of them die."""

from collections.abc import AsyncIterator

import pytest

from operations.embedded.servers import EmbeddedServers
from tests.stories.processes import World


@pytest.fixture(scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Dedicated servers and services, all running, with the alliance of January 2023 loaded."""
    with EmbeddedServers(tmp_path_factory.mktemp("world")) as servers:
        world = World(servers)
        try:
            await world.open()
            world.start()
            await world.system.quiet()
            yield world
        finally:
            await world.close()
