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
"""How many objects more than before are worth looking through for garbage; Python's 700 come with some ten requests."""


class QuietServer(uvicorn.Server):
    """A server that leaves signals to whoever runs it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Uvicorn would raise the signal once more when it has stopped, so that a clean end looked like a failure."""
        yield


def serve_service(name: str, environ: Environ, *, host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C; a watchdog ends the process when it is beyond repair."""
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
    """What is there by now stays: to look through it for garbage, again and again, would take a sixth of all time."""
    gc.freeze()
    gc.set_threshold(GARBAGE)


async def _serve(server: QuietServer) -> None:
    def stop() -> None:
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    await server.serve()
