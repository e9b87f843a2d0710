"""The subscriber: one transaction per message."""

from collections.abc import Awaitable, Callable

from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, PullSub

from benchmarks.rival.store import FILLED, STREAM, JarFilled

DURABLE = "rival"
BATCH = 100


def connected(url: str, react: Callable[[JarFilled], Awaitable[object]]) -> NatsBroker:
    """Return a broker that passes each event to `react` once started, up to 100 at the same time."""
    broker = NatsBroker(url, logger=None, ack_policy=AckPolicy.NACK_ON_ERROR, max_reconnect_attempts=-1)

    @broker.subscriber(
        f"{FILLED}.*",
        stream=JStream(STREAM, declare=False),
        durable=DURABLE,
        pull_sub=PullSub(batch_size=BATCH),
        no_reply=True,
    )
    async def receive(event: JarFilled) -> None:
        await react(event)

    return broker
