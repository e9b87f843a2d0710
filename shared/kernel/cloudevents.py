"""CloudEvents 1.0 in binary mode, as version 1.0.3-wip of its NATS protocol binding defines it.

Attributes travel as `ce-` headers with percent-encoded values, the event itself is the JSON body. The released version
1.0.2 of the binding has no binary mode; see docs/decisions/0024.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, unquote

CONTENT_TYPE = "application/json"
SOURCE = "/asskomm/services/"

# All but printable ASCII, and of that space, quotation mark and percent sign.
_ENCODED = re.compile(r"[^!#$&-~]")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Malformed(Exception):  # noqa: N818 -- named after its cause
    """A message that is no event of ours; the text names the attribute that is missing or wrong."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """An event in transit: the attributes of its CloudEvent, our extensions, and the event itself as JSON."""

    id: str
    publisher: str
    type: str
    subject: str
    """The id of the aggregate."""
    time: datetime
    version: int
    """The aggregate's version after this event; 1, 2, 3 … without gaps."""
    actor: str
    cause: str
    trace: str
    """The W3C `traceparent` of the request or event that this one follows from; empty if there is none."""
    history: bool
    schema: str = ""
    """The URI of the JSON Schema of `body`, see `schema_uri`; empty if there is none."""
    body: bytes

    @property
    def address(self) -> str:
        """The NATS subject, so that `membership.*.*.14626480` follows one municipality."""
        return f"{self.type}.{self.subject}"

    def headers(self) -> dict[str, str]:
        """The headers of the message; `Nats-Msg-Id` lets the server drop an event that it has already stored."""
        headers = {
            "ce-specversion": "1.0",
            "ce-id": self.id,
            "ce-source": SOURCE + self.publisher,
            "ce-type": self.type,
            "ce-subject": encoded(self.subject),
            "ce-time": self.time.isoformat(),
            "ce-datacontenttype": CONTENT_TYPE,
            "ce-actor": encoded(self.actor),
            "ce-causationid": encoded(self.cause),
            "ce-aggregateversion": str(self.version),
            "ce-history": "true" if self.history else "false",
            "content-type": CONTENT_TYPE,
            "Nats-Msg-Id": self.id,
        }
        # An attribute is there or not, but never empty.
        if self.schema:
            headers["ce-dataschema"] = encoded(self.schema)
        if self.trace:
            # Tracing tools look for the second one; the binding allows it beside the attribute.
            headers["ce-traceparent"] = headers["traceparent"] = self.trace
        return headers


def schema_uri(public_url: str, type: str) -> str:
    """The absolute URI under which the publisher of an event serves its JSON Schema; empty without a `public_url`."""
    publisher = type.partition(".")[0]
    return f"{public_url.rstrip('/')}/{publisher}/v1/events/{type}.json" if public_url else ""


def encoded(value: str) -> str:
    """An attribute's value as the binding (3.1.3.2) puts it into a header."""
    return _ENCODED.sub(lambda found: quote(found[0], safe=""), value)


def decoded(value: str) -> str:
    """An attribute's value from a header; raises UnicodeDecodeError for bytes that are no UTF-8."""
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = _ESCAPED.sub(r"\1", value[1:-1])
    return unquote(value, errors="strict") if "%" in value else value


def read_envelope(address: str, headers: Mapping[str, str], body: bytes) -> Envelope:
    """The event in a message that arrived on the NATS subject `address`.

    Raises Malformed if an attribute is missing or contradicts the subject, which only its publisher may write to.
    """
    # Streams keep messages from before we named the content type: their values are not encoded.
    read = decoded if "ce-datacontenttype" in headers else str
    try:
        envelope = Envelope(
            id=read(headers["ce-id"]),
            publisher=read(headers["ce-type"]).partition(".")[0],
            type=read(headers["ce-type"]),
            subject=read(headers["ce-subject"]),
            time=datetime.fromisoformat(read(headers["ce-time"])),
            version=int(headers["ce-aggregateversion"]),
            actor=read(headers["ce-actor"]),
            cause=read(headers["ce-causationid"]),
            trace=read(headers.get("ce-traceparent") or headers.get("traceparent", "")),
            history=headers["ce-history"] == "true",
            schema=read(headers.get("ce-dataschema", "")),
            body=body,
        )
        specversion, source = headers["ce-specversion"], read(headers["ce-source"])
    except KeyError as error:
        raise Malformed(f"header {error} is missing on {address}") from error
    except ValueError as error:
        raise Malformed(f"a header on {address} cannot be read: {error}") from error
    if specversion != "1.0":
        raise Malformed(f"ce-specversion {specversion} on {address} is not 1.0")
    if envelope.address != address or source != SOURCE + envelope.publisher:
        raise Malformed(f"{envelope.type} of {source} about {envelope.subject} does not belong on {address}")
    return envelope
