"""Municipalities, and newer lists of them, to write tests about."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from services.membership.domain.list_diff import ListDiff
from services.membership.domain.municipality import Municipality
from services.membership.domain.municipality_list import compare
from services.membership.domain.registry import Official, register

BEFORE, DAY, TODAY = date(2023, 1, 1), date(2024, 1, 1), date(2024, 2, 1)
LAST_DAY = date(2023, 12, 31)


def row(ags: str, name: str, **more: Any) -> Official:
    given: dict[str, Any] = {
        "kind": "Gemeinde", "district": "Nordsachsen", "nuts3": "DED53", "latitude": 51.5, "longitude": 12.9,
        "population": 2_000,
    }  # fmt: skip
    return Official(ags=ags, name=name, **given | more)


def stored(*rows: Official) -> list[Municipality]:
    return [register(official)[0] for official in rows]


ARZBERG, BEILRODE, TORGAU = row("14730010", "Arzberg"), row("14730030", "Beilrode"), row("14730310", "Torgau")
ELBAUE = row("14730901", "Elbaue", predecessors=("14730010", "14730030"))
ALL = (ARZBERG, BEILRODE, TORGAU)
SAXONY = stored(*ALL)
FORMER = replace(SAXONY[0], valid_to=date(2022, 12, 31), successor=TORGAU.ags)


def compared(*rows: Official, known: Sequence[Municipality] = SAXONY, valid_from: date = DAY) -> ListDiff:
    return compare(known, rows, valid_from, TODAY)


def applied(changes: ListDiff, known: Sequence[Municipality]) -> list[Municipality]:
    """The municipalities after a list was applied."""
    states = {one.ags: one for one in known}
    after = {ags: decide(states[ags])[0] for ags, decide in changes.decisions(states).items()}
    return list((states | after | {ags: one for ags, (one, _) in changes.registered().items()}).values())


def codes(changes: ListDiff) -> list[str]:
    return [each.code for each in changes.problems]
