"""Rates: latency of answers and emails at a given rate, memory idle and under load, and a day in fast motion.

Requests are sent on schedule, whether earlier ones are answered or not (open loop), until the system cannot keep up.
"""

import asyncio
import random
import statistics
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from benchmarks.measure import Bench, Row, Sample
from benchmarks.stages.http import LPR, Connection, System, request
from benchmarks.stages.start import megabytes
from benchmarks.stages.whole import Mailbox, receiving
from operations.demo.accessions import Staff, Town
from operations.demo.load import rows
from operations.embedded.child import HOST
from shared.alliance.districts import POLICE_DIRECTORATE_OF
from shared.web.tokens import issue_token

NAME = "rates"
RATES = ((1, 15), (10, 10), (100, 8), (1000, 4))
"""Requests per second, and for how many seconds."""
TOO_MANY = 256
"""With so many unanswered requests, the system cannot keep up."""
BEHIND_SECONDS = 0.5
"""If emails arrive later than this after the last request, the system cannot keep up either."""

STAFF = 8
"""How many work at the same time on the day in fast motion."""
OFFICE = ("/municipalities/{ags}", "/municipalities/{ags}", "/municipalities/{ags}/journey", "/agreements", "/alliance")
"""The requests of each municipality on a day."""
LPR_LOOKS = ("/board", "/municipalities?limit=50", "/alliance/steps")
LPR_LOOKS_TIMES, INTERESTS, CONSULTATIONS, ACCESSIONS = 60, 40, 30, 5
DAY_SECONDS = 24 * 3600
LOOKS = 100
"""Requests for the figures."""


@dataclass
class Flow:
    """The results at one rate."""

    rate: int
    sent: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    """Seconds."""
    emails: list[float] = field(default_factory=list)
    late: str = ""
    """Why it was stopped early."""


class Pool:
    """As many connections as needed."""

    def __init__(self, port: int) -> None:
        self._port, self._free = port, list[Connection]()
        self.under_way = 0

    async def send(self, content: bytes) -> None:
        """Send a request over a free connection, and wait for its answer."""
        self.under_way += 1
        connection = self._free.pop() if self._free else await Connection.open(self._port)
        status, body = await connection.send(content)
        self._free.append(connection)
        self.under_way -= 1
        if status >= httpx.codes.BAD_REQUEST:
            raise RuntimeError(f"{status} {body.decode()}")

    def close(self) -> None:
        """Close all connections."""
        for connection in self._free:
            connection.close()


async def flow(port: int, requests: Iterator[bytes], rate: int, seconds: int) -> Flow:
    """Send so many requests per second, for so many seconds."""
    made, pool, tasks = Flow(rate), Pool(port), set[asyncio.Task[None]]()

    async def one() -> None:
        began = time.perf_counter()
        made.sent.append(began)
        await pool.send(next(requests))
        made.answers.append(time.perf_counter() - began)

    began = time.perf_counter()
    for number in range(rate * seconds):
        wait = began + number / rate - time.perf_counter()
        await asyncio.sleep(max(0.0, wait))
        if pool.under_way > TOO_MANY:
            made.late = f"{TOO_MANY} requests without an answer after {time.perf_counter() - began:.1f} s"
            break
        tasks.add(asyncio.create_task(one()))
    await asyncio.gather(*tasks)
    pool.close()
    return made


async def run(bench: Bench) -> list[Row]:
    """Measure the rates, the memory before and after, and the day."""
    found: list[Row] = []
    mailbox = Mailbox()
    async with _running(bench, mailbox) as system:
        pids = system.pids | {"mongod": bench.servers.mongod.pid, "nats": bench.always.pid}
        idle = {name: megabytes(pid) for name, pid in pids.items()}
        for rate, seconds in RATES:
            made = await _at(system, mailbox, rate, bench.scaled(seconds))
            found += _rate_rows(made)
            if made.late:
                break
        busy = {name: megabytes(pid) for name, pid in pids.items()}
        found += [_memory_row(name, idle[name], busy[name]) for name in pids]
        found += [await _day(bench, system), await _figures(bench, system)]
    return found


@asynccontextmanager
async def _running(bench: Bench, mailbox: Mailbox) -> AsyncIterator[System]:
    async with receiving(mailbox) as port:
        system = System(bench, port)
        async with system.running(system.membership, system.notifications):
            await system.quiet()
            yield system


async def _at(system: System, mailbox: Mailbox, rate: int, seconds: int) -> Flow:
    await system.shorten()
    mailbox.arrived.clear()
    made = await flow(system.membership.port, system.interests(), rate, seconds)
    behind = await mailbox.until(len(made.sent)) - made.sent[-1]
    if behind > BEHIND_SECONDS and not made.late:
        made.late = f"the last email came {behind:.1f} s after the last request"
    came = mailbox.by_number()
    # Notes are numbered from 1 in the order of sending.
    made.emails = [came[number] - sent for number, sent in enumerate(made.sent, start=1)]
    await system.quiet()
    return made


def _rate_rows(made: Flow) -> list[Row]:
    def row(what: str, seconds: Sequence[float], note: str = "") -> Row:
        p50, p99 = (statistics.quantiles(seconds, n=100, method="inclusive")[place] * 1000 for place in (49, 98))
        return Row(
            stage=NAME, what=f"{made.rate:,} a second: {what}", value=p50, unit=f"ms, p99 {p99:.0f} ms", note=note
        )

    late = f"here it cannot keep up: {made.late}" if made.late else ""
    return [row("POST to answer, p50", made.answers), row("POST to email taken, p50", made.emails, late)]


def _memory_row(name: str, idle: float, busy: float) -> Row:
    return Row(stage=NAME, what=f"memory of {name} after these", value=busy, unit=f"MB, idle {idle:.0f} MB")


async def _day(bench: Bench, system: System) -> Row:
    """Play a day of all offices and the LPR as fast as possible, until the last email has been sent."""
    requests, towns = iter(day(system)), _towns()
    await system.shorten()
    async with httpx.AsyncClient(base_url=f"http://{HOST}:{system.membership.port}", timeout=30) as http:
        with bench.measured(**system.pids) as sample:
            staff = Staff(http, system.settings.token_private_key)
            work = [_work(system.membership.port, requests, sample) for _ in range(STAFF)]
            await asyncio.gather(*work, *map(staff.accession, towns))
            sample.count += sum(len(town.signatures) + 2 for town in towns)
            await system.quiet()
    spent = ", ".join(f"{name} {seconds:.1f}" for name, seconds in sample.cpu.items() if seconds >= 0.1)  # noqa: PLR2004
    return Row(
        stage=NAME,
        what=f"a day of the alliance, {sample.count:,} requests, of them {ACCESSIONS} accessions",
        value=sample.seconds,
        unit="s",
        note=f"{DAY_SECONDS / sample.seconds:,.0f} times as fast as the day; seconds of CPU time: {spent}",
    )


async def _figures(bench: Bench, system: System) -> Row:
    """Measure today's figures of the alliance, which are recounted each time."""
    connection = await Connection.open(system.membership.port)
    look = request("/membership/v1/alliance", system.token, {}, method="GET")

    async def figures() -> None:
        status, body = await connection.send(look)
        assert status == httpx.codes.OK, body

    sample = await bench.repeated(figures, bench.scaled(LOOKS), at_once=1)
    connection.close()
    return Row(stage=NAME, what=f"figures of {len(system.ags)} municipalities recounted, median",
               value=sample.median, unit="ms")  # fmt: skip


async def _work(port: int, requests: Iterator[bytes], sample: Sample) -> None:
    """Work as one of the staff: take the next request once the previous one is answered."""
    connection = await Connection.open(port)
    for one in requests:
        status, body = await connection.send(one)
        if status >= httpx.codes.BAD_REQUEST:
            raise RuntimeError(f"{status} {body.decode()}")
        sample.count += 1
    connection.close()


def day(system: System) -> list[bytes]:
    """Return the requests of a day, in a random order that is always the same."""
    made: list[bytes] = []

    def look(path: str, token: str) -> None:
        made.append(request(f"/membership/v1{path}", token, {}, method="GET"))

    for ags in system.ags:
        office = Town(ags, POLICE_DIRECTORATE_OF[ags[:5]]).office
        token = issue_token(office, system.settings.token_private_key)
        for path in OFFICE:
            look(path.format(ags=ags), token)
    token = issue_token(LPR, system.settings.token_private_key)
    for path in LPR_LOOKS * LPR_LOOKS_TIMES:
        look(path, token)
    interests = system.interests(keys=True)
    made += [next(interests) for _ in range(INTERESTS)]
    for number, ags in enumerate(system.ags[:CONSULTATIONS]):
        body = {"held_on": "2023-01-20", "topics": ["Graffiti", "Jugend"], "next_step": "Entwurf der Vereinbarung"}
        path = f"/membership/v1/municipalities/{ags}/consultations"
        made.append(request(path, system.token, body, key=f"consultation-{number}"))
    random.Random(1).shuffle(made)  # noqa: S311 -- the same order each time
    return made


def _towns() -> list[Town]:
    """Return the municipalities without an agreement."""
    known = {row["ags"] for row in rows("alliance_2023-01.csv") if row["stage"] == "member"}
    free = sorted(row["ags"] for row in rows("municipalities.csv") if row["ags"] not in known)
    return [Town(ags, POLICE_DIRECTORATE_OF[ags[:5]]) for ags in free[:ACCESSIONS]]
