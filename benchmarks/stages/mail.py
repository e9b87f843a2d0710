"""Email: our mailer beside the same bytes over bare connections, and beside the naive way, one connection per email."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date
from email.message import EmailMessage
from email.policy import SMTP
from typing import TypeVar

import aiosmtplib

from benchmarks.measure import Bench, Results, Row, Sample
from benchmarks.sink import SinkServer
from operations.demo.load import rows
from operations.embedded.child import HOST
from operations.running.setup import set_up_database
from operations.services import service_of
from services.notifications.app import create_app
from services.notifications.domain.contacts import Contact
from services.notifications.domain.deliveries import Delivery, State, delivery
from services.notifications.emails import emails_about
from services.notifications.mailer import CONNECTIONS, Mailer
from services.notifications.mailer.connection import Connection
from services.notifications.mailer.mime import mime
from services.notifications.settings import NotificationsSettings
from services.notifications.templates import renderer
from shared.events.membership.milestones import InterestShown
from shared.kernel.cause import Cause
from shared.kernel.clock import system_clock
from shared.kernel.ids import new_id, new_trace
from shared.runtime.service import Service
from shared.store.repository import Repository

NAME = "mail"
EMAILS = 1000
"""Few enough for the store to remember all, as in operation, where a mailer claims only what it soon sends."""

NAIVE_EMAILS = 100
BATCH = 100
LOOK_SECONDS = 0.02

T = TypeVar("T")


class Bare:
    """A bare connection: the minimal SMTP dialogue without extensions, one command after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @staticmethod
    async def open(port: int) -> "Bare":
        """Connect, read the greeting, and say hello."""
        bare = Bare(*await asyncio.open_connection(HOST, port))
        await bare._say(b"")
        await bare._say(b"HELO floor\r\n")
        return bare

    async def sendmail(self, sender: str, recipients: Sequence[str], message: bytes) -> None:
        """Send one email and wait until it is accepted."""
        await self._say(b"MAIL FROM:<%b>\r\n" % sender.encode())
        await self._say(b"RCPT TO:<%b>\r\n" % recipients[0].encode())
        await self._say(b"DATA\r\n")
        await self._say(message + b".\r\n")

    async def _say(self, what: bytes) -> None:
        self._writer.write(what)
        answer = await self._reader.readline()
        assert answer[:1] in {b"2", b"3"}, answer

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()


async def naive(settings: NotificationsSettings, emails: list[Delivery]) -> float:
    """Seconds for the way that the documentation of the libraries shows first."""
    return await shared_out(len(emails), range(CONNECTIONS), lambda _, number: _naively(settings, emails[number]))


async def _naively(settings: NotificationsSettings, one: Delivery) -> None:
    message = EmailMessage(policy=SMTP)
    message["From"] = settings.mail_from
    message["To"] = one.to
    message["Subject"] = one.text.subject
    message["Message-ID"] = one.message_id
    message.set_content(one.text.plain)
    message.add_alternative(one.text.html, subtype="html")
    await aiosmtplib.send(message, hostname=HOST, port=settings.smtp_port, start_tls=False)


class Post:
    """Everything needed to send the same emails in each of the ways."""

    def __init__(self, settings: NotificationsSettings) -> None:
        self.settings = settings
        self.service: Service = service_of(create_app(settings))
        self.deliveries: Repository[Delivery] = next(one for one in self.service.repositories if one.kind is Delivery)
        self._render = renderer(settings.public_url)
        self._facts = [
            InterestShown(ags=row["ags"], name=row["name"], police_directorate="PD Görlitz", shown_on=date(2023, 1, 12))
            for row in rows("municipalities.csv")
        ]

    async def open(self) -> None:
        """Create the collections, with their indexes."""
        await set_up_database(self.service)
        self.service.database.open()

    def emails(self, count: int) -> list[Delivery]:
        """Return so many emails about interests, each of another municipality, as the reaction creates them."""
        return [self._email(fact) for fact in itertools.islice(itertools.cycle(self._facts), count)]

    def _email(self, fact: InterestShown) -> Delivery:
        (email,) = emails_about(fact, [])
        contact = Contact(id="lpr", office="LPR", email="lpr@lpr.example", role=email.role, area=email.area)
        text, at = self._render(email, contact.office, "membership"), system_clock()
        return delivery(email, text, contact, event_id=new_id(), event_type=fact.type, domain="lpr.example", now=at)

    async def store(self, emails: list[Delivery]) -> list[Delivery]:
        """Store the emails as claimed, as the reaction does."""
        await self.service.database[self.deliveries.collection].delete_many({})
        claim = Mailer(self.deliveries, self.settings, self.service.lease).claim
        claimed = [claim(one) for one in emails]
        for start in range(0, len(emails), BATCH):
            cause = Cause(actor="benchmark", at=system_clock(), id=new_id(), trace=new_trace())
            steps = [self.deliveries.adding(one) for one in claimed[start : start + BATCH]]
            await self.deliveries.store.commit(cause, *steps)
        return claimed

    async def mail(self, settings: NotificationsSettings, claimed: list[Delivery]) -> float:
        """Seconds for our mailer to send what is stored, and to record it."""
        mailer = Mailer(self.deliveries, settings, self.service.lease)
        running = asyncio.create_task(mailer.run())
        try:
            started = time.perf_counter()
            for one in claimed:
                mailer.send(one)
            stored = self.service.database[self.deliveries.collection]
            while await stored.find_one({"state": State.SENDING}, {"_id": 1}):  # noqa: ASYNC110 -- it polls MongoDB
                await asyncio.sleep(LOOK_SECONDS)
            seconds = time.perf_counter() - started
        finally:
            running.cancel()
            await asyncio.wait([running])
        assert len(await self.deliveries.ids({"state": State.SENT})) == len(claimed)
        return seconds


async def shared_out(count: int, connections: Sequence[T], send: Callable[[T, int], Awaitable[object]]) -> float:
    """Return the seconds for so many emails over several connections; each takes the next one when free."""
    numbers = iter(range(count))

    async def work(connection: T) -> None:
        for number in numbers:
            await send(connection, number)

    started = time.perf_counter()
    await asyncio.gather(*map(work, connections))
    return time.perf_counter() - started


async def bare(settings: NotificationsSettings, emails: list[Delivery]) -> float:
    """Seconds for the floor: the same bytes, made before, over as many connections of the library as we have."""
    connections = [aiosmtplib.SMTP(hostname=HOST, port=settings.smtp_port, start_tls=False) for _ in range(CONNECTIONS)]
    for one in connections:
        await one.connect()
    return await _sent_over(connections, settings.mail_from, emails)


async def sockets(settings: NotificationsSettings, emails: list[Delivery]) -> float:
    """Seconds for the same bytes without the library."""
    connections = [await Bare.open(settings.smtp_port) for _ in range(CONNECTIONS)]
    return await _sent_over(connections, settings.mail_from, emails)


async def _sent_over(connections: Sequence[aiosmtplib.SMTP | Bare], sender: str, emails: list[Delivery]) -> float:
    to, contents = [emails[0].to], [mime(one, sender) for one in emails]
    for one in connections:  # The first email on each connection includes the greeting.
        await one.sendmail(sender, to, contents[0])
    seconds = await shared_out(
        len(emails), connections, lambda over, number: over.sendmail(sender, to, contents[number])
    )
    for one in connections:
        one.close()
    return seconds


async def without_database(settings: NotificationsSettings, emails: list[Delivery]) -> float:
    """Seconds for our connections and our MIME, with nothing recorded."""
    sender, to = settings.mail_from, emails[0].to
    connections = [Connection(settings) for _ in range(CONNECTIONS)]
    for one in connections:
        await one.send(sender, to, mime(emails[0], sender))
    seconds = await shared_out(
        len(emails), connections, lambda over, number: over.send(sender, to, mime(emails[number], sender))
    )
    for one in connections:
        await one.close()
    return seconds


async def run(bench: Bench) -> list[Row]:
    """Measure all ways in turn."""
    sink = SinkServer(bench.servers.folder)
    post = Post(replace(bench.settings(), smtp_port=sink.port))
    settings, count, few = post.settings, EMAILS, bench.scaled(NAIVE_EMAILS)

    async def sample(
        way: Callable[[NotificationsSettings, list[Delivery]], Awaitable[float]],
        count: int = count,
        *,
        stored: bool = False,
    ) -> Sample:
        emails = await post.store(post.emails(count)) if stored else post.emails(count)
        with bench.measured(sink=sink.pid) as measured:
            measured.seconds, measured.count = await way(settings, emails), count
        return measured

    await asyncio.to_thread(sink.start)
    await post.open()
    try:
        found = await bench.interleaved(
            floor=lambda: sample(bare), sockets=lambda: sample(sockets), connections=lambda: sample(without_database),
            ours=lambda: sample(post.mail, stored=True), naive=lambda: sample(naive, few),
        )  # fmt: skip
    finally:
        await post.service.database.close()
        sink.kill()
    return _rows(found)


def _rows(found: Results) -> list[Row]:
    def row(name: str, what: str, to: str = "floor", goal: float = 0) -> Row:
        ratio = found.ratio(name, to, lambda one: one.rate)
        return Row(
            stage=NAME, what=what, unit="/s", ratio=ratio,
            value=found.of(name, lambda one: one.rate), floor=found.of("floor", lambda one: one.rate),
            rival=found.of("naive", lambda one: one.rate),
            goal=f"≥ {goal} × {to}" if goal else "", met=ratio >= goal,
            note=f"CPU µs: {found.cpu(name)}; {to} {found.cpu(to)}",
        )  # fmt: skip

    return [
        row("ours", f"mailer, with outcomes in MongoDB, {CONNECTIONS} connections", "floor", 0.6),
        row("ours", "the same beside a connection and an EmailMessage for each", "naive", 8),
        row("connections", "its connections and putting the emails together, without MongoDB"),
        row("sockets", "the same bytes over sockets, without the library"),
    ]
