"""`python -m tests.chaos`: inject faults, judge the result, and write the results file."""

import argparse
import fnmatch
import json
import secrets
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.fault import Fault
from tests.chaos.faults import FAULTS
from tests.chaos.rig import Result, run_all

LANES = 4
LINES, LINE = 8, 400
"""How many findings, and how many characters of each, are printed; the results file has all."""


def main() -> int:
    """Run the selected faults; return 0 if every promise held and every sabotage was caught."""
    options = _options()
    chosen = _chosen(options.fault, short=options.short)
    if options.list:
        for one in chosen:
            print(f"{one.name:40} {one.title}")
        return 0
    if not chosen:
        print(f"there is no fault {options.fault}; `--list` shows all", file=sys.stderr)
        return 2
    seed = options.seed if options.seed is not None else secrets.randbelow(10**6)
    print(f"{len(chosen)} faults, seed {seed}, {options.lanes} lanes; repeat one with SEED={seed} FAULT=<name>")
    began, results = time.monotonic(), []
    for result in run_all(chosen, seed, options.folder, options.lanes):
        results.append(result)
        _say(result, FAULTS[result.name])
    print(f"{len(results)} faults in {time.monotonic() - began:.0f} s, seed {seed}")
    if options.results:
        options.results.write_text(json.dumps([one.plain() for one in results], indent=1, ensure_ascii=False))
    return 0 if all(_as_it_should(one) for one in results) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="seed of the random choices; printed, and random by default")
    parser.add_argument("--fault", default="*", help="fault names, such as 'nats.*'")
    parser.add_argument("--short", action="store_true", help="only the faults of the short run")
    parser.add_argument("--list", action="store_true", help="list the faults and exit")
    parser.add_argument("--lanes", type=int, default=LANES, help="number of parallel worlds")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "asskomm-chaos")
    parser.add_argument("--results", type=Path, help="write the results to this file, as JSON")
    return parser.parse_args()


def _chosen(pattern: str, *, short: bool) -> list[Fault]:
    return [
        one
        for one in FAULTS.values()
        if (one.short or not short) and any(fnmatch.fnmatch(one.name, part) for part in pattern.split(","))
    ]


def _as_it_should(result: Result) -> bool:
    """True if a fault went as promised, or the referee objected to a sabotaged build."""
    if result.not_run:
        return True
    return not result.verdict.holds if FAULTS[result.name].sabotage else result.holds


def _say(result: Result, fault: Fault) -> None:
    mark = "not run" if result.not_run else "ok" if _as_it_should(result) else "WRONG"
    quiet = f"{result.quiet:5.1f} s to quiet" if result.quiet is not None else ""
    doubles = f", {result.emails_twice_allowed} emails twice" if result.emails_twice_allowed else ""
    print(
        f"{mark:7} {result.name:34} {result.seconds:5.1f} s, {result.accepted:4} accepted{doubles} {quiet}"
        f" {result.not_run}{'; '.join(result.notes)}",
        flush=True,
    )
    if result.error or (not fault.sabotage and not result.holds):
        lines = [line for line in [result.error, *result.verdict.details] if line]
        print("\n".join(f"        {line[:LINE]}" for line in lines[:LINES]), flush=True)


if __name__ == "__main__":
    sys.exit(main())
