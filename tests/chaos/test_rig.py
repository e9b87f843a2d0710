"""A short part of the rig, on real processes and servers; `make chaos` runs all of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chaos.faults import FAULTS
from tests.chaos.rig import Lane

SEED = 7
SHORT = (
    "calm",
    "crash.membership.relay.after_publish.1",
    "crash.notifications.inbox.before_ack.1",
    "crash.notifications.mailer.before_record.1",
)


@pytest.fixture(scope="module")
async def lane(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lane]:
    """One world for all faults in this module."""
    lane = Lane(tmp_path_factory.mktemp("chaos"), None)
    yield lane
    await lane.close()


@pytest.mark.parametrize("name", SHORT)
async def test_every_promise_holds(lane: Lane, name: str) -> None:
    result = await lane.run(FAULTS[name], SEED)
    assert (result.error, result.verdict.details) == ("", [])
    assert result.holds
    assert result.accepted >= 8


def test_every_point_of_the_code_is_passed_twice() -> None:
    code = [file.read_text() for folder in ("shared", "services") for file in Path(folder).rglob("*.py")]
    points = {text.partition('"')[0] for one in code for text in one.split('crashpoint("')[1:]}
    assert len(points) > 10
    for point in points:
        hits = {name.rpartition(".")[2] for name in FAULTS if f".{point}." in name}
        assert hits == {"1", "2"}, point
