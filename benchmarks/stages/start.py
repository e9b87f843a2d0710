"""Start: the whole embedded system in one process until ready, beside mongod's own start and the imports.

Like the command line, the measured process imports little at first, so that servers start while libraries load. It
uses the bytecode of the previous start, as usual: Python is not forced to recompile.
"""

import asyncio
import json
import os
import shutil
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from operations.embedded.servers import EmbeddedServers, Mongod

if TYPE_CHECKING:
    from benchmarks.measure import Bench, Row

NAME = "start"
SECONDS_GOAL, MEGABYTES_GOAL = 1.5, 80
STARTS = 5
PARTS = ("mongod", "mail", "apps", "set-up", "services")


async def run(bench: "Bench") -> "list[Row]":
    """Start on an empty folder, then on existing data; and each of the two parts of the floor alone."""
    samples: list[dict[str, float]] = []
    for number in range(1 + bench.scaled(STARTS)):
        folder = bench.servers.folder / f"start-{number}"
        empty = await _system(folder)
        warm = await _system(folder)
        shutil.rmtree(folder)
        alone = {"alone": await asyncio.to_thread(_mongod, folder), "imports": await _imports()}
        if number:
            samples.append(warm | alone | {"empty": empty["ready"]})
    return _rows({name: statistics.median(one[name] for one in samples) for name in samples[0]})


def _rows(found: dict[str, float]) -> "list[Row]":
    from benchmarks.measure import Row  # noqa: PLC0415 -- see above

    floor = found["alone"] + found["imports"]
    parts = ", ".join(f"{part} {found[part]:.2f}" for part in PARTS)

    def row(name: str, what: str, unit: str, goal: float, **more: Any) -> Row:
        limit = f"≤ {goal} {unit}"
        return Row(stage=NAME, what=what, value=found[name], unit=unit, goal=limit, met=found[name] <= goal, **more)

    def start(name: str, what: str, note: str) -> Row:
        ratio = found[name] / floor
        what = f"whole embedded system ready, {what}"
        return row(name, what, "s", SECONDS_GOAL, floor=floor, ratio=ratio, note=note)

    return [
        start("ready", "on data that is there", f"CPU {found['cpu']:.2f} s; parts in seconds: {parts}"),
        start("empty", "on an empty folder", f"floor: mongod {found['alone']:.2f}, imports {found['imports']:.2f}"),
        row("megabytes", "all services in one process, idle", "MB", MEGABYTES_GOAL, note="PSS, without the servers"),
    ]


async def _system(folder: Path) -> dict[str, float]:
    """Return the seconds from the start of the process until ready, those of its parts, and its memory in MB."""
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, str(folder), stdout=asyncio.subprocess.PIPE, env=_environment()
    )
    out, _ = await process.communicate()
    ready: dict[str, float] = json.loads(out)
    return {**ready, "ready": ready["ready"] - began}


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _mongod(folder: Path) -> float:
    """Return the seconds until mongod alone accepts writes."""
    server = Mongod(folder)
    began = time.monotonic()
    server.start()
    seconds = time.monotonic() - began
    server.destroy()
    return seconds


async def _imports() -> float:
    """Return the seconds of a process that only imports the modules of the system."""
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import operations.running.local", env=_environment()
    )
    await process.wait()
    return time.monotonic() - began


def megabytes(pid: int) -> float:
    """Return the memory of a process with its share of shared pages (PSS); 0 without /proc."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def _start(folder: Path) -> None:
    """Do what `asskomm up` does until it is ready; print when that was, and exit."""
    servers = EmbeddedServers(folder, keep=True)
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(servers.__enter__)
        from operations.running.local import run as run_local  # noqa: PLC0415 -- see above

        starting.result()
    try:
        run_local(_ready(servers))
    finally:
        servers.__exit__(None, None, None)


async def _ready(servers: EmbeddedServers) -> None:
    from operations.running.local import running_system  # noqa: PLC0415 -- see above
    from shared.runtime.log import configure_logs  # noqa: PLC0415 -- see above

    configure_logs("benchmarks", "warning")
    async with running_system(servers) as system:
        ready, cpu = time.monotonic(), time.process_time()
        told = {"ready": ready, "cpu": cpu, "megabytes": megabytes(os.getpid()), **system.seconds}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    _start(Path(sys.argv[1]))
