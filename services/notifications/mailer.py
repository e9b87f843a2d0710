"""Sends what is due over SMTP, on connections that are kept, and records what the mail server said."""

import asyncio
import base64
import re
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from email.header import Header
from email.utils import format_datetime, formataddr
from functools import lru_cache, partial
from typing import Any

import aiosmtplib
import structlog

from services.notifications.domain import Delivery, State
from services.notifications.use_cases import Deliveries
from shared.cause import Cause
from shared.clock import BERLIN
from shared.crashpoints import crashpoint
from shared.ids import new_id, new_trace
from shared.lease import Lease
from shared.mongo import OUTAGES
from shared.repository import Decision
from shared.settings import Settings

CONNECTIONS = 4
BATCH = 64
SWEEP_SECONDS = 1.0

SENDER = "Allianz Sichere Sächsische Kommunen"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

log = structlog.get_logger()


Outcome = Callable[..., Delivery]


class Unreached(Exception):  # noqa: N818 -- says what is the matter
    """There is no mail server to talk to, for now."""


class Temporary(Exception):  # noqa: N818 -- says what is the matter
    """The email was not taken, for now."""


class Permanent(Exception):  # noqa: N818 -- says what is the matter
    """The email will never be taken."""


class NoAnswer(Exception):  # noqa: N818 -- says what is the matter
    """The connection broke after the final dot: the email may have been taken (RFC 1047)."""


def mime(delivery: Delivery, sender: str) -> bytes:
    """The email as it is sent, the same bytes at each attempt; raises ValueError when a header would break its line.

    Put together by hand: EmailMessage takes ten times as long, and changes a space where it folds a subject.
    """
    boundary = f"=_{delivery.id}"
    headers = {
        "From": _from(sender),
        "To": delivery.to,
        "Subject": _subject(delivery.text.subject),
        "Date": format_datetime(delivery.created_at.astimezone(BERLIN)),
        "Message-ID": delivery.message_id,
        "MIME-Version": "1.0",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "Content-Language": "de",
        "Content-Type": f'multipart/alternative;\r\n boundary="{boundary}"',
    }
    for name, value in headers.items():
        if _CONTROL.search(value.replace("\r\n ", "")) or not value.isascii():
            raise ValueError(f"header {name} of email {delivery.id} is no line of ASCII")
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
    plain, html = _part("plain", delivery.text.plain), _part("html", delivery.text.html)
    edge = f"--{boundary}".encode()
    return b"".join((head, b"\r\n", edge, b"\r\n", plain, edge, b"\r\n", html, edge, b"--\r\n"))


@lru_cache
def _subject(subject: str) -> str:
    """Encoding takes long, and several offices get the same."""
    return Header(subject, "utf-8", header_name="Subject").encode(linesep="\r\n")


@lru_cache
def _from(sender: str) -> str:
    return formataddr((SENDER, sender)).replace(" <", "\r\n <")


def _part(subtype: str, text: str) -> bytes:
    head = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    return head.encode() + base64.encodebytes(text.encode()).replace(b"\n", b"\r\n")


class Connection:
    """One connection to the mail server, made when it is needed and kept while it works."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: aiosmtplib.SMTP | None = None

    async def send(self, sender: str, to: str, content: bytes) -> str:
        """Send one email and return the server's reply; raises Unreached, Temporary, Permanent or NoAnswer."""
        kept = self._client is not None
        try:
            return await self._send(await self._connected(), sender, to, content)
        except aiosmtplib.SMTPServerDisconnected as error:
            # A server may close a connection that was idle; nothing was sent over it yet.
            await self.close()
            if not kept:
                raise Unreached(f"connection lost: {error}") from error
            return await self.send(sender, to, content)
        except (Temporary, NoAnswer):
            await self.close()
            raise

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is None:
            settings = self._settings
            client = aiosmtplib.SMTP(
                hostname=settings.smtp_host,
                port=settings.smtp_port,
                # Otherwise our own name is looked up, which can take seconds.
                local_hostname=settings.mail_from.rpartition("@")[2],
                username=settings.smtp_user or None,
                password=settings.smtp_password or None,
                use_tls=settings.smtp_security == "tls",
                # Without this the library sends in clear where the server does not offer TLS.
                start_tls=settings.smtp_security == "starttls",
                timeout=settings.smtp_timeout,
            )
            try:
                await client.connect()
            except (aiosmtplib.SMTPException, OSError) as error:
                raise Unreached(f"no connection: {error}") from error
            self._client = client
        return self._client

    async def _send(self, client: aiosmtplib.SMTP, sender: str, to: str, content: bytes) -> str:
        try:
            await client.mail(sender)
            await client.rcpt(to)
        except aiosmtplib.SMTPResponseException as error:
            await self._forget(client)
            # What the server has against the sender, or us, is for operators to mend: the email waits.
            about_recipient = isinstance(error, aiosmtplib.SMTPRecipientRefused)
            raise _failure(error, permanent=about_recipient) from error
        except aiosmtplib.SMTPTimeoutError as error:
            await self.close()
            raise Unreached(f"no answer in time: {error}") from error
        try:
            reply = await client.data(content)
        except aiosmtplib.SMTPResponseException as error:
            raise _failure(error, permanent=True) from error
        except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError) as error:
            raise NoAnswer(f"no answer after the email was sent: {error}") from error
        return f"{reply.code} {reply.message}"

    async def _forget(self, client: aiosmtplib.SMTP) -> None:
        with suppress(aiosmtplib.SMTPException):
            await client.rset()

    async def close(self) -> None:
        """Let go of the connection."""
        client, self._client = self._client, None
        if client is not None:
            client.close()


def _failure(error: aiosmtplib.SMTPResponseException, *, permanent: bool) -> Temporary | Permanent:
    reply = f"{error.code} {error.message}"
    return Permanent(reply) if permanent and error.code >= 500 else Temporary(reply)  # noqa: PLR2004 -- RFC 5321, 4.2.1


class Mailer:
    """Sends deliveries: those handed to it by the process that stored them, and those that are due later.

    Each is claimed in the database before it is sent, so that nobody else sends it; a claim that was left behind by a
    crash lapses, and the holder of the lease claims it anew.
    """

    def __init__(self, deliveries: Deliveries, settings: Settings, lease: Lease) -> None:
        self._deliveries, self._lease = deliveries, lease
        self._clock, self._sender = settings.clock, settings.mail_from
        self._attempt = timedelta(seconds=2 * settings.smtp_timeout)
        # A claim holds for one attempt and for waiting as long before it.
        self._claim = 2 * self._attempt
        self._connections = [Connection(settings) for _ in range(CONNECTIONS)]
        self._claimed: asyncio.Queue[Delivery] = asyncio.Queue()
        self._outcomes: dict[str, Outcome] = {}
        self._recording = asyncio.Lock()

    def claim(self, delivery: Delivery) -> Delivery:
        """A new delivery as it is to be stored: claimed for us if we can send it at once, else for later."""
        return delivery if self._claimed.qsize() >= BATCH else delivery.begin(delivery.created_at, self._claim)

    def send(self, delivery: Delivery) -> None:
        """Send a delivery that is stored by now, if it was claimed for us."""
        if delivery.state is State.SENDING:
            self._claimed.put_nowait(delivery)

    async def run(self) -> None:
        """Send until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for connection in self._connections:
                    tasks.create_task(self._send_claimed(connection))
                tasks.create_task(self._sweep())
        finally:
            for connection in self._connections:
                await connection.close()

    async def _sweep(self) -> None:
        """Claim what is due, and go on at once while there is more."""
        while True:
            try:
                while await self._lease.held() and await self._claim_due():
                    await self._claimed.join()
            except OUTAGES as error:
                log.warning("mailer waits for mongodb", error=repr(error))
            await asyncio.sleep(SWEEP_SECONDS)

    async def _claim_due(self) -> int:
        """Claim up to BATCH deliveries that are due; returns how many there were."""
        now = self._clock()
        is_due = {"state": {"$in": [State.QUEUED, State.SENDING]}, "due_at": {"$lte": now}}
        due = await self._deliveries.all(is_due, order="due_at", limit=BATCH)
        claims = [self._deliveries.changing(one.id, lambda one: (one.begin(now, self._claim), [])) for one in due]
        for one in await self._deliveries.store.commit(self._cause(), *claims):
            if one.due_at == now + self._claim:
                self.send(one)
        return len(due)

    async def _send_claimed(self, connection: Connection) -> None:
        while True:
            delivery = await self._claimed.get()
            try:
                # What has waited for too long may be claimed by somebody else before we are done with it.
                if self._clock() + self._attempt <= delivery.due_at:
                    await _to_the_end(self._send(connection, delivery))
            finally:
                self._claimed.task_done()

    async def _send(self, connection: Connection, delivery: Delivery) -> None:
        structlog.contextvars.clear_contextvars()
        try:
            async with asyncio.timeout(self._attempt.total_seconds()):
                reply = await connection.send(self._sender, delivery.to, mime(delivery, self._sender))
        except TimeoutError:
            await connection.close()
            outcome = partial(Delivery.postponed, reply="no answer in time", unknown=True)
        except Unreached as error:
            outcome = partial(Delivery.unreached, reply=str(error))
        except Temporary as error:
            outcome = partial(Delivery.postponed, reply=str(error))
        except NoAnswer as error:
            outcome = partial(Delivery.postponed, reply=str(error), unknown=True)
        except (Permanent, ValueError) as error:
            outcome = partial(Delivery.refused, reply=str(error))
        else:
            outcome = partial(Delivery.accepted, reply=reply)
        crashpoint("mailer.before_record")
        await self._record(delivery.id, outcome)

    async def _record(self, id: str, outcome: Outcome) -> None:
        """Record what the server said, together with what the other connections have to record by now."""
        self._outcomes[id] = outcome
        async with self._recording:
            if id in self._outcomes:
                outcomes, self._outcomes = self._outcomes, {}
                await self._record_all(outcomes)

    async def _record_all(self, outcomes: dict[str, Outcome]) -> None:
        """While MongoDB is away this is tried again and again, or the emails would come twice."""
        now = self._clock()
        steps = [self._deliveries.changing(id, _decided(outcome, now)) for id, outcome in outcomes.items()]
        while True:
            try:
                recorded: list[Delivery] = await self._deliveries.store.commit(self._cause(), *steps)
            except OUTAGES as error:
                log.warning("mailer waits for mongodb", error=repr(error))
                await asyncio.sleep(1)
            else:
                for one in recorded:
                    log.info("email", delivery=one.id, about=one.event_id, template=one.template, state=one.state)
                return

    def _cause(self) -> Cause:
        return Cause(actor="service:notifications", at=self._clock(), id=new_id(), trace=new_trace())


def _decided(outcome: Outcome, now: datetime) -> Callable[[Delivery], Decision[Delivery]]:
    return lambda delivery: (outcome(delivery, now=now), [])


async def _to_the_end(sending: Coroutine[Any, Any, None]) -> None:
    """Finish and record what is on the wire, also when we are told to stop: it would come twice otherwise."""
    task = asyncio.create_task(sending)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise
