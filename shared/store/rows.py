"""The events collection: outbox, audit log and source of a rebuild in one.

A row is written in the transaction of its change, and never deleted. It carries the `unpublished` flag until the stream
has acknowledged it (`shared.outbox.relay`).
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from shared.kernel.cause import Cause
from shared.kernel.chain import link
from shared.kernel.cloudevents import Envelope, schema_uri
from shared.kernel.event import Event
from shared.kernel.ids import new_id
from shared.store.mongo import Database, Document

EVENTS = "events"


def event_rows(events: Sequence[Event], subject: str, *, before: Document, cause: Cause) -> list[Document]:
    """Build the rows of new events; versions, ids and hashes continue those the aggregate had `before`."""
    rows: list[Document] = []
    id, hash = before["head"], before["chain"]
    for version, event in enumerate(events, start=before["version"] + 1):
        id = new_id(after=id)
        row: Document = {
            "_id": id,
            "type": event.type,
            "subject": subject,
            "version": version,
            "at": cause.at,
            "actor": cause.actor,
            "cause": cause.id,
            "trace": cause.trace,
            "history": cause.history,
            "data": msgspec.to_builtins(event),
        }
        hash = link(hash, row)
        rows.append(row | {"hash": hash, "unpublished": True})
    return rows


def row_envelope(row: Document, public_url: str = "") -> Envelope:
    """Build the envelope of a row, byte for byte the same each time; its schema is found below `public_url`."""
    return Envelope(
        id=row["_id"],
        publisher=row["type"].partition(".")[0],
        type=row["type"],
        subject=row["subject"],
        time=row["at"],
        version=row["version"],
        actor=row["actor"],
        cause=row["cause"],
        trace=row["trace"],
        history=row["history"],
        schema=schema_uri(public_url, row["type"]),
        # MongoDB returns large integers as a subclass of int, which msgspec rejects.
        body=msgspec.json.encode(row["data"], enc_hook=int),
    )


async def history(database: Database, subject: str) -> list[dict[str, Any]]:
    """Read the events of an aggregate, oldest first, each with its actor, time, cause and hash."""
    found = database[EVENTS].find({"subject": subject}, {"unpublished": 0}).sort("version")
    return [{"id": row.pop("_id"), **row} async for row in found]
