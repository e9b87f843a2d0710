"""Write the results of the rig into docs/promises.md."""

import argparse
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.chaos.fault import Fault
from tests.chaos.faults import FAULTS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "promises.md"
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
HEAD = "| fault | what happens | accepted | lost | doubled | out of order | emails twice | seconds to quiet |"

Row = Mapping[str, Any]


def main() -> None:
    """Write the results of a run, and of the power cuts, into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="the file written by `python -m tests.chaos --results`")
    parser.add_argument("power", type=Path, help="the output of `python -m tests.chaos.power --json`")
    options = parser.parse_args()
    results = {row["name"]: row for row in json.loads(options.results.read_text())}
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    table = "\n".join(_tables(results, json.loads(options.power.read_text())))
    PAGE.write_text(f"{before}{BEGIN}\n\n{table}\n{END}{after}", encoding="utf-8")


def _tables(results: Mapping[str, Row], power: Iterable[Row]) -> Iterable[str]:
    ordinary = [one for one in FAULTS.values() if not one.sabotage]
    seed = next(iter(results.values()))["seed"]
    ran = [results[one.name] for one in ordinary if one.name in results and not results[one.name]["not_run"]]
    yield f"Seed {seed}: {len(ran)} faults, {sum(row['holds'] for row in ran)} of them as promised."
    yield ""
    yield HEAD
    yield "| --- | --- " + "| --: " * 6 + "|"
    yield from (_row(one, results.get(one.name)) for one in ordinary)
    yield ""
    yield "### Broken on purpose"
    yield ""
    yield "| build | what the referee says |"
    yield "| --- | --- |"
    yield from (_sabotage(one, results.get(one.name)) for one in FAULTS.values() if one.sabotage)
    yield ""
    yield "### A power cut"
    yield ""
    yield "| case | acknowledged | syncs | lost | |"
    yield "| --- | --: | --: | --: | --- |"
    for row in power:
        yield f"| {row['name']} | {row['acknowledged']} | {_or(row['syncs'])} | {_or(row['lost'])} | {row['note']} |"


def _row(fault: Fault, row: Row | None) -> str:
    name = f"| `{fault.name}` | {fault.title}"
    if row is None or row["not_run"]:
        return f"{name} | not run: {row['not_run'] if row else 'not chosen'} | | | | | |"
    found = row["verdict"]
    lost = found["lost"] + found["unexpected"] + found["overdrawn"] + found["complaints"]
    twice = f"{found['emails_twice']} (+{row['emails_twice_allowed']})" if row["emails_twice_allowed"] else "0"
    wrong = "" if row["holds"] else f" **{row['error'] or 'broken'}**"
    quiet = f"{row['quiet']:.1f}" if row["quiet"] is not None else "–"
    figures = (row["accepted"], lost, found["doubled"], found["disorder"], twice, f"{quiet}{wrong}")
    return f"{name} | " + " | ".join(map(str, figures)) + " |"


def _sabotage(fault: Fault, row: Row | None) -> str:
    if row is None:
        return f"| {fault.title} | not run |"
    found = row["verdict"]
    kinds = ("lost", "unexpected", "doubled", "disorder", "overdrawn", "complaints", "emails_twice")
    said = ", ".join(f"{found[kind]} {kind.replace('_', ' ')}" for kind in kinds if found[kind])
    return f"| {fault.title} | {said or '**nothing**'} |"


def _or(value: object) -> str:
    return "–" if value is None else str(value)


if __name__ == "__main__":
    main()
