"""The final state, read with bare drivers: documents, streams and the mailbox."""

import asyncio
import email
import email.policy
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nats
import pymongo
from nats.js.api import ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from tests.chaos.world import World

Document = dict[str, Any]
STREAMS = {"membership": "MEMBERSHIP", "purse": "PURSE"}


@dataclass(frozen=True)
class Told:
    """One message of a stream."""

    sequence: int
    address: str
    id: str
    subject: str
    version: int
    body: bytes
    history: bool


@dataclass(frozen=True)
class Letter:
    """One email as received by the mail server."""

    message_id: str
    to: str
    digest: str
    """SHA-256 of its bytes as sent."""


@dataclass(frozen=True)
class Evidence:
    """Everything visible from outside, at a moment when nothing moves."""

    databases: Mapping[str, Mapping[str, list[Document]]]
    """Documents by service and collection, in the order of writing."""
    streams: Mapping[str, list[Told]]
    """Messages by publisher."""
    durables: Mapping[tuple[str, str], list[str]]
    """The filter subjects of each durable, by service and publisher."""
    letters: list[Letter] = field(default_factory=list)

    def rows(self, service: str) -> list[Document]:
        """Return the event rows of a service."""
        return self.databases[service].get("events", [])


async def read(world: World) -> Evidence:
    """Read all evidence."""
    databases = await asyncio.to_thread(_databases, world.mongo_uri)
    client = await nats.connect(world.nats.url)
    try:
        js = client.jetstream()
        streams, durables = {}, {}
        for publisher, stream in STREAMS.items():
            try:
                info = await js.stream_info(stream)
            except NotFoundError:
                continue
            streams[publisher] = await _messages(js, stream, info.state.messages)
            for consumer in await js.consumers_info(stream):
                if name := consumer.config.durable_name:
                    single = consumer.config.filter_subject
                    durables[name, publisher] = consumer.config.filter_subjects or ([single] if single else [])
    finally:
        await client.close()
    return Evidence(databases, streams, durables, letters(world.mail.maildir))


def _databases(uri: str) -> dict[str, dict[str, list[Document]]]:
    with pymongo.MongoClient[Document](uri, tz_aware=True, timeoutMS=20_000) as client:
        return {
            service: {name: list(client[service][name].find().sort("$natural", 1)) for name in collections}
            for service in ("membership", "notifications", "purse")
            if (collections := client[service].list_collection_names())
        }


async def _messages(js: nats.js.JetStreamContext, stream: str, expected: int) -> list[Told]:
    found: list[Told] = []
    if not expected:
        return found
    config = ConsumerConfig(deliver_policy=DeliverPolicy.ALL)
    subscription = await js.subscribe(">", stream=stream, ordered_consumer=True, config=config)
    while len(found) < expected:
        message = await subscription.next_msg(timeout=10)
        headers = message.headers or {}
        found.append(
            Told(
                sequence=message.metadata.sequence.stream,
                address=message.subject,
                id=headers.get("ce-id", ""),
                subject=headers.get("ce-subject", ""),
                version=int(headers.get("ce-aggregateversion", "0")),
                body=message.data,
                history=headers.get("ce-history") == "true",
            )
        )
    await subscription.unsubscribe()
    return found


_read: dict[Path, Letter] = {}


def letters(maildir: Path) -> list[Letter]:
    """Return every email of the mailbox; files never change, so each is read once."""
    return [_letter(path) for folder in ("new", "cur") for path in sorted((maildir / folder).glob("*.sink*"))]


def _letter(path: Path) -> Letter:
    if path not in _read:
        content = path.read_bytes()
        # The sink has prepended two lines of its own.
        envelope_to, _, rest = content.partition(b"\r\n")
        sent = rest.partition(b"\r\n")[2]
        head = email.message_from_bytes(sent.partition(b"\r\n\r\n")[0], policy=email.policy.default)
        _read[path] = Letter(
            message_id=str(head["Message-ID"]).strip(),
            to=envelope_to.partition(b": ")[2].decode(),
            digest=hashlib.sha256(sent).hexdigest(),
        )
    return _read[path]


def fact(told: Told) -> Any:
    """Return the event in a message, or None if it is not valid JSON."""
    try:
        return json.loads(told.body)
    except (ValueError, RecursionError):
        return None
