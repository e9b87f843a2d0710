"""The seam to FastStream; these tests notice if a new version of it behaves differently."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, ClassVar, cast

import msgspec
import pytest
from faststream import BaseMiddleware
from faststream.nats import NatsBroker, TestNatsBroker

from shared.inbox.pipeline import Pipeline, ReactionMiddleware, Swallowed, Unknown
from shared.inbox.reactions import Reactions
from shared.kernel.cause import Cause
from shared.kernel.clock import system_clock
from shared.kernel.cloudevents import Envelope, Malformed
from shared.kernel.errors import NotFound, Refused, Taken
from shared.kernel.ids import new_id, new_trace
from shared.kernel.value import value
from shared.store.store import Store


@value
class PageWritten:
    type: ClassVar[str] = "authors.page_written.v1"
    page: int


class Refusals:
    """A store that keeps the causes of refused events."""

    def __init__(self) -> None:
        self.causes: list[Cause] = []

    async def commit(self, cause: Cause) -> list[Any]:
        self.causes.append(cause)
        return []


class Bookworm:
    """A service that reads pages; some make it raise."""

    def __init__(self, *middlewares: Any) -> None:
        self.read: list[tuple[PageWritten, Cause]] = []
        self.refusals = Refusals()
        self.raises: Exception | None = None
        self.reactions = Reactions("authors")
        self.reactions.to(PageWritten)(self._read)
        self.broker = NatsBroker(logger=None, apply_types=False, middlewares=cast("Sequence[Any]", middlewares))
        self.broker.add_middleware(ReactionMiddleware("bookworm", cast("Store", self.refusals), system_clock))
        self.pipeline = Pipeline(self.broker, self.reactions)

    async def _read(self, event: PageWritten, cause: Cause) -> None:
        if self.raises:
            raise self.raises
        self.read.append((event, cause))

    async def hand(self, event: Envelope) -> None:
        await self.pipeline.start()
        await self.pipeline.run(event.address, event.headers(), event.body)


def page(type: str = PageWritten.type, body: bytes | None = None) -> Envelope:
    return Envelope(
        id=new_id(), publisher="authors", type=type, subject="novel", time=system_clock(), version=1, actor="author",
        cause="muse", trace=new_trace(), history=False, body=body or msgspec.json.encode(PageWritten(page=1)),
    )  # fmt: skip


async def test_a_message_is_handed_in_without_a_connection() -> None:
    bookworm, event = Bookworm(), page()
    await bookworm.hand(event)
    [(read, cause)] = bookworm.read
    assert read == PageWritten(page=1)
    assert (cause.actor, cause.id, cause.once, cause.trace) == (
        "service:bookworm", event.id, f"event:{event.id}", event.trace,
    )  # fmt: skip


async def test_nothing_is_subscribed_to_at_the_start() -> None:
    bookworm = Bookworm()
    await bookworm.pipeline.start()
    with pytest.raises(Exception, match=r"[Cc]onnect"):
        _ = bookworm.broker.config.connection_state.connection


@pytest.mark.parametrize("error", [ValueError("broken"), NotFound("there is no page"), Taken("there are two", {})])
async def test_an_exception_comes_out_again(error: Exception) -> None:
    bookworm = Bookworm()
    bookworm.raises = error
    with pytest.raises(type(error)):
        await bookworm.hand(page())
    assert bookworm.refusals.causes == []


async def test_a_refusal_is_the_effect_of_the_event() -> None:
    bookworm, event = Bookworm(), page()
    bookworm.raises = Refused("that is not how it goes")
    await bookworm.hand(event)
    assert [cause.once for cause in bookworm.refusals.causes] == [f"event:{event.id}"]


async def test_a_middleware_that_swallows_exceptions_is_noticed() -> None:
    class Swallowing(BaseMiddleware):
        async def consume_scope(self, call_next: Any, msg: Any) -> Any:
            with suppress(ValueError):
                return await call_next(msg)

    bookworm = Bookworm(Swallowing)
    bookworm.raises = ValueError("broken")
    with pytest.raises(Swallowed, match=r"authors.page_written.v1"):
        await bookworm.hand(page())


async def test_a_body_that_cannot_be_read_is_no_success() -> None:
    with pytest.raises(msgspec.ValidationError):
        await Bookworm().hand(page(body=b'{"page": "one"}'))


async def test_an_unknown_type_is_named_with_those_that_are_known() -> None:
    with pytest.raises(Unknown, match=r"authors.page_torn.v1; this service knows authors.page_written.v1"):
        await Bookworm().hand(page(type="authors.page_torn.v1"))


async def test_a_malformed_message_is_refused() -> None:
    bookworm, event = Bookworm(), page()
    await bookworm.pipeline.start()
    with pytest.raises(Malformed, match="is missing on"):
        await bookworm.pipeline.run(event.address, {}, event.body)


async def test_it_can_be_started_again_after_a_stop() -> None:
    bookworm = Bookworm()
    await bookworm.hand(page())
    for subscriber in bookworm.reactions.subscribers.values():
        await subscriber.stop()
    await bookworm.hand(page())
    assert len(bookworm.read) == 2


async def test_the_test_broker_of_faststream_reaches_the_reaction() -> None:
    bookworm, event = Bookworm(), page()
    async with TestNatsBroker(bookworm.broker) as broker:
        await broker.publish(event.body, event.address, headers=event.headers(), stream="AUTHORS")
    [(read, cause)] = bookworm.read
    assert (read, cause.id) == (PageWritten(page=1), event.id)


def test_a_type_has_one_reaction() -> None:
    reactions = Bookworm().reactions
    with pytest.raises(ValueError, match="has a reaction already"):
        reactions.to(PageWritten)
