"""`asskomm events tail`: the events of a stream, one JSON object a line."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import nats
from nats.errors import TimeoutError as NothingCame
from nats.js.api import ConsumerConfig, DeliverPolicy

from shared.kernel.cloudevents import read_envelope
from shared.kernel.errors import Invalid
from shared.nats.streams import stream_name


async def tail(nats_url: str, subject: str, start: str, *, follow: bool, tell: Callable[[str], None]) -> None:
    """Tell every event that matches `subject`, from `start` on; ends at the last one unless it is to `follow`."""
    client = await nats.connect(nats_url, name="asskomm-tail", max_reconnect_attempts=1)
    try:
        reading = await client.jetstream().subscribe(
            subject, stream=stream_name(subject.partition(".")[0]), ordered_consumer=True, config=_from(start)
        )
        while True:
            try:
                message = await reading.next_msg(timeout=None if follow else 0.5)
            except NothingCame:
                return
            event = read_envelope(message.subject, message.headers or {}, message.data)
            tell(json.dumps({
                "id": event.id, "type": event.type, "subject": event.subject, "version": event.version,
                "time": event.time.isoformat(), "actor": event.actor, "cause": event.cause, "history": event.history,
                "data": json.loads(event.body),
            }, ensure_ascii=False))  # fmt: skip
    finally:
        await client.close()


def _from(start: str) -> ConsumerConfig:
    if start == "start":
        return ConsumerConfig(deliver_policy=DeliverPolicy.ALL)
    if start == "now":
        return ConsumerConfig(deliver_policy=DeliverPolicy.NEW)
    try:
        since = datetime.fromisoformat(start).astimezone(UTC)
    except ValueError as error:
        raise Invalid(f"--from {start} is neither start, now, nor a time such as 2023-01-27T10:00") from error
    return ConsumerConfig(deliver_policy=DeliverPolicy.BY_START_TIME, opt_start_time=since)
