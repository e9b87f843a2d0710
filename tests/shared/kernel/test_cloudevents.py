import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime

import nats
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.embedded.servers import EmbeddedServers
from shared.kernel.cloudevents import Envelope, Malformed, read_envelope
from shared.kernel.ids import new_id, new_trace

ENVELOPE = Envelope(
    id=new_id(),
    publisher="kitchen",
    type="kitchen.jar_filled.v1",
    subject="jar-1",
    time=datetime(2023, 1, 27, 10, 30, 0, 123_000, tzinfo=UTC),
    version=7,
    actor="görlitz/oberbürgermeister",
    cause=new_id(),
    trace=new_trace(),
    history=False,
    body='{"amount":3,"of":"Süßkirschen"}'.encode(),
)


# The others are for the server, and for who reads along.
READ = [name for name in ENVELOPE.headers() if name not in {"Nats-Msg-Id", "content-type", "ce-dataschema"}]


def forged(address: str = ENVELOPE.address, **headers: str) -> Envelope:
    """What is read from the message when somebody changed its subject or headers."""
    changed = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_envelope(address, ENVELOPE.headers() | changed, ENVELOPE.body)


@given(
    st.builds(
        replace,
        st.just(ENVELOPE),
        subject=st.text("Aa0-", min_size=1),
        time=st.datetimes(timezones=st.just(UTC)),
        version=st.integers(1, 10**9),
        actor=st.text(min_size=1),
        history=st.booleans(),
        body=st.binary(),
    )
)
def test_what_is_sent_is_what_is_read(envelope: Envelope) -> None:
    assert read_envelope(envelope.address, envelope.headers(), envelope.body) == envelope


async def test_what_is_sent_over_nats_is_what_is_read(servers: EmbeddedServers) -> None:
    client = await nats.connect(servers.nats_url)
    try:
        reading = await client.subscribe("kitchen.>")
        await client.publish(ENVELOPE.address, ENVELOPE.body, headers=ENVELOPE.headers())
        message = await reading.next_msg(timeout=5)
    finally:
        await asyncio.wait_for(client.close(), 5)
    assert read_envelope(message.subject, message.headers or {}, message.data) == ENVELOPE


def test_the_subject_follows_type_and_aggregate() -> None:
    assert ENVELOPE.address == "kitchen.jar_filled.v1.jar-1"


def test_the_attributes_that_cloudevents_requires_are_there() -> None:
    headers = ENVELOPE.headers()
    assert {name: headers[name] for name in ("ce-specversion", "ce-id", "ce-source", "ce-type")} == {
        "ce-specversion": "1.0",
        "ce-id": ENVELOPE.id,
        "ce-source": "/asskomm/services/kitchen",
        "ce-type": "kitchen.jar_filled.v1",
    }


def test_attributes_are_named_as_cloudevents_wants_them() -> None:
    names = [name.removeprefix("ce-") for name in ENVELOPE.headers() if name.startswith("ce-")]
    assert all(re.fullmatch(r"[a-z0-9]{1,20}", name) for name in names)


def test_the_time_carries_its_offset() -> None:
    assert ENVELOPE.headers()["ce-time"] == "2023-01-27T10:30:00.123000+00:00"


def test_the_server_recognises_what_it_has_stored_already() -> None:
    assert ENVELOPE.headers()["Nats-Msg-Id"] == ENVELOPE.id


# A bug once: without ce-specversion, or with another one, a message is read all the same.
@pytest.mark.parametrize("missing", READ)
def test_a_missing_header_is_named(missing: str) -> None:
    headers = ENVELOPE.headers()
    del headers[missing]
    with pytest.raises(Malformed, match=missing):
        read_envelope(ENVELOPE.address, headers, ENVELOPE.body)


def test_a_message_without_headers_is_malformed() -> None:
    with pytest.raises(Malformed, match=ENVELOPE.address):
        read_envelope(ENVELOPE.address, {}, b"")


@pytest.mark.parametrize(
    "address",
    ["kitchen.jar_filled.v1.jar-2", "kitchen.jar_filled.v2.jar-1", "cellar.jar_filled.v1.jar-1", "jar-1", ""],
)
def test_a_message_on_a_subject_of_something_else_is_malformed(address: str) -> None:
    with pytest.raises(Malformed, match=f"does not belong on {address}"):
        forged(address)


# A bug once: the bare name of the service is taken for its URI.
@pytest.mark.parametrize(
    "source", ["/asskomm/services/cellar", "/asskomm/services/", "https://evil.example/kitchen", "kit", "kitchen", ""]
)
def test_a_message_with_the_source_of_somebody_else_is_malformed(source: str) -> None:
    with pytest.raises(Malformed):
        forged(ce_source=source)


@pytest.mark.parametrize(("type", "subject"), [("kitchen.jar_emptied.v1", "jar-1"), ("kitchen.jar_filled.v1", "jar-2")])
def test_a_message_about_something_else_than_its_subject_is_malformed(type: str, subject: str) -> None:
    with pytest.raises(Malformed):
        forged(ce_type=type, ce_subject=subject)


@pytest.mark.parametrize(("name", "value"), [("ce_time", "yesterday"), ("ce_aggregateversion", "two")])
def test_a_header_that_cannot_be_read_is_malformed(name: str, value: str) -> None:
    with pytest.raises(Malformed, match=f"cannot be read: .*{value}"):
        forged(**{name: value})
