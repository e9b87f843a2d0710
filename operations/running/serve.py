"""`asskomm serve`: one service in one process, as in production."""

import asyncio
import gc
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from litestar import Litestar

from operations.services import SERVICES, service_of
from shared.runtime.log import configure_logs
from shared.runtime.settings import Environ
from shared.runtime.watchdog import Watchdog

STOP_SECONDS = 7
GARBAGE = 10_000
"""The number of new objects that triggers a garbage collection; some ten requests make Python's default, 700."""


class QuietServer(uvicorn.Server):
    """A server that leaves signals to its caller."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do not raise the signal again after stopping, as uvicorn does: a clean end would look like a failure."""
        yield


def serve_service(name: str, environ: Environ, *, host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C; a watchdog ends the process if it cannot recover."""
    app = SERVICES[name](environ)
    service = service_of(app)
    configure_logs(name, service.settings.log_level)
    service.in_background(Watchdog(service.broker).run)
    serve(app, host=host, port=port)


def serve(app: Litestar, *, host: str, port: int) -> None:
    """Serve an application until SIGTERM or Ctrl-C."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    spare_what_stays()
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(_serve(QuietServer(config)))


def spare_what_stays() -> None:
    """Exempt everything that exists by now from garbage collection, which would take a sixth of all CPU time."""
    gc.freeze()
    gc.set_threshold(GARBAGE)


async def _serve(server: QuietServer) -> None:
    def stop() -> None:
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    await server.serve()
