from typing import Any

import pytest

from operations.running.local import System
from services.membership.api.rights import must_see
from services.membership.domain.municipality import Municipality
from shared.store.repository import Repository
from shared.store.store import Store
from shared.web.history import history_route
from shared.web.rights import Actor, Role, actor
from tests.shared.web.client import an_api

PATH = "/councils/{number:int}/towns/{ags:str}"
MAYOR = actor("amtsberg/rathaus", Role.MUNICIPALITY, "14521010")
STRANGER = actor("praeventionsrat", Role.COUNCIL, "KPR-2023-7QX4M2")


async def asked(system: System, who: Actor, ags: str = "14521010") -> dict[str, Any]:
    database = system.services[0].database
    towns = Repository(Store(database), "municipalities", Municipality, key="ags")
    async with an_api(history_route(PATH, towns, database, must_see), who=who) as http:
        found: dict[str, Any] = (await http.get(f"/councils/1/towns/{ags}/history")).json()
        return found


async def test_a_history_tells_what_happened_oldest_first(system: System) -> None:
    items = (await asked(system, MAYOR))["items"]
    assert items[0]["type"] == "membership.municipality_registered.v1"
    assert [row["version"] for row in items] == list(range(1, len(items) + 1))


@pytest.mark.parametrize(("who", "ags"), [(STRANGER, "14521010"), (MAYOR, "00000000")])
async def test_what_must_not_be_known_has_no_history(system: System, who: Actor, ags: str) -> None:
    assert (await asked(system, who, ags))["status"] == 404
