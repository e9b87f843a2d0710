"""A mail server in every mood, and the client of aiosmtplib that speaks to it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from enum import Enum
from types import SimpleNamespace
from typing import Any, TypeVar

import aiosmtplib

from tests.models.wire import Wire

T = TypeVar("T")
TIMEOUT_SECONDS = 5.0


class Mood(Enum):
    """What the mail server does with who comes to it."""

    WELL = "takes everything"
    BUSY = "451 after the dot"
    BUSY_FOR_RECIPIENTS = "451 to RCPT"
    AGAINST_SENDER = "550 to MAIL"
    AGAINST_RECIPIENT = "550 to RCPT"
    AGAINST_CONTENT = "550 after the dot"
    CUTS_BEFORE_THE_DOT = "hangs up during DATA, and takes nothing"
    CUTS_AFTER_THE_DOT = "hangs up after the dot, and takes it"
    CLOSED = "refuses connections"


@dataclass(frozen=True)
class Taken:
    """An email that the mail server took, and will deliver."""

    message_id: str
    content: bytes


class MailServer:
    """What it took, and what it was offered: Message-ID and bytes."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.mood = Mood.WELL
        self.taken: list[Taken] = []
        self.offered: list[tuple[str, bytes]] = []

    def connect(self) -> None:
        if self.mood is Mood.CLOSED:
            raise aiosmtplib.SMTPConnectError("refused")

    def mail(self, sender: str) -> None:
        if self.mood is Mood.AGAINST_SENDER:
            raise aiosmtplib.SMTPSenderRefused(550, "no", sender)

    def rcpt(self, to: str) -> None:
        if self.mood in {Mood.AGAINST_RECIPIENT, Mood.BUSY_FOR_RECIPIENTS}:
            code = 550 if self.mood is Mood.AGAINST_RECIPIENT else 451
            raise aiosmtplib.SMTPRecipientRefused(code, "no", to)

    def data(self, content: bytes) -> Any:
        """The email up to the final dot."""
        taken = Taken(message_from_bytes(content)["Message-ID"], content)
        if self.mood in {Mood.BUSY, Mood.AGAINST_CONTENT}:
            raise aiosmtplib.SMTPDataError(451 if self.mood is Mood.BUSY else 550, "no")
        if self.mood is not Mood.CUTS_BEFORE_THE_DOT:
            self.taken.append(taken)
        if self.mood in {Mood.CUTS_BEFORE_THE_DOT, Mood.CUTS_AFTER_THE_DOT}:
            raise aiosmtplib.SMTPServerDisconnected("cut")
        return SimpleNamespace(code=250, message="taken")


class Sender:
    """In place of `aiosmtplib.SMTP`: a connection that may be cut at any time."""

    def __init__(self, server: MailServer) -> None:
        self._server, self._cut = server, False

    async def connect(self) -> None:
        await self._ask("connect", self._server.connect, aiosmtplib.SMTPConnectError)

    async def mail(self, sender: str) -> None:
        await self._ask("MAIL", lambda: self._server.mail(sender))

    async def rcpt(self, to: str) -> None:
        await self._ask("RCPT", lambda: self._server.rcpt(to))

    async def data(self, content: bytes) -> Any:
        self._server.offered.append((message_from_bytes(content)["Message-ID"], content))
        return await self._ask("DATA", lambda: self._server.data(content))

    async def rset(self) -> None:
        await self._ask("RSET", lambda: None)

    def close(self) -> None:
        self._cut = True

    async def _ask(
        self,
        what: str,
        do: Callable[[], T],
        cut: type[aiosmtplib.SMTPException] = aiosmtplib.SMTPServerDisconnected,
    ) -> T:
        if self._cut:
            raise aiosmtplib.SMTPServerDisconnected("not connected")

        def lost() -> aiosmtplib.SMTPException:
            self.close()
            return cut("cut")

        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await self._server.wire.ask("smtp", what, do, lost)
        except TimeoutError as error:
            raise aiosmtplib.SMTPReadTimeoutError("no answer in time") from error
