"""Measures everything beside its floor and its rival: `make bench`.

`--only write,relay` chooses stages, `--quick` measures less often, `--full` also what takes long, `--json` prints for
programs, and `--write` puts the table into docs/performance.md.
"""

import argparse
import asyncio
import importlib
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec

from benchmarks.measure import Bench, Row, opened
from operations.running.local import run

STAGES = ("write", "relay", "consume", "http", "mail", "whole", "rates", "scale", "start")
PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
SAY_ENOUGH = 100
"""From here on, digits after the point say nothing."""


async def main(arguments: Sequence[str]) -> None:
    """Run the stages that were asked for, and say what came out."""
    asked = _asked(arguments)
    began = time.monotonic()
    rows: list[Row] = []
    for stage in asked.only.split(","):
        print(f"{stage} ({time.monotonic() - began:.0f} s so far)", file=sys.stderr, flush=True)
        try:
            rows += await _stage(stage, quick=asked.quick, full=asked.full)
        except Exception:
            print(table(rows))  # What was measured so far is not lost.
            raise
    figures = f"{_machine()}. Took {(time.monotonic() - began) / 60:.0f} minutes.\n\n{table(rows)}"
    print(msgspec.json.format(msgspec.json.encode(rows)).decode() if asked.json else figures)
    if asked.write:
        await asyncio.to_thread(_write, figures)


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", default=",".join(STAGES), help=f"stages, with commas between: {', '.join(STAGES)}")
    parser.add_argument("--quick", action="store_true", help="fewer rounds of less work")
    parser.add_argument("--full", action="store_true", help="as large as the goals say, however long that takes")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--write", action="store_true", help=f"put the table into docs/{PAGE.name}")
    return parser.parse_args(arguments)


async def _stage(name: str, *, quick: bool, full: bool) -> list[Row]:
    """Each stage has servers of its own, so that none inherits what another one left."""
    stage: Callable[[Bench], Awaitable[list[Row]]] = importlib.import_module(f"benchmarks.stages.{name}").run
    folder = Path(tempfile.mkdtemp(prefix="asskomm-bench-"))
    try:
        async with opened(folder, quick=quick, full=full) as bench:
            return await stage(bench)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def table(rows: Sequence[Row]) -> str:
    """The rows as a table in Markdown, and the notes below it."""
    columns = ("stage", "what", "ours", "floor", "rival", "ratio", "goal", "met")
    lines = [columns, ("---",) * len(columns), *map(_cells, rows)]
    notes = [f"* {row.stage}, {row.what}: {row.note}" for row in rows if row.note]
    return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), "", *notes]) + "\n"


def _cells(row: Row) -> tuple[str, ...]:
    met = ("yes" if row.met else "**no**") if row.goal else ""
    ours = f"{_number(row.value)} {row.unit}"
    return row.stage, row.what, ours, _number(row.floor), _number(row.rival), _number(row.ratio), row.goal, met


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= SAY_ENOUGH else f"{value:.3g}"


def _machine() -> str:
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"Measured on {os.cpu_count()} cores, {system}"


def _write(figures: str) -> None:
    """Replace what stands between the markers; a page without them gets them at its end."""
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "# Performance\n"
    if BEGIN not in page:
        page += f"\n{BEGIN}\n{END}\n"
    before, _, rest = page.partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{figures}{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    run(main(sys.argv[1:]))
