"""HTTP: our POST with event, token and log line, beside the same POST that ends in a bare insert.

The services run as separate processes, as in production. This process generates the load over raw sockets, to use
little CPU. The floor has the same frame (token, log line, body, answer of the same size).
"""

import asyncio
import itertools
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import msgspec
from litestar import Litestar, Response, post
from litestar.params import FromPath, JSONBody

from benchmarks.measure import Bench, Results, Row, Sample
from operations.care.status import status
from operations.demo.load import load
from operations.embedded.child import HOST, PROJECT, Server, answers
from operations.running.keys import certificate_keys, token_keys
from operations.running.serve import serve
from operations.running.setup import set_up
from operations.services import create_services
from operations.settings import OperatorSettings
from services.membership.api.bodies import InterestShown
from shared.kernel.ids import new_id
from shared.runtime.log import configure_logs
from shared.runtime.service import Service
from shared.runtime.settings import Settings, read_settings
from shared.store.mongo import Database
from shared.web.application import application
from shared.web.requests import Asked
from shared.web.rights import Role, actor
from shared.web.tokens import Tokens, issue_token

NAME = "http"
CONNECTIONS = 32
DAY = "2023-01-27"
LPR = actor("lpr/geschaeftsstelle", Role.LPR)
QUIET_WITHIN_SECONDS = 60.0
REFUSED = 400
REQUESTS = 2000
"""So many that the first and last few, when not all connections are busy, hardly count."""
GOAL = 1.3


class Connection(asyncio.Protocol):
    """A kept-alive connection to an HTTP server, with one request at a time."""

    def __init__(self) -> None:
        self._buffer = b""
        self._answered: asyncio.Future[tuple[int, bytes]] | None = None

    @staticmethod
    async def open(port: int) -> "Connection":
        """Connect to a local port."""
        _, protocol = await asyncio.get_running_loop().create_connection(Connection, HOST, port)
        return protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def send(self, request: bytes) -> "asyncio.Future[tuple[int, bytes]]":
        """Send a request; return the status and the body of the answer."""
        assert self._answered is None, "one request at a time"
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answered

    def data_received(self, data: bytes) -> None:
        """Deliver the answer once it is complete."""
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        _, _, length = head.lower().partition(b"content-length: ")
        if not end or len(body) < int(length.partition(b"\r\n")[0] or 0):
            return
        answered, self._answered, self._buffer = self._answered, None, b""
        assert answered is not None, "an answer without a request"
        answered.set_result((int(head[9:12]), body))

    def connection_lost(self, _: Exception | None) -> None:
        """Report the lost connection to the waiting caller."""
        if self._answered:
            self._answered.set_exception(ConnectionError("the server hung up"))

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()


async def closed_loop(
    sample: Sample, port: int, requests: Iterator[bytes], count: int, *, connections: int = CONNECTIONS
) -> None:
    """Send so many requests over several connections; each sends the next one when it has its answer."""
    opened = [await Connection.open(port) for _ in range(connections)]
    turns = itertools.repeat(None, count)

    async def work(connection: Connection) -> None:
        for _ in turns:
            began = time.perf_counter()
            status, body = await connection.send(next(requests))
            sample.latencies.append(time.perf_counter() - began)
            if status >= REFUSED:
                raise RuntimeError(f"{status} {body.decode()}")

    began = time.perf_counter()
    await asyncio.gather(*map(work, opened))
    sample.seconds, sample.count = time.perf_counter() - began, count
    for connection in opened:
        connection.close()


def request(path: str, token: str, body: Mapping[str, Any], *, key: str = "", method: str = "POST") -> bytes:
    """Return a request as bytes, with an Idempotency-Key if there is one."""
    content = msgspec.json.encode(body) if body else b""
    headers = f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\n"
    headers += f"Idempotency-Key: {key}\r\n" if key else ""
    headers += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n" if content else ""
    return headers.encode() + b"\r\n" + content


class Program(Server):
    """A Python process that answers on a port."""

    def __init__(self, name: str, folder: Path, arguments: list[str], environ: Mapping[str, str]) -> None:
        self.name = name
        super().__init__(folder)
        self._arguments, self._environ = arguments, environ

    def _command(self) -> list[str]:
        environ = [f"{name}={value}" for name, value in self._environ.items()]
        arguments = [*self._arguments, "--port", str(self.port)]
        return ["/usr/bin/env", f"--chdir={PROJECT}", *environ, sys.executable, "-m", *arguments]

    def _is_ready(self) -> bool:
        time.sleep(0.02)
        return answers(self.port)


class System:
    """Membership and notifications as processes, with the alliance of January 2023 loaded."""

    def __init__(self, bench: Bench, smtp_port: int = 0) -> None:
        folder = bench.servers.folder
        token_keys(folder)
        certificate_keys(folder)
        self.environ = {
            "ASSKOMM_MONGO_URI": bench.servers.mongo_uri,
            # As in production, the stream syncs before it acknowledges.
            "ASSKOMM_NATS_URL": bench.always.url,
            "ASSKOMM_SMTP_PORT": str(smtp_port or bench.servers.smtp_port),
            "ASSKOMM_SMTP_SECURITY": "none",
            "ASSKOMM_TOKEN_PUBLIC_KEY_FILE": str(folder / "token-public.pem"),
            "ASSKOMM_TOKEN_PRIVATE_KEY_FILE": str(folder / "token-private.pem"),
            "ASSKOMM_CERTIFICATE_KEY_FILE": str(folder / "certificate-private.pem"),
            "ASSKOMM_AS_OF": DAY,
        }
        self.folder = folder
        self.settings = read_settings(OperatorSettings, self.environ)
        self.token = issue_token(LPR, self.settings.token_private_key)
        self.membership = self._service("membership")
        self.notifications = self._service("notifications")
        self.services: list[Service] = create_services(self.environ)
        """For looking at their databases; the processes have their own."""
        self.ags: list[str] = []

    @property
    def pids(self) -> dict[str, int]:
        """Return the process ids of the running services."""
        return {one.name: one.pid for one in (self.membership, self.notifications) if one.running}

    def _service(self, name: str) -> Program:
        return Program(name, self.folder, ["operations.cli", "serve", name], self.environ)

    @asynccontextmanager
    async def running(self, *programs: Program) -> AsyncIterator[None]:
        """Set up, load, and run these processes until the end of `with`."""
        await set_up(create_services(self.environ), self.settings.nats_url)
        await load(self.environ)
        for service in self.services:
            service.database.open()
        found = self.services[0].database["municipalities"].find({"valid_to": None}, {"_id": 1})
        self.ags = sorted([one["_id"] async for one in found])
        try:
            await asyncio.gather(*(asyncio.to_thread(program.start) for program in programs))
            if self.membership.running:
                await self.published()
            yield
        finally:
            for program in programs:
                program.kill()
            for service in self.services:
                await service.database.close()

    async def shorten(self) -> None:
        """Delete all interests, so that municipalities are equally large in each round."""
        await self.services[0].database["municipalities"].update_many({}, {"$set": {"interests": []}})

    async def quiet(self) -> None:
        """Wait until no work is pending; raises TimeoutError."""
        async with asyncio.timeout(QUIET_WITHIN_SECONDS):
            url = self.settings.nats_url
            while any(one.busy for one in (await status(self.services, url)).values()):  # noqa: ASYNC110 -- it polls
                await asyncio.sleep(0.1)

    async def published(self) -> None:
        """Wait until membership's relay has published everything."""
        events = self.services[0].database["events"]
        while await events.count_documents({"unpublished": True}):  # noqa: ASYNC110 -- it polls MongoDB
            await asyncio.sleep(0.05)

    def interests(self, prefix: str = "/membership/v1", *, keys: bool = False) -> Iterator[bytes]:
        """Yield requests endlessly: one municipality after another shows interest, each with its own note."""
        for number, ags in enumerate(itertools.cycle(self.ags), start=1):
            body = {"shown_on": "2023-01-12", "note": f"m{number}"}
            path = f"{prefix}/municipalities/{ags}/interests"
            yield request(path, self.token, body, key=new_id() if keys else "")


def floor(settings: Settings) -> Litestar:
    """The floor: the same POST, ending in a bare insert of a municipality."""
    database, known = Database(settings.mongo_uri, "floor"), dict[str, dict[str, Any]]()

    @post("/floor/v1/municipalities/{ags:str}/interests")
    async def interest(request: Asked, ags: FromPath[str], data: JSONBody[InterestShown]) -> Response[dict[str, Any]]:
        request.user.require(Role.LPR)
        shown = {"shown_on": data.shown_on.isoformat(), "note": data.note, "actor": request.user.subject}
        answer = known[ags] | {"interests": [shown]}
        await database["municipalities"].insert_one(answer | {"_id": new_id()})
        return Response(answer, status_code=201, headers={"Location": f"/floor/v1/municipalities/{ags}"})

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        database.open()
        async for one in database.client["membership"]["municipalities"].find():
            known[one.pop("_id")] = one
        yield
        await database.close()

    return application("floor", [interest], tokens=Tokens(settings.token_public_key), ready=_ready, lifespan=lifespan)


async def run(bench: Bench) -> list[Row]:
    """Measure our POST without and with an Idempotency-Key, and the floor."""
    system = System(bench)
    bare = Program("floor", system.folder, ["benchmarks.stages.http"], system.environ)
    count = REQUESTS

    async def ours(*, keys: bool) -> Sample:
        await system.shorten()
        with bench.measured(**system.pids) as sample:
            await closed_loop(sample, system.membership.port, system.interests(keys=keys), count)
            # The CPU time includes publishing the events.
            await system.published()
        return sample

    async def floor() -> Sample:
        with bench.measured(floor=bare.pid) as sample:
            await closed_loop(sample, bare.port, system.interests("/floor/v1"), count)
        return sample

    async with system.running(system.membership, bare):
        found = await bench.interleaved(floor=floor, ours=lambda: ours(keys=False), keyed=lambda: ours(keys=True))
    what = f"POST with event, token, log, {CONNECTIONS} connections"
    return [_row(found, "ours", what, f"≥ {GOAL} × floor"), _row(found, "keyed", "the same with an Idempotency-Key")]


def _row(found: Results, name: str, what: str, goal: str = "") -> Row:
    ratio = found.ratio(name, "floor", lambda one: one.rate)
    times = f"p50 {found.of(name, lambda one: one.median):.0f} ms, p99 {found.of(name, lambda one: one.p99):.0f} ms"
    return Row(
        stage=NAME,
        what=what,
        value=found.of(name, lambda one: one.rate),
        unit="/s",
        floor=found.of("floor", lambda one: one.rate),
        ratio=ratio,
        goal=goal,
        met=ratio >= GOAL,
        note=f"{times}; CPU µs: {found.cpu(name)}; floor {found.cpu('floor')}",
    )


async def _ready() -> dict[str, bool]:
    return {"mongodb": True}


def _serve_floor(port: int) -> None:
    configure_logs("floor")
    serve(floor(read_settings(Settings, os.environ)), host=HOST, port=port)


if __name__ == "__main__":
    _serve_floor(int(sys.argv[-1]))
