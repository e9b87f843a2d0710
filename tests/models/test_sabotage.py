"""Each model notices when somebody breaks what it watches over."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, cast

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase
from hypothesis.stateful import run_state_machine_as_test
from nats.aio.msg import Msg

from services.notifications.domain.deliveries import Delivery
from services.notifications.mailer import Mailer, Report
from services.notifications.mailer.connection import Connection
from shared.inbox.inbox import Inbox
from shared.inbox.parking import Parked, Parking
from shared.inbox.pipeline import Pipeline
from shared.inbox.reactions import Reactions
from shared.inbox.reader import _Run
from shared.outbox.relay import Relay
from shared.store.mongo import Document
from tests.models.inbox import Reacting
from tests.models.mail import Mailing
from tests.models.relay import Publishing
from tests.models.schedule import Schedule

UNTIL_FOUND = hypothesis.settings(
    max_examples=2000,
    stateful_step_count=30,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


class WalksByCursor(Relay):
    """Believes that ids are committed in their order."""

    _last = ""

    async def _rows(self, subjects: dict[str, list[str]], limit: int) -> AsyncGenerator[list[Document], None]:
        async for found in super()._rows(subjects, limit):
            rows = [row for row in found if row["_id"] > self._last]
            self._last = max([self._last, *(row["_id"] for row in rows)])
            yield rows


class RemovesFlagsFirst(Relay):
    """Takes a row for published before the stream has said so."""

    async def _publish_all(self, rows: list[Document]) -> list[str]:
        await super()._publish_all(rows)
        return [row["_id"] for row in rows]


class PublishesAtOnce(Relay):
    """Does not wait for one event of an aggregate before the next."""

    async def _publish_all(self, rows: list[Document]) -> list[str]:
        parts = await asyncio.gather(*(super(PublishesAtOnce, self)._publish_all([row]) for row in rows))
        return [id for part in parts for id in part]


class BelievesInItsQueue(Relay):
    """Publishes what its own process has committed, whatever others may have committed before."""

    def _following(self, rows: list[Document], _: dict[str, int]) -> list[Document]:
        return rows


class LooksAtNoFlag(Relay):
    """Takes it for enough that the row before is there."""

    async def _latest_versions(self, rows: list[Document]) -> dict[str, int]:
        return {row["subject"]: row["version"] - 1 for row in reversed(rows)}


class AcknowledgesFirst(Inbox):
    """Acknowledges a message, and reacts then."""

    def take(self, message: Msg) -> None:
        self._acknowledging = asyncio.create_task(message.ack())
        super().take(message)


class ReactsAtOnce(Inbox):
    """Does not wait for one event of an aggregate before the next."""

    def take(self, message: Msg) -> None:
        asked = Parked.of(message.subject, message.headers or {}, message.data, "model", 1)
        self._under_way = asyncio.create_task(self._until_dealt_with(asked))
        super().take(message)


class NeverHolds(Parking):
    """Lets later events of an aggregate overtake one that waits."""

    async def aggregates(self, publisher: str) -> set[str]:
        await super().aggregates(publisher)
        return set()

    async def holds(self, aggregate: str) -> bool:
        await super().holds(aggregate)
        return False


def careless_about_gaps() -> Reacting:
    """A reader that does not mind when a message is missing."""
    model = Reacting()
    model.instead.setattr("shared.inbox.reader._Run._follows", lambda *_: True)
    return model


def eager() -> Reacting:
    """A reader that does not wait for what was handed out before."""
    model = Reacting()
    begin: Callable[..., None] = _Run.__init__

    def careless(run: _Run, client: Any, inbox: Inbox, lease: Any, before: Any) -> None:
        begin(run, client, inbox, lease, before)
        run._due = 0

    model.instead.setattr("shared.inbox.reader._Run.__init__", careless)
    model.instead.setattr("shared.inbox.reader.SETTLED_SECONDS", -1)
    return model


class HoldsNobodyBack(Inbox):
    """Reacts to what comes, whatever waits."""

    def __init__(self, service: str, reactions: Reactions, pipeline: Pipeline, parking: Parking, *rest: Any) -> None:
        super().__init__(service, reactions, pipeline, NeverHolds(parking._database), *rest)


class GivesUp(Inbox):
    """Swallows what fails."""

    async def _try(self, parked: Parked) -> None:
        with suppress(RuntimeError):
            await self._pipeline.run(parked.address, parked.headers, parked.body)


class NamesEachAttempt(Mailer):
    """Sends a new Message-ID with each attempt."""

    async def _send(self, connection: Connection, delivery: Delivery) -> None:
        await super()._send(connection, replace(delivery, message_id=f"<{delivery.attempts}.{delivery.id}@z.example>"))


class TakesSilenceForNo(Mailer):
    """Believes that an email without an answer did not arrive."""

    async def _record(self, delivery: Delivery, outcome: Report) -> None:
        assert isinstance(outcome, partial)
        await super()._record(delivery, partial(outcome, unknown=False) if outcome.keywords.get("unknown") else outcome)


BROKEN: dict[Callable[[], Schedule], str] = {
    lambda: Publishing(WalksByCursor): "acknowledged in the end|in order",
    lambda: Publishing(RemovesFlagsFirst): "the flag stays",
    lambda: Publishing(PublishesAtOnce): "in order",
    lambda: Publishing(BelievesInItsQueue): "in order",
    lambda: Publishing(LooksAtNoFlag): "in order",
    lambda: Reacting(AcknowledgesFirst): "is lost|in order",
    lambda: Reacting(ReactsAtOnce): "in order",
    careless_about_gaps: "in order",
    eager: "in order",
    lambda: Reacting(HoldsNobodyBack): "in order",
    lambda: Reacting(GivesUp): "is lost",
    lambda: Reacting(forgetful=True): "each once",
    lambda: Mailing(NamesEachAttempt): "was taken|not stored",
    lambda: Mailing(TakesSilenceForNo, sent_is_final=False): "a second copy",
}


@pytest.mark.parametrize(("model", "says"), BROKEN.items(), ids=range(len(BROKEN)))
def test_a_model_notices(model: Callable[[], Schedule], says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        run_state_machine_as_test(cast("type[Schedule]", model), settings=UNTIL_FOUND)
