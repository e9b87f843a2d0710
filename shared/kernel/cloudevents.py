"""CloudEvents 1.0 in the binary mode of its NATS binding: attributes as `ce-` headers, the fact as JSON body."""

from dataclasses import dataclass
from datetime import datetime

CONTENT_TYPE = "application/json"
SOURCE = "/asskomm/services/"
SCHEMA = "/asskomm/events/"


class Malformed(Exception):  # noqa: N818 -- says what is the matter
    """A message that is no event of ours; the message says which attribute is missing or wrong."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """An event on its way: the attributes of CloudEvents, our extensions, and the fact as JSON."""

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
    history: bool
    body: bytes

    @property
    def address(self) -> str:
        """The NATS subject, so that `membership.*.*.14626480` follows one municipality."""
        return f"{self.type}.{self.subject}"

    def headers(self) -> dict[str, str]:
        """The headers of the message; `Nats-Msg-Id` lets the server drop what it has already stored."""
        return {
            "ce-specversion": "1.0",
            "ce-id": self.id,
            "ce-source": SOURCE + self.publisher,
            "ce-type": self.type,
            "ce-subject": self.subject,
            "ce-time": self.time.isoformat(),
            "ce-dataschema": f"{SCHEMA}{self.type}.json",
            "ce-actor": self.actor,
            "ce-causationid": self.cause,
            "ce-aggregateversion": str(self.version),
            "ce-history": "true" if self.history else "false",
            "traceparent": self.trace,
            "content-type": CONTENT_TYPE,
            "Nats-Msg-Id": self.id,
        }


def read_envelope(address: str, headers: dict[str, str], body: bytes) -> Envelope:
    """The event in a message that arrived on the NATS subject `address`.

    Raises Malformed when an attribute is missing or contradicts the subject, which only its publisher may write to.
    """
    try:
        specversion, source = headers["ce-specversion"], headers["ce-source"]
        envelope = Envelope(
            id=headers["ce-id"],
            publisher=headers["ce-type"].partition(".")[0],
            type=headers["ce-type"],
            subject=headers["ce-subject"],
            time=datetime.fromisoformat(headers["ce-time"]),
            version=int(headers["ce-aggregateversion"]),
            actor=headers["ce-actor"],
            cause=headers["ce-causationid"],
            trace=headers["traceparent"],
            history=headers["ce-history"] == "true",
            body=body,
        )
    except KeyError as error:
        raise Malformed(f"header {error} is missing on {address}") from error
    except ValueError as error:
        raise Malformed(f"a header on {address} cannot be read: {error}") from error
    if specversion != "1.0":
        raise Malformed(f"ce-specversion {specversion} on {address} is not 1.0")
    if envelope.address != address or source != SOURCE + envelope.publisher:
        raise Malformed(f"{envelope.type} of {source} about {envelope.subject} does not belong on {address}")
    return envelope
