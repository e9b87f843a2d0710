"""The set-up step on a database with much in it."""

import pytest

from operations.running.setup import set_up_database
from shared.runtime.service import Service
from shared.store import mongo
from tests.shared.failpoints import fail_command
from tests.shared.kitchen import Kitchen


async def test_an_index_may_take_longer_than_a_request(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(mongo._OPTIONS, "timeoutMS", 300)
    same = Service(kitchen.service.name, kitchen.service.settings)
    async with fail_command(kitchen.database, "createIndexes", blockConnection=True, blockTimeMS=600) as slow:
        await set_up_database(same)
        await slow()
