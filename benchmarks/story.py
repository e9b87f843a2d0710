"""From the answer to the last signature to the emails accepted by the mail server, beside the bare work.

The floor does the same number of writes, publishes and SMTP sends with bare drivers and none of our code, sequentially
where one depends on another. Both take turns on the same servers, so that a busy machine disturbs both.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import aiosmtplib
import httpx
import nats
from motor.motor_asyncio import AsyncIOMotorClient
from nats.aio.client import Client
from nats.js.api import StreamConfig

from operations.demo.accessions import DAY, Staff, Town
from operations.demo.load import load, rows
from operations.embedded.servers import EmbeddedServers
from operations.running.local import run, running_system
from services.notifications.mailer import CONNECTIONS
from shared.alliance.districts import POLICE_DIRECTORATE_OF
from shared.runtime.log import configure_logs

ACCESSIONS = 100
# After the last signature: three events, each processed in one transaction of notifications, and the municipality's.
PUBLISHES, TRANSACTIONS = 3, 4
# The emails of each event are claimed together; those on all connections at once are recorded together.
CLAIMS = 3
# Receipt and progress of the last signature, police directorate, LPR head, press office, welcome; then the neighbours.
EMAILS_BUT_NEIGHBOURS = 6
MIME = b"Subject: floor\r\n\r\n" + (b"x" * 76 + b"\r\n") * 60


async def main() -> None:
    """Measure, and print medians and ratios."""
    folder = Path(tempfile.mkdtemp(prefix="asskomm-bench-"))
    with EmbeddedServers(folder) as servers, (folder / "services.log").open("ab", buffering=0) as logs:
        configure_logs("benchmark", stream=logs)
        async with running_system(servers, as_of=DAY) as system:
            await load(system.environ)
            await system.quiet()
            floor = await Floor.open(servers)
            first, last, bare, emails = [], [], [], []
            async with httpx.AsyncClient(base_url=system.url, timeout=30) as http:
                staff = Staff(http, system.settings.token_private_key)
                for town, neighbours in _towns():
                    expected = EMAILS_BUT_NEIGHBOURS + neighbours
                    to_first, to_last = await accession(staff, town, servers.maildir, expected)
                    first.append(to_first)
                    last.append(to_last)
                    emails.append(expected)
                    bare.append(await floor.accession(expected))
                    _empty(servers.maildir)
                    await system.quiet()
            await floor.close()
    report(first, last, bare, emails)


def report(first: list[float], last: list[float], bare: list[float], emails: list[int]) -> None:
    """Print the measurements, in milliseconds."""
    print(
        f"{len(last)} accessions, idle, {statistics.median(emails):.0f} emails each after the last signature (median)"
    )
    for name, values in (("to the first email", first), ("to the last email", last), ("floor, all emails", bare)):
        p99 = statistics.quantiles(values, n=100)[98]
        print(f"{name:<20} median {statistics.median(values):6.1f} ms   p99 {p99:6.1f} ms")
    ratio = statistics.median(ours / floor for ours, floor in zip(last, bare, strict=True))
    print(f"last email / floor   median {ratio:6.1f}")


def _towns() -> Iterator[tuple[Town, int]]:
    """Return municipalities without an agreement, and how many members their district will have by then."""
    members = Counter(row["ags"][:5] for row in rows("alliance_2023-01.csv") if row["stage"] == "member")
    known = {row["ags"] for row in rows("alliance_2023-01.csv")}
    free = sorted(
        (row["ags"] for row in rows("municipalities.csv") if row["ags"] not in known), key=lambda ags: ags[5:]
    )
    for ags in free[:ACCESSIONS]:
        yield Town(ags, POLICE_DIRECTORATE_OF[ags[:5]]), members[ags[:5]]
        members[ags[:5]] += 1


async def accession(staff: Staff, town: Town, maildir: Path, expected: int) -> tuple[float, float]:
    """Return the milliseconds from the answer to the last signature to the first and the last expected email."""
    agreement = await staff.ready_agreement(town)
    *others, (who, party) = town.signatures
    for other, its_party in others:
        await staff.sign(other, agreement, its_party)
    # Two emails about each of the three signatures, and one to each party and to the LPR about readiness.
    await _arrived(maildir, 2 * 3 + 5)
    _empty(maildir)
    await staff.sign(who, agreement, party)
    answered = time.time_ns()
    arrivals = await _arrived(maildir, expected)
    _empty(maildir)
    return (arrivals[0] - answered) / 1e6, (arrivals[-1] - answered) / 1e6


async def _arrived(maildir: Path, expected: int) -> list[int]:
    """Return the arrival time of each email, in nanoseconds since the epoch, from the sink's file names."""
    deadline = time.monotonic() + 30
    while len(found := _names(maildir)) < expected:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(found)} of {expected} emails came")
        await asyncio.sleep(0.005)
    return [int(name.partition(".")[0]) for name in found]


def _names(maildir: Path) -> list[str]:
    return sorted(os.listdir(maildir / "new"))  # noqa: PTH208 -- only the names are needed, and fast


def _empty(maildir: Path) -> None:
    for path in maildir.glob("new/*"):
        path.unlink()


class Floor:
    """The floor: bare drivers."""

    def __init__(self, mongo_uri: str, client: Client, smtp: list[aiosmtplib.SMTP]) -> None:
        self._mongo: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(
            mongo_uri, w="majority", journal=True, readConcernLevel="majority"
        )
        self._rows = self._mongo["floor"]["rows"]
        self._nats, self._js, self._smtp = client, client.jetstream(), smtp

    @staticmethod
    async def open(servers: EmbeddedServers) -> "Floor":
        """Connect to the servers of the system under test."""
        client = await nats.connect(servers.nats_url)
        await client.jetstream().add_stream(StreamConfig(name="FLOOR", subjects=["floor.>"], max_bytes=1 << 30))
        smtp = [aiosmtplib.SMTP(hostname="127.0.0.1", port=servers.smtp_port) for _ in range(CONNECTIONS)]
        for connection in smtp:
            await connection.connect()
        return Floor(servers.mongo_uri, client, smtp)

    async def close(self) -> None:
        """Close the connections."""
        await self._nats.close()
        self._mongo.close()
        for connection in self._smtp:
            connection.close()

    async def accession(self, emails: int) -> float:
        """Return the milliseconds for the writes, publishes and sends of one last signature."""
        started = time.perf_counter()
        for _ in range(PUBLISHES):
            await self._js.publish("floor.fact", b"x" * 400, stream="FLOOR")
        for _ in range(TRANSACTIONS):
            async with await self._mongo.start_session() as session, session.start_transaction():
                await self._rows.insert_one({"x": "x" * 400}, session=session)
                await self._rows.insert_many([{"x": "x" * 400} for _ in range(emails // 3)], session=session)
        for _ in range(CLAIMS):
            await self._rows.insert_one({"state": "sending"})
        for sent in range(0, emails, CONNECTIONS):
            await asyncio.gather(*(self._send(number) for number in range(min(CONNECTIONS, emails - sent))))
            await self._rows.insert_one({"state": "sent"})
        return (time.perf_counter() - started) * 1000

    async def _send(self, number: int) -> None:
        await self._smtp[number].sendmail("a@floor.example", ["b@floor.example"], MIME)


if __name__ == "__main__":
    run(main())
