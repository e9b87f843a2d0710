"""Each JetStream acknowledgement waits for a sync; with the default none does, so the count is meaningful."""

import pytest

from tests.chaos.power.cases import count
from tests.chaos.power.recording import why_not
from tests.chaos.power.subjects import Nats


@pytest.fixture(autouse=True)
def strace() -> None:
    if reason := why_not():
        pytest.skip(reason)


def test_each_publish_is_synced_before_it_is_acknowledged() -> None:
    found = count("sync_interval: always", Nats(sync_always=True))

    assert found.syncs is not None, found.note
    assert found.syncs >= found.acknowledged == 50


def test_by_default_hardly_any_publish_is_synced() -> None:
    found = count("default", Nats(sync_always=False))

    assert found.syncs is not None, found.note
    assert found.syncs < found.acknowledged == 50
