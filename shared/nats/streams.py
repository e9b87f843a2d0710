"""Streams and durable consumers: their configuration, and the one step that applies it.

The set-up step owns them. Services compare at start and refuse to run on a difference, because a changed configuration
of an existing durable would otherwise be ignored without a word.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    ReplayPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import NotFoundError

DUPLICATE_WINDOW_SECONDS = 600.0
"""Period in which the server drops duplicates; after it the inbox of each subscriber does."""

STREAM_MAX_BYTES = 2 * 1024**3
MESSAGE_MAX_BYTES = 256 * 1024
ACK_WAIT_SECONDS = 2.0
"""Time until an unacknowledged message is redelivered; work in progress extends it."""

WINDOW = 512
"""Maximum number of messages that a service processes at once."""


class Mismatch(Exception):  # noqa: N818 -- named after its cause
    """A stream or durable is missing or misconfigured; the message names the remedy."""


@dataclass(frozen=True)
class Durable:
    """One service's place in one publisher's stream, filtered to the types that it reacts to, in every version."""

    service: str
    publisher: str
    types: frozenset[str]

    @property
    def stream(self) -> str:
        """The name of the publisher's stream."""
        return stream_name(self.publisher)

    @property
    def config(self) -> ConsumerConfig:
        """Deliver many messages at a time to one reader, which keeps their order; never give up, because we park."""
        return ConsumerConfig(
            durable_name=self.service,
            deliver_policy=DeliverPolicy.ALL,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT_SECONDS,
            max_deliver=-1,
            max_ack_pending=WINDOW,
            replay_policy=ReplayPolicy.INSTANT,
            filter_subjects=sorted(f"{type.rpartition('.')[0]}.*.*" for type in self.types),
        )


def stream_name(publisher: str) -> str:
    """The stream of a publisher: `MEMBERSHIP` for membership."""
    return publisher.upper()


def stream_config(publisher: str) -> StreamConfig:
    """Keep every event of the publisher; a full stream refuses new ones, so the outbox waits and nothing is lost."""
    return StreamConfig(
        name=stream_name(publisher),
        subjects=[f"{publisher}.>"],
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.NEW,
        max_age=0,
        max_msgs=-1,
        max_bytes=STREAM_MAX_BYTES,
        max_msg_size=MESSAGE_MAX_BYTES,
        max_consumers=-1,
        duplicate_window=DUPLICATE_WINDOW_SECONDS,
        deny_delete=True,
        deny_purge=True,
        num_replicas=1,
        # Several events at once, all or none: `shared.nats.publishing`.
        allow_atomic=True,
    )


async def set_up_streams(js: JetStreamContext, publishers: Iterable[str], durables: Iterable[Durable]) -> None:
    """Create or update every stream, then every durable; idempotent."""
    for publisher in publishers:
        wanted = stream_config(publisher)
        try:
            await js.stream_info(stream_name(publisher))
        except NotFoundError:
            await js.add_stream(wanted)
        else:
            await js.update_stream(wanted)
    for durable in durables:
        # The server creates the consumer or, where it exists, updates it.
        await js.add_consumer(durable.stream, durable.config)


async def check_durable(js: JetStreamContext, durable: Durable) -> None:
    """Raise Mismatch unless the durable is there, just as this version of the service needs it."""
    mend = "run `asskomm setup`"
    try:
        found = (await js.consumer_info(durable.stream, durable.service)).config
    except NotFoundError as error:
        raise Mismatch(f"durable {durable.service} on stream {durable.stream} is missing; {mend}") from error
    # The server answers with one filter in the singular, and with several in an order of its own.
    filters = sorted(found.filter_subjects or [found.filter_subject or ""])
    comparable = replace(found, filter_subjects=filters)
    for name in ("ack_policy", "ack_wait", "max_deliver", "max_ack_pending", "filter_subjects"):
        is_so, should_be = getattr(comparable, name), getattr(durable.config, name)
        if is_so != should_be:
            raise Mismatch(f"durable {durable.service} on {durable.stream} has {name} {is_so}, not {should_be}; {mend}")
