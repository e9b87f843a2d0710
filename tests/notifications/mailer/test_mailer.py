"""The email as it is sent, and what is said to mail servers that are not as they should be."""

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Literal, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.domain.deliveries import (
    PAUSES,
    Delivery,
    NotFailed,
    State,
    accepted,
    claim,
    postponed,
    refused,
    retry,
    settle,
    unreached,
)
from services.notifications.domain.emails import Text
from services.notifications.mailer.connection import Connection, NoAnswer, Permanent, Temporary, Unreached
from services.notifications.mailer.mime import mime
from services.notifications.settings import NotificationsSettings

NOW = datetime(2023, 1, 27, 10, 30, tzinfo=UTC)
SENDER = "allianz@asskomm.example"
DELIVERY = Delivery(
    id="0123456789abcdef0123456789abcdef",
    event_id="event",
    event_type="membership.member_joined.v1",
    template="member_welcome",
    contact_id="municipality-14626480",
    office="Stadtverwaltung Rothenburg/O.L.",
    to="rathaus@rothenburg-o-l.example",
    text=Text(subject="Willkommen: Stadt Rothenburg/O.L. für Sie", plain="Grüße\n", html="<p>Grüße</p>\n"),
    message_id="<0123456789abcdef0123456789abcdef@asskomm.example>",
    created_at=NOW,
    due_at=NOW,
)


def parsed(delivery: Delivery) -> EmailMessage:
    return email.message_from_bytes(mime(delivery, SENDER), policy=email.policy.default)


def test_an_email_says_the_same_when_it_is_read() -> None:
    message = parsed(DELIVERY)
    assert message.defects == []
    assert message["Subject"] == DELIVERY.text.subject
    assert message["From"] == f"Allianz Sichere Sächsische Kommunen <{SENDER}>"
    assert message["To"] == DELIVERY.to
    assert message["Date"] == "Fri, 27 Jan 2023 11:30:00 +0100"
    parts = list(message.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert [cast("EmailMessage", part).get_content() for part in parts] == ["Grüße\n", "<p>Grüße</p>\n"]


def test_an_email_carries_the_headers_of_an_automatic_one() -> None:
    message = parsed(DELIVERY)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["Message-ID"] == DELIVERY.message_id


def test_an_email_is_the_same_to_the_byte_at_each_attempt() -> None:
    assert mime(DELIVERY, SENDER) == mime(replace(DELIVERY, attempts=7, unknown=1), SENDER)


@given(st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), min_size=1, max_size=200))
def test_any_subject_of_one_line_arrives_as_it_is(subject: str) -> None:
    message = parsed(replace(DELIVERY, text=replace(DELIVERY.text, subject=" ".join(subject.split()) or "x")))
    assert message["Subject"] == (" ".join(subject.split()) or "x")
    assert message["Bcc"] is None


def test_no_line_of_an_email_is_too_long() -> None:
    long = replace(DELIVERY, text=Text(subject="Ä" * 300, plain="ü" * 5000, html="<p>" + "ß" * 5000))
    assert max(len(line) for line in mime(long, SENDER).split(b"\r\n")) <= 78


@pytest.mark.parametrize(
    "to", ["a@b.example\r\nBcc: c@d.example", "a@b.example\nRCPT TO:<x@y>", "a@b.example\0", "ä@b.example"]
)
def test_an_address_that_would_break_its_line_is_refused(to: str) -> None:
    with pytest.raises(ValueError, match="header To"):
        mime(replace(DELIVERY, to=to), SENDER)


def test_pauses_grow_and_the_last_attempt_fails() -> None:
    assert list(PAUSES) == sorted(PAUSES)
    assert timedelta(days=2) < sum(PAUSES, timedelta()) < timedelta(days=4)
    last = replace(DELIVERY, state=State.SENDING, attempts=len(PAUSES) + 1)
    assert postponed(last, "451 later", NOW).state is State.FAILED
    assert postponed(replace(last, attempts=len(PAUSES)), "451 later", NOW).state is State.QUEUED


def test_what_is_not_due_is_not_begun() -> None:
    begun = claim(DELIVERY, NOW, timedelta(seconds=20), "claim")[0]
    assert (begun.state, begun.attempts) == (State.SENDING, 1)
    assert claim(begun, NOW + timedelta(seconds=19), timedelta(seconds=20), "claim")[0] is begun


def test_what_was_left_behind_counts_as_unknown() -> None:
    begun = claim(DELIVERY, NOW, timedelta(seconds=20), "claim")[0]
    again = claim(begun, NOW + timedelta(seconds=20), timedelta(seconds=20), "claim")[0]
    assert (again.attempts, again.unknown) == (2, 1)


def test_a_server_that_is_not_reached_costs_no_attempt() -> None:
    begun = claim(DELIVERY, NOW, timedelta(seconds=20), "claim")[0]
    assert unreached(begun, "no connection", NOW).attempts == 0


def test_an_attempt_that_was_left_behind_and_made_again_tells_nothing() -> None:
    again = replace(DELIVERY, state=State.SENDING, attempts=2, claim="later")
    assert settle(again, "earlier", lambda one: postponed(one, "451 later", NOW))[0] is again
    assert settle(again, "later", lambda one: postponed(one, "451 later", NOW))[0].state is State.QUEUED


def test_an_email_that_was_taken_is_sent_whoever_sent_it() -> None:
    again = replace(DELIVERY, state=State.SENDING, attempts=2, claim="later")
    sent = settle(again, "earlier", lambda one: accepted(one, "250 ok", NOW))[0]
    assert sent.state is State.SENT
    assert settle(sent, "later", lambda one: refused(one, "550 no", NOW))[0] is sent


def test_only_a_failed_email_is_sent_again() -> None:
    with pytest.raises(NotFailed, match="queued"):
        retry(DELIVERY, DELIVERY.to, NOW)


Answer = Callable[[bytes], bytes]


class Server:
    """A mail server that answers every line as it is told."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.heard = answer, b""
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        while line := await reader.readline():
            self.heard += line
            if answer := self.answer(line):
                writer.write(answer)
            if answer.startswith(b"221"):
                break
        writer.close()


@pytest.fixture
async def mail_server() -> AsyncIterator[Server]:
    server = Server(polite)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    yield server
    listening.close()


def polite(line: bytes) -> bytes:
    if line.startswith(b"DATA"):
        return b"354 go on\r\n"
    return b"250 fine\r\n" if line.rstrip() == b"." or line[:4] in {b"EHLO", b"MAIL", b"RCPT", b"RSET"} else b""


def settings(port: int, security: Literal["starttls", "none"] = "none") -> NotificationsSettings:
    return NotificationsSettings(
        mongo_uri="", nats_url="", token_public_key="", smtp_port=port, smtp_security=security, smtp_timeout=0.5
    )


async def test_nothing_is_sent_in_clear_where_tls_is_missing(mail_server: Server) -> None:
    with pytest.raises(Unreached):
        await Connection(settings(mail_server.port, "starttls")).send(SENDER, DELIVERY.to, b"Subject: secret\r\n\r\n")
    assert b"MAIL" not in mail_server.heard
    assert b"secret" not in mail_server.heard


@pytest.mark.parametrize(
    ("said_to", "answer", "kind"),
    [
        (b"RCPT", b"550 no such user\r\n", Permanent),
        (b"RCPT", b"451 later\r\n", Temporary),
        (b"MAIL", b"550 we do not like you\r\n", Temporary),
        (b"MAIL", b"421 closing\r\n", Temporary),
        (b"DATA", b"554 no\r\n", Permanent),
        (b".\r\n", b"552 too big\r\n", Permanent),
        (b".\r\n", b"452 full\r\n", Temporary),
        (b".\r\n", b"", NoAnswer),
        (b"RCPT", b"", Unreached),
    ],
)
async def test_what_the_server_says_decides_what_becomes_of_it(
    mail_server: Server, said_to: bytes, answer: bytes, kind: type[Exception]
) -> None:
    mail_server.answer = lambda line: answer if line.startswith(said_to) else polite(line)
    connection = Connection(settings(mail_server.port))
    with pytest.raises(kind):
        await connection.send(SENDER, DELIVERY.to, b"Subject: x\r\n\r\nx\r\n")
    await connection.close()


async def test_a_connection_that_the_server_closed_while_idle_is_made_anew(mail_server: Server) -> None:
    connection = Connection(settings(mail_server.port))
    assert await connection.send(SENDER, DELIVERY.to, b"Subject: x\r\n\r\nx\r\n") == "250 fine"
    mail_server.answer = lambda line: b"221 bye\r\n" if line.startswith(b"MAIL") else polite(line)
    with pytest.raises((Temporary, Unreached)):
        await connection.send(SENDER, DELIVERY.to, b"Subject: y\r\n\r\ny\r\n")
    mail_server.answer = polite
    assert await connection.send(SENDER, DELIVERY.to, b"Subject: y\r\n\r\ny\r\n") == "250 fine"
    await connection.close()
