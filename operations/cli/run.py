"""Commands that run the system: the demo, all of it here, or one service."""

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from operations.cli.settings import console, find_environ, folder
from operations.embedded.servers import EmbeddedServers


class ServiceName(StrEnum):
    """The names of the services on the command line."""

    MEMBERSHIP = "membership"
    NOTIFICATIONS = "notifications"


def demo(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of the story.")] = False,
    keep: Annotated[bool, typer.Option(help="Keep the data of the demo in `var/demo`.")]
    = False,
) -> None:  # fmt: skip
    """Play the accession of Rothenburg/O.L. on the whole system, and show the emails that staff get."""
    place = folder() / "demo" if keep else Path(tempfile.mkdtemp(prefix="asskomm-demo-"))
    if keep:  # The story starts from scratch.
        shutil.rmtree(place, ignore_errors=True)
    try:
        with _progress(quiet=as_json) as progress, _starting(place, progress, keep=keep) as servers:
            from operations.demo.demo import play_demo  # noqa: PLC0415

            play_demo(servers, progress, as_json=as_json)
    finally:
        if not keep:
            shutil.rmtree(place, ignore_errors=True)
    if keep and not as_json:
        typer.echo(f"\nThe emails again: ASSKOMM_VAR={place} asskomm mail list")


def up(
    *,
    port: Annotated[int, typer.Option(help="The port that everything answers on.")] = 8080,
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Run as on this day.")] = None,
) -> None:
    """Run everything here, on embedded servers behind one port, until Ctrl-C."""
    with _progress() as progress, _starting(folder(), progress, keep=True, fixed_ports=True) as servers:
        from operations.demo.up import run_up  # noqa: PLC0415
        from operations.running.local import run  # noqa: PLC0415

        run(run_up(servers, progress, port=port, as_of=as_of.date() if as_of else None))


def serve(
    service: Annotated[ServiceName, typer.Argument(help="The service to run.")],
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8000,
) -> None:
    """Run one service until it is stopped, as in production."""
    from operations.running.serve import serve_service  # noqa: PLC0415

    serve_service(service, find_environ(), host=host, port=port)


@contextmanager
def _progress(*, quiet: bool = False) -> Iterator[Progress]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not sys.stderr.isatty()) as progress:
        yield progress


@contextmanager
def _starting(place: Path, progress: Progress, *, keep: bool, fixed_ports: bool = False) -> Iterator[EmbeddedServers]:
    """Start the embedded servers while the libraries of the services are loaded."""
    place.mkdir(parents=True, exist_ok=True)
    task = progress.add_task("NATS, MongoDB und Postausgang starten", total=None)
    mongo, nats, smtp = (27117, 4322, 1125) if fixed_ports else (None, None, None)
    servers = EmbeddedServers(place, keep=keep, mongo_port=mongo, nats_port=nats, smtp_port=smtp)
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(servers.__enter__)
        began = time.perf_counter()
        import operations.running.local  # noqa: F401, PLC0415

        imports = time.perf_counter() - began
        starting.result()
    servers.timings["imports (meanwhile)"] = imports
    progress.remove_task(task)
    try:
        yield servers
    finally:
        servers.__exit__(None, None, None)
