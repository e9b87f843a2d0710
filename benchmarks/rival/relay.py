"""The relay: polls the outbox and publishes events one after the other."""

import asyncio
import logging

from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import StorageType, StreamConfig
from pymongo.errors import PyMongoError

from benchmarks.rival.store import FILLED, STREAM, JarFilled, Store

POLL_SECONDS = 0.1
BATCH = 100

log = logging.getLogger(__name__)


async def set_up_stream(js: JetStreamContext) -> None:
    """Create the stream if it does not exist."""
    await js.add_stream(StreamConfig(name=STREAM, subjects=["rival.>"], storage=StorageType.FILE, duplicate_window=600))


async def relay(store: Store, js: JetStreamContext) -> None:
    """Publish until cancelled."""
    while True:
        try:
            while await publish_some(store, js) == BATCH:
                pass
        except (NatsError, PyMongoError):
            log.exception("not published, tried again")
        await asyncio.sleep(POLL_SECONDS)


async def publish_some(store: Store, js: JetStreamContext) -> int:
    """Publish the oldest unpublished events; return their number."""
    rows = await store.outbox.find({"published": False}).sort("_id").limit(BATCH).to_list(BATCH)
    for row in rows:
        event = JarFilled(id=str(row["_id"]), **{name: row[name] for name in ("jar", "amount", "version", "at")})
        await js.publish(
            f"{FILLED}.{event.jar}",
            event.model_dump_json().encode(),
            timeout=5,
            stream=STREAM,
            headers={"Nats-Msg-Id": event.id, "content-type": "application/json"},
        )
        await store.outbox.update_one({"_id": row["_id"]}, {"$set": {"published": True}})
    return len(rows)
