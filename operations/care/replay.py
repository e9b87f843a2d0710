"""Publish again what a stream has lost, from the rows of its publisher: the same events, under the same ids."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import nats
from nats.errors import TimeoutError as NothingCame
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DeliverPolicy, StreamInfo
from nats.js.errors import NotFoundError

from operations.services import named, publishers
from shared.kernel.errors import NotFound, Refused
from shared.nats.streams import stream_name
from shared.outbox.continuity import note_stream
from shared.runtime.service import Service
from shared.store.rows import EVENTS

BATCH = 500
ANSWERS_WITHIN_SECONDS = 5.0
STANDS_STILL_SECONDS = 15.0
"""So long nothing moves before we say that the service does not seem to run."""

Report = Callable[[str, int, int], None]
"""Callback with the current activity, the number done and the total."""


class NotReplayed(Refused):
    """A stream that cannot be mended by publishing; nothing was changed, and the message says what to do."""

    code = "not_replayed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Replayed:
    """The result of replaying one service's events."""

    events: int
    """Number of events that the service has stored."""
    missing: int
    """Of these, were published once, and are not in the stream: now to be published again."""


def replayable(services: Sequence[Service], name: str) -> list[Service]:
    """The services whose events can be published again: all, or the one of this name; raises NotFound."""
    chosen = [named(services, name)] if name else services
    with_events = [service for service in chosen if service.name in publishers()]
    if not with_events:
        raise NotFound(f"{name} has no events; these have: {', '.join(publishers())}")
    return with_events


async def replay(service: Service, nats_url: str, report: Report = lambda *_: None) -> Replayed:
    """Flag events missing in the stream, so that the relay publishes them; raises NotReplayed before any change."""
    # A lost connection ends this, because NATS may come back as another one.
    client = await nats.connect(nats_url, name="asskomm-replay", allow_reconnect=False)
    try:
        js = client.jetstream()
        await _stream(js, service)
        await service.lease.seize()
        try:
            there = await _ids(js, await _stream(js, service), service, report)
            events, missing = await _missing(service, there)
            await _flag(service, missing, report)
            # Only now: after an earlier crash, the relay would still hold back, and this could be run again.
            await note_stream(service.database, await _stream(js, service))
        finally:
            await service.lease.release()
    finally:
        await client.close()
    return Replayed(events=events, missing=len(missing))


async def until_published(service: Service, report: Report = lambda *_: None) -> None:
    """Wait until the service's relay has published all flagged rows; raises TimeoutError without progress."""
    rows = service.database[EVENTS]
    last = await rows.find_one({"unpublished": True}, {"_id": 1}, sort=[("_id", -1)])
    waiting = {"unpublished": True, "_id": {"$lte": last["_id"] if last else ""}}
    total = left = await rows.count_documents(waiting)
    moved, took = time.monotonic(), 0.0
    while left:
        report(f"{service.name} publishes", total - left, total)
        # Counting a hundred thousand rows takes MongoDB as long as publishing some hundred of them.
        await asyncio.sleep(max(0.1, 10 * took))
        asked = time.monotonic()
        before, left = left, await rows.count_documents(waiting)
        took = time.monotonic() - asked
        moved = time.monotonic() if left != before else moved
        if time.monotonic() - moved > STANDS_STILL_SECONDS:
            raise TimeoutError(
                f"{service.name} has published nothing for {STANDS_STILL_SECONDS:.0f} s, {left} events wait: does it "
                "run? It publishes them as soon as it does; `asskomm status` shows how many wait"
            )


async def _stream(js: JetStreamContext, service: Service) -> StreamInfo:
    name = stream_name(service.name)
    try:
        return await js.stream_info(name)
    except NotFoundError as error:
        raise NotReplayed(f"there is no stream {name}: first run `asskomm setup`") from error


async def _ids(js: JetStreamContext, stream: StreamInfo, service: Service, report: Report) -> set[str]:
    """The ids of all events in the stream, read without their bodies."""
    name, total = stream.config.name, stream.state.messages
    config = ConsumerConfig(deliver_policy=DeliverPolicy.ALL, headers_only=True)
    reading = await js.subscribe(f"{service.name}.>", stream=name, ordered_consumer=True, config=config)
    ids = set()
    try:
        for done in range(total):
            message = await reading.next_msg(timeout=ANSWERS_WITHIN_SECONDS)
            ids.add((message.headers or {}).get("Nats-Msg-Id", ""))
            if done % BATCH == 0:
                await _hold(service)
                report(f"reading {name}", done, total)
    except NothingCame as error:
        raise TimeoutError(f"stream {name} stopped at {len(ids)} of {total} events: try again") from error
    finally:
        await reading.unsubscribe()
    return ids


async def _missing(service: Service, there: set[str]) -> tuple[int, list[str]]:
    """Return the number of rows, and the ids of published ones missing in the stream, in order."""
    events, missing, subject, lost = 0, list[str](), "", 0
    rows = service.database[EVENTS].find({}, {"subject": 1, "version": 1, "unpublished": 1})
    async for row in rows.sort([("subject", 1), ("version", 1)]):
        if events % BATCH == 0:
            await _hold(service)
        events += 1
        if row["subject"] != subject:
            subject, lost = row["subject"], 0
        if row["_id"] not in there:
            lost = lost or row["version"]
            if not row.get("unpublished"):
                missing.append(row["_id"])
        elif lost:
            raise NotReplayed(_hole(service, subject, lost, row["version"]))
    return events, missing


def _hole(service: Service, subject: str, lost: int, later: int) -> str:
    return (
        f"stream {stream_name(service.name)} has event {later} of {subject} and has lost event {lost}, which would now "
        "come after it; nothing was changed. The stream has to be filled again: stop NATS, delete its data, start it, "
        "run `asskomm setup`, then `asskomm replay`"
    )


async def _flag(service: Service, missing: list[str], report: Report) -> None:
    for done in range(0, len(missing), BATCH):
        await _hold(service)
        report(f"flagging events of {service.name}", done, len(missing))
        ids = {"_id": {"$in": missing[done : done + BATCH]}}
        await service.database[EVENTS].update_many(ids, {"$set": {"unpublished": True}})


async def _hold(service: Service) -> None:
    """Keep relays from publishing meanwhile."""
    if not await service.lease.held():
        raise TimeoutError("another process has taken over the background work meanwhile: run it again")
