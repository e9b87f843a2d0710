"""The whole system in one process behind one port, on embedded servers."""

import asyncio
import signal
import socket
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import uvicorn
import uvloop
from litestar import Litestar
from litestar.types import ASGIApp, Receive, Scope, Send

from operations.care.status import ServiceStatus, status
from operations.embedded.servers import EmbeddedServers
from operations.running.keys import certificate_keys, token_keys, write_secret
from operations.running.serve import QuietServer, spare_what_stays
from operations.running.setup import set_up
from operations.services import create_apps, service_of
from operations.settings import OperatorSettings
from shared.runtime.service import Service
from shared.runtime.settings import Environ, read_settings

T = TypeVar("T")

HOST = "127.0.0.1"
QUIET_WITHIN_SECONDS = 60.0


@dataclass(frozen=True)
class System:
    """A running system: its environment, services and addresses."""

    environ: Environ = field(repr=False)
    services: list[Service]
    url: str
    maildir: Path
    seconds: dict[str, float]
    """Start-up time of each part."""

    @cached_property
    def settings(self) -> OperatorSettings:
        """The settings of its operator."""
        return read_settings(OperatorSettings, self.environ)

    async def status(self) -> dict[str, ServiceStatus]:
        """The status of every service."""
        return await status(self.services, self.settings.nats_url)

    async def quiet(self, within: float = QUIET_WITHIN_SECONDS) -> None:
        """Wait until every event is published and handled, and every email is sent or given up."""
        deadline = time.monotonic() + within
        before, looks, pause = await self.status(), 0, 0.01
        # Something on its way between two places may be seen in neither; a second look then finds another status.
        while looks < 2:  # noqa: PLR2004
            now = await self.status()
            quiet = now == before and not any(status.busy for status in now.values())
            # Looking slows the services down, so look less and less often.
            if time.monotonic() > deadline:
                raise TimeoutError(f"still busy after {within:.0f} s: {before}, then {now}")
            before, looks, pause = now, looks + 1 if quiet else 0, 0.01 if quiet else min(2 * pause, 0.5)
            await asyncio.sleep(pause)


def environ_for(
    servers: EmbeddedServers, *, port: int, as_of: date | None, smtp_timeout: float = 5.0
) -> dict[str, str]:
    """The environment of a system on embedded servers; it is also left in its folder for other commands."""
    private_key, public_key = token_keys(servers.folder)
    certificate_key, retired_keys = certificate_keys(servers.folder)
    environ = {
        "ASSKOMM_MONGO_URI": servers.mongo_uri,
        "ASSKOMM_NATS_URL": servers.nats_url,
        "ASSKOMM_TOKEN_PUBLIC_KEY": public_key,
        "ASSKOMM_TOKEN_PRIVATE_KEY": private_key,
        "ASSKOMM_CERTIFICATE_KEY": certificate_key,
        "ASSKOMM_CERTIFICATE_RETIRED_KEYS": retired_keys,
        "ASSKOMM_AS_OF": as_of.isoformat() if as_of else "",
        "ASSKOMM_PUBLIC_URL": f"http://{HOST}:{port}",
        "ASSKOMM_SMTP_PORT": str(servers.smtp_port),
        "ASSKOMM_SMTP_SECURITY": "none",
        "ASSKOMM_SMTP_TIMEOUT": str(smtp_timeout),
    }
    write_secret(environ_file(servers.folder), msgspec.json.encode(environ))
    return environ


def environ_file(folder: Path) -> Path:
    """The file in which an embedded system leaves its environment for other commands."""
    return folder / "environment.json"


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine with the event loop and garbage collection of production; SIGTERM acts as Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    spare_what_stays()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


@asynccontextmanager
async def running_system(
    servers: EmbeddedServers, *, port: int = 0, as_of: date | None = None
) -> AsyncIterator[System]:
    """Set up and run all services within `with`; they are ready when its body begins."""
    seconds = dict(servers.timings)
    with socket.create_server((HOST, port)) as listening:
        # asyncio sets this only on sockets of its own; without it every answer waits 40 ms for an acknowledgement.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        port = listening.getsockname()[1]
        environ = environ_for(servers, port=port, as_of=as_of)
        with _timed(seconds, "apps"):
            apps = create_apps(environ)
            services = [service_of(app) for app in apps.values()]
        with _timed(seconds, "set-up"):
            await set_up(services, servers.nats_url)
        async with AsyncExitStack() as stack:
            with _timed(seconds, "services"):
                for app in apps.values():
                    await stack.enter_async_context(app.lifespan())
                await stack.enter_async_context(_serving(front(apps), listening))
                await _all_ready(services)
            yield System(environ, services, f"http://{HOST}:{port}", servers.maildir, seconds)


def front(apps: dict[str, Litestar]) -> ASGIApp:
    """One application in front of all services: `/membership/…` goes to membership, and so on.

    The routes that every service has, such as `/health/ready` and `/openapi.json`, are below its name.
    """

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        name, _, rest = scope["path"].removeprefix("/").partition("/")
        app = apps.get(name)
        if app is None:
            # Any service gives the right answer: 404.
            app = next(iter(apps.values()))
        elif not rest.startswith("v1/"):
            scope["path"] = f"/{rest}"
            scope["raw_path"] = scope["path"].encode()
        await app(scope, receive, send)

    return dispatch


@asynccontextmanager
async def _serving(app: ASGIApp, listening: socket.socket) -> AsyncIterator[None]:
    server = QuietServer(uvicorn.Config(app, lifespan="off", access_log=False, log_config=None))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


async def _all_ready(services: list[Service]) -> None:
    for service in services:
        while not all((await service.ready()).values()):  # noqa: ASYNC110 -- servers are asked
            await asyncio.sleep(0.01)


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - started
