"""A service as a process, as in production, and a keeper that restarts dead processes."""

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping

import httpx

from operations.embedded.child import HOST, PROJECT, Server, answers


class Process(Server):
    """One replica of a service: `asskomm serve NAME`, or a build that exists only for tests."""

    def __init__(self, service: str, replica: int, folder: os.PathLike[str], environ: Mapping[str, str]) -> None:
        self.service = service
        self.name = f"{service}-{replica}"
        super().__init__(folder)  # type: ignore[arg-type]
        self.environ = environ
        self.module, self.code = "operations.cli", PROJECT
        self.extra: dict[str, str] = {}
        """Environment of this start only, such as the crash point."""
        self._starting = threading.Lock()
        self.wanted = False
        self.paused = False
        self.deaths: list[int] = []
        """The exit status of each death, by itself or by a kill."""

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def status(self) -> int | None:
        """The exit status, once the process has ended."""
        return self._process.poll() if self._process else None

    def spawn(self) -> None:
        # The keeper may restart the process at the same moment.
        with self._starting:
            if not self.running:
                super().spawn()
            self.wanted = True

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def pause(self) -> None:
        self.paused = True
        super().pause()

    def resume(self) -> None:
        self.paused = False
        super().resume()

    def _command(self) -> list[str]:
        environ = [f"{name}={value}" for name, value in {**self.environ, **self.extra}.items()]
        run = [sys.executable, "-m", self.module, "serve", self.service]
        return ["/usr/bin/env", f"--chdir={self.code}", *environ, *run, "--port", str(self.port)]

    def _is_ready(self) -> bool:
        # An HTTP request costs more than a port check, and a starting process needs the CPU.
        ready = answers(self.port) and self.answers("/health/ready")
        time.sleep(0 if ready else 0.03)
        return ready

    def answers(self, path: str) -> bool:
        """True if a request without a token succeeds."""
        try:
            # Without `verify`, because loading all certificates takes 50 ms each time.
            return httpx.get(f"{self.url}{path}", timeout=3, verify=False).is_success  # noqa: S501
        except httpx.TransportError:
            return False


class Keeper:
    """Restarts dead processes, like a container's restart policy."""

    def __init__(self, processes: Mapping[str, Process]) -> None:
        self._processes = processes
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _keep(self) -> None:
        while True:
            for process in self._processes.values():
                if process.wanted and not process.running and process.status is not None:
                    process.deaths.append(process.status)
                    process.extra = {name: value for name, value in process.extra.items() if name != "ASSKOMM_CRASH"}
                    process.spawn()
            await asyncio.sleep(0.05)
