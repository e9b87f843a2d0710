"""Mail servers that are not as they should be."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Literal

import pytest

from services.notifications.mailer.connection import Connection, NoAnswer, Permanent, Temporary, Unreached
from services.notifications.settings import NotificationsSettings
from tests.notifications.deliveries import DELIVERY

SENDER = "allianz@asskomm.example"
Answer = Callable[[bytes], bytes]


class Server:
    """A mail server that gives a chosen answer to every line."""

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
