"""Run all cases: `python -m tests.chaos.power [--json]`."""

import json
import sys
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from tests.chaos.power.cases import PowerCut, all_cases


def main() -> None:
    """Print the finding of each case, as a table or as JSON."""
    if "--json" in sys.argv[1:]:
        sys.stdout.write(json.dumps([asdict(case) for case in all_cases()], indent=2) + "\n")
    else:
        Console(width=None if sys.stdout.isatty() else 200).print(_table(list(all_cases())))


def _table(cases: list[PowerCut]) -> Table:
    table = Table("case", "acknowledged", "syncs", "lost", "seconds", "note")
    for case in cases:
        figures = ("" if each is None else str(each) for each in (case.acknowledged, case.syncs, case.lost))
        table.add_row(case.name, *figures, f"{case.seconds:.1f}", case.note)
    return table


if __name__ == "__main__":
    main()
