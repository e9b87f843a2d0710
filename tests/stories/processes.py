"""The services as separate processes, as in production, which can be killed at any point."""

import sys
from pathlib import Path

import httpx

from operations.demo.accessions import DAY
from operations.demo.load import load
from operations.embedded.child import HOST, Server
from operations.embedded.mail_sink import Mail, read_mails
from operations.embedded.servers import EmbeddedServers
from operations.running.local import System, environ_for
from operations.running.setup import set_up
from operations.services import create_services
from shared.store.crashpoints import VARIABLE


class Process(Server):
    """One service: `asskomm serve NAME`, with the settings in its folder."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        super().__init__(folder)
        self.crash = ""
        """The crash point, and how often it is passed before; empty for none."""
        self.revived = 0

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def status(self) -> int | None:
        """The exit status, once the process has ended."""
        return self._process.poll() if self._process else None

    @property
    def killed(self) -> bool:
        """True if the process was ended by SIGKILL."""
        return self._process is not None and self._process.poll() == -9

    def revive(self) -> None:
        """Restart the process, without a crash point, if it was killed."""
        if self.killed:
            self.crash = ""
            self.revived += 1
            self.start()

    def _command(self) -> list[str]:
        environ = [f"ASSKOMM_VAR={self.folder}", f"{VARIABLE}={self.crash}"]
        return [
            "/usr/bin/env",
            *environ,
            sys.executable,
            "-m",
            "operations.cli",
            "serve",
            self.name,
            "--port",
            str(self.port),
        ]

    def _is_ready(self) -> bool:
        try:
            # Without `verify`, because loading all certificates takes 50 ms each time.
            return httpx.get(f"{self.url}/health/ready", timeout=5, verify=False).is_success  # noqa: S501
        except httpx.TransportError:
            return False


class World:
    """Servers, two service processes, and access to their databases."""

    def __init__(self, servers: EmbeddedServers) -> None:
        self.servers = servers
        environ = environ_for(servers, port=1, as_of=DAY, smtp_timeout=1.2)
        self.processes = {name: Process(name, servers.folder) for name in ("membership", "notifications")}
        self.system = System(environ, create_services(environ), "", servers.maildir, {})

    async def open(self) -> None:
        """Set up and load; the services are not running yet."""
        await set_up(create_services(self.system.environ), self.servers.nats_url)
        await load(self.system.environ)
        for service in self.system.services:
            service.database.open()

    async def close(self) -> None:
        for process in self.processes.values():
            process.kill()
        for service in self.system.services:
            await service.database.close()

    def start(self, crash: dict[str, str] | None = None) -> None:
        """Run both services, one of them with a crash point; a process that already runs as required stays."""
        for name, process in self.processes.items():
            point = (crash or {}).get(name, "")
            process.revived = 0
            if not process.running or process.crash != point:
                process.stop()
                process.crash = point
                process.spawn()
        for process in self.processes.values():
            process.wait_ready()

    def stop(self) -> None:
        """Stop both gracefully, as an operator would."""
        for process in self.processes.values():
            process.stop()

    def kill(self) -> None:
        for process in self.processes.values():
            process.kill()

    def revive(self) -> None:
        for process in self.processes.values():
            process.revive()

    def emails_about(self, agreement: str) -> list[Mail]:
        return [mail for mail in read_mails(self.servers.maildir) if agreement in mail.subject]
