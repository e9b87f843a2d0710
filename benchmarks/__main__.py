"""Measure everything beside its floor and its rival: `make bench`.

`--only write,relay` selects stages, `--quick` takes fewer measurements, `--full` includes long ones, `--json` prints
JSON, and `--write` updates the table in docs/performance.md.
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
"""From this value on, decimals are noise."""


async def main(arguments: Sequence[str]) -> None:
    """Run the selected stages and print the results."""
    asked = _asked(arguments)
    began = time.monotonic()
    rows: list[Row] = []
    for stage in asked.only.split(","):
        print(f"{stage} ({time.monotonic() - began:.0f} s so far)", file=sys.stderr, flush=True)
        try:
            rows += await _stage(stage, quick=asked.quick, full=asked.full)
        except Exception:
            print(table(rows))  # Keep the results so far.
            raise
    figures = f"{_machine()}. Took {(time.monotonic() - began) / 60:.0f} minutes.\n\n{table(rows)}"
    print(msgspec.json.format(msgspec.json.encode(rows)).decode() if asked.json else figures)
    if asked.write:
        await asyncio.to_thread(_write, figures)


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", default=",".join(STAGES), help=f"stages, separated by commas: {', '.join(STAGES)}")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, less work")
    parser.add_argument("--full", action="store_true", help="measure at the sizes in the goals")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--write", action="store_true", help=f"write the table into docs/{PAGE.name}")
    return parser.parse_args(arguments)


async def _stage(name: str, *, quick: bool, full: bool) -> list[Row]:
    """Run a stage on its own servers, so that it inherits nothing from another."""
    stage: Callable[[Bench], Awaitable[list[Row]]] = importlib.import_module(f"benchmarks.stages.{name}").run
    folder = Path(tempfile.mkdtemp(prefix="asskomm-bench-"))
    try:
        async with opened(folder, quick=quick, full=full) as bench:
            return await stage(bench)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table, with the notes below it."""
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
    """Replace the text between the markers, or append it to a page without them."""
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "# Performance\n"
    if BEGIN not in page:
        page += f"\n{BEGIN}\n{END}\n"
    before, _, rest = page.partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{figures}{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    run(main(sys.argv[1:]))
