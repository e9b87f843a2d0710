"""A complete system of its own: real servers, services as processes, and the links between them."""

import asyncio
import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from operations.embedded.servers import MailSink, Server
from tests.chaos.journal import Journal
from tests.chaos.link import HOST, Link
from tests.chaos.process import Keeper, Process
from tests.chaos.servers import PASSWORD, USER, Clocked, Nats, clock, make_keys
from tests.chaos.trio import Trio

DAY = "2023-01-27"
"""The day on which the services run."""
EVE = "2023-01-26"
"""The day on which everything happens that offices record; also if a clock jumps back over midnight, it is past."""
SMTP_TIMEOUT = 1.2
READY_WITHIN_SECONDS = 40.0
SERVICES = ("membership", "notifications")
BUILDS = "tests.builds"
"""Programs that exist only for tests: broken builds, and a service that spends from a purse."""


@dataclass(frozen=True)
class Shape:
    """The configuration of a world."""

    replicas: int = 1
    linked: bool = False
    """True if services reach the servers over breakable links."""
    purse: bool = False
    sabotage: str = ""
    nats_megabytes: int = 0
    """The size of its disk; 0 for one that never fills up."""
    mongo_megabytes: int = 0
    faketime: bool = False
    """True if clocks can jump."""
    nodes: int = 1
    """The number of mongods."""


@dataclass
class Allowance:
    """Deviations that a fault makes unavoidable, and data that it injects itself."""

    stream_doubles: bool = False
    """An event may be in the stream twice: it was published again, or after the duplicate window."""
    unknown_emails: int = 0
    """How many emails may be sent twice, because sending was cut after the final dot."""
    clocks_jumped: bool = False
    """Recorded times do not show the order of events."""
    versions_differ: bool = False
    """Two versions answer, and the later one may have fields that the former one does not know."""
    foreign: set[str] = field(default_factory=set)
    """Ids of messages that no service has published."""
    parked: set[str] = field(default_factory=set)
    """Ids of events that should be parked."""


class World:
    """Servers and services, and the means to break and heal them."""

    def __init__(self, folder: Path, shape: Shape) -> None:
        self.folder, self.shape = folder, shape
        folder.mkdir(parents=True, exist_ok=True)
        self.mongod = Trio(folder) if shape.nodes > 1 else Clocked(folder, faketime=shape.faketime)
        self.nats = Nats(folder)
        self.mail = MailSink(folder)
        self.servers: dict[str, Server | Trio] = {"mongod": self.mongod, "nats": self.nats, "mail": self.mail}
        self.journal = Journal(folder / "journal.jsonl")
        self.allowance = Allowance()
        self.processes: dict[str, Process] = {}
        self.links: dict[tuple[str, str], Link] = {}
        self.keeper = Keeper(self.processes)
        self.mounts: list[Path] = []
        self.healed_at = 0.0
        self.notes: list[str] = []
        """Findings of the fault itself, for the table."""

    def healed(self) -> None:
        """Note that from now on the system must recover by itself."""
        self.healed_at = time.monotonic()

    @property
    def mongo_uri(self) -> str:
        """The URI under which the referee itself reaches MongoDB."""
        return self.mongod.uri if isinstance(self.mongod, Trio) else _direct(self.mongod.port)

    def replicas(self, service: str) -> list[Process]:
        """Return all processes of one service."""
        return [process for process in self.processes.values() if process.service == service]

    def link(self, service: str, server: str) -> list[Link]:
        """Return the links between a service's replicas and a server."""
        return [link for (name, to), link in self.links.items() if to == server and name.startswith(service)]

    async def open(self, template: Path | None) -> None:
        """Start everything, on a copy of a prepared world."""
        self._mount()
        for whose in ("services", "mongod"):
            self.set_clock(whose, "+0")
        if self.shape.nodes > 1:
            template = None
        if template is not None:
            for name in ("mongod", "nats", "keys"):
                await asyncio.to_thread(_copy, template / name, self.folder / name)
        make_keys(self.folder / "keys")
        await asyncio.gather(*(asyncio.to_thread(server.start) for server in self.servers.values()))
        if template is None:
            await self.run("setup")
            await self.run("load")
        if self.shape.purse:
            await self.run("setup", module=BUILDS)
        for service in (*SERVICES, *(["purse"] if self.shape.purse else [])):
            for replica in range(1, self.shape.replicas + 1):
                await self._add(service, replica)
        self.start_services()
        await self.ready()
        self.keeper.start()

    async def close(self, *, keep: bool = False) -> None:
        """Kill everything; with `keep`, the logs, the journal and the mailbox stay."""
        await self.keeper.stop()
        for process in self.processes.values():
            process.kill()
        for link in self.links.values():
            await link.close()
        for server in self.servers.values():
            server.kill()
        self.journal.close()
        for mount in self.mounts:
            await asyncio.to_thread(subprocess.run, ["umount", "--lazy", str(mount)], check=False)
        for folder in ("mongod", "nats", ".") if not keep else ("mongod", "nats"):
            shutil.rmtree(self.folder / folder, ignore_errors=True)

    def start_services(self) -> None:
        """Start every service that is not running."""
        for process in self.processes.values():
            if not process.running:
                process.spawn()

    async def ready(self) -> None:
        """Wait until all services are ready, including restarting ones."""
        async with asyncio.timeout(READY_WITHIN_SECONDS):
            for process in self.processes.values():
                while not await asyncio.to_thread(process.answers, "/health/ready"):
                    await asyncio.sleep(0.03)

    async def crash_at(self, process: Process, point: str, hit: int) -> None:
        """Restart a process so that it dies when it passes a crash point for the n-th time."""
        await self.restart(process, ASSKOMM_CRASH=f"{point}:{hit}")

    async def restart(self, process: Process, **extra: str) -> None:
        """Stop a process gracefully and start it again."""
        await self.end(process)
        process.extra = extra
        process.spawn()
        await self.ready()

    async def end(self, process: Process) -> int | None:
        """Stop a process gracefully (SIGTERM); return its exit status."""
        process.wanted = False
        await asyncio.to_thread(process.stop)
        return process.status

    def kill(self, process: Process) -> None:
        """SIGKILL a process; it is restarted at once."""
        process.kill()

    async def run(self, *arguments: str, module: str = "operations.cli", check: bool = True) -> Any:
        """Run an operator command and return its output."""
        program = [sys.executable, "-m", module, *arguments]
        environ = {"PATH": "/usr/sbin:/usr/bin:/bin", **self.environ()}
        process = await asyncio.create_subprocess_exec(
            *program, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await process.communicate()
        if check and process.returncode:
            raise RuntimeError(f"asskomm {' '.join(arguments)} ended with {process.returncode}: {err.decode()[-2000:]}")
        return json.loads(out) if "--json" in arguments and out else out.decode() + err.decode()

    def environ(self, mongo_port: int = 0, nats_port: int = 0, smtp_port: int = 0) -> dict[str, str]:
        """Return the environment of a process, which reaches the servers on these ports, or directly."""
        keys = self.folder / "keys"
        return {
            "ASSKOMM_MONGO_URI": _direct(mongo_port) if mongo_port else self.mongo_uri,
            "ASSKOMM_NATS_URL": f"nats://{USER}:{PASSWORD}@{HOST}:{nats_port or self.nats.port}",
            "ASSKOMM_SMTP_PORT": str(smtp_port or self.mail.port),
            "ASSKOMM_SMTP_SECURITY": "none",
            "ASSKOMM_SMTP_TIMEOUT": str(SMTP_TIMEOUT),
            "ASSKOMM_TOKEN_PUBLIC_KEY_FILE": str(keys / "token-public.pem"),
            "ASSKOMM_TOKEN_PRIVATE_KEY_FILE": str(keys / "token-private.pem"),
            "ASSKOMM_CERTIFICATE_KEY_FILE": str(keys / "token-private.pem"),
            "ASSKOMM_AS_OF": DAY,
            **(clock(self.folder, "services") if self.shape.faketime else {}),
        }

    def set_clock(self, whose: str, offset: str) -> None:
        """Set the clock of the services or of mongod ahead of the real one, or behind it."""
        new = self.folder / f"clock-{whose}.new"
        new.write_text(offset)
        new.replace(self.folder / f"clock-{whose}")

    async def _add(self, service: str, replica: int) -> None:
        ports: dict[str, int] = {}
        if self.shape.linked:
            servers: dict[str, Server | Trio] = {"mongo": self.mongod, "nats": self.nats, "smtp": self.mail}
            for name, server in servers.items():
                if name == "smtp" and service != "notifications":
                    continue
                link = self.links[f"{service}-{replica}", name] = Link(partial(_port_of, server))
                await link.start()
                ports[f"{name}_port"] = link.port
        process = Process(service, replica, self.folder, self.environ(**ports))
        if service == "purse" or self.shape.sabotage:
            process.module = BUILDS
            process.environ = {**process.environ, "SABOTAGE": self.shape.sabotage}
        self.processes[process.name] = process

    def _mount(self) -> None:
        for name, size in (("nats", self.shape.nats_megabytes), ("mongod", self.shape.mongo_megabytes)):
            if size:
                place = self.folder / name
                place.mkdir()
                subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}m", "none", str(place)], check=True)
                self.mounts.append(place)


def _direct(port: int) -> str:
    return f"mongodb://{HOST}:{port}/?directConnection=true"


async def make_template(folder: Path) -> None:
    """Create a quiet world with the alliance of January 2023 loaded, as a template for others."""
    from tests.chaos.quiet import quiet  # noqa: PLC0415 -- it needs a world itself

    world = World(folder, Shape())
    await world.open(None)
    await quiet(world)
    await world.keeper.stop()
    for process in world.processes.values():
        await world.end(process)
    for server in world.servers.values():
        await asyncio.to_thread(server.stop)


def _port_of(server: Server | Trio) -> int:
    return server.port


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.lock"))
