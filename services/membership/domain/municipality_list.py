"""Compares a newer official list of municipalities with the stored ones."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

from services.membership.domain.list_diff import Datum, Finding, ListDiff, Merged, NewDatum, Renamed, Updated
from services.membership.domain.municipality import Municipality
from services.membership.domain.registry import OFFICIAL_DATA, Official
from shared.alliance.districts import POLICE_DIRECTORATE_OF

AGS = re.compile(r"[0-9]{8}")

ONE_DAY = timedelta(days=1)

Rows = Sequence[Official]
Known = Mapping[str, Municipality]


def compare(stored: Sequence[Municipality], rows: Rows, valid_from: date, today: date) -> ListDiff:
    """The difference that a list makes from a day on, and the problems with it; former municipalities stay."""
    known = {municipality.ags: municipality for municipality in stored}
    existing = {municipality.ags: municipality for municipality in stored if municipality.valid_to is None}
    sound = {row.ags: row for row in rows if not any(_of_row(row, 0))}
    kept = [(existing[ags], row) for ags, row in sorted(sound.items()) if ags in existing]
    successors = {ags: row for row in reversed(rows) for ags in row.predecessors}
    gone = [existing[ags] for ags in sorted(existing.keys() - {row.ags for row in rows})]
    renamed = tuple(_renamed(municipality, row) for municipality, row in kept if _names_differ(municipality, row))
    changed = tuple(_updated(municipality, row) for municipality, row in kept if _new_data(municipality, row))
    return ListDiff(
        valid_from=valid_from,
        added=tuple(row for ags, row in sorted(sound.items()) if ags not in known),
        renamed=renamed,
        merged=tuple(_merged(former, successors[former.ags]) for former in gone if former.ags in successors),
        changed=changed,
        unchanged=len(kept) - len({change.ags for change in renamed} | {change.ags for change in changed}),
        problems=(
            *_of_day(stored, valid_from, today), *_of_rows(rows, known), *_of_predecessors(rows, known),
            *(_without_successor(former) for former in gone if former.ags not in successors),
        ),
    )  # fmt: skip


def _same(old: Datum, new: Datum) -> bool:
    """Equal values; text is compared in Unicode normal form C."""
    if isinstance(old, str) and isinstance(new, str):
        return unicodedata.normalize("NFC", old) == unicodedata.normalize("NFC", new)
    return old == new


def _names_differ(municipality: Municipality, row: Official) -> bool:
    return not (_same(municipality.name, row.name) and _same(municipality.name_sorbian, row.name_sorbian))


def _renamed(municipality: Municipality, row: Official) -> Renamed:
    return Renamed(
        ags=municipality.ags, old=municipality.name, new=row.name,
        old_sorbian=municipality.name_sorbian, new_sorbian=row.name_sorbian
    )  # fmt: skip


def _new_data(municipality: Municipality, row: Official) -> tuple[NewDatum, ...]:
    both = ((field, getattr(municipality, field), getattr(row, field)) for field in OFFICIAL_DATA)
    return tuple(NewDatum(field=field, old=old, new=new) for field, old, new in both if not _same(old, new))


def _updated(municipality: Municipality, row: Official) -> Updated:
    return Updated(ags=municipality.ags, name=row.name, fields=_new_data(municipality, row))


def _merged(municipality: Municipality, row: Official) -> Merged:
    return Merged(ags=municipality.ags, name=municipality.name, successor=row.ags, successor_name=row.name)


def _of_day(stored: Sequence[Municipality], valid_from: date, today: date) -> Iterator[Finding]:
    if valid_from > today:
        yield Finding(
            code="valid_from_in_future",
            message=f"the list is valid from {valid_from}, and today is {today}: apply it on that day, or later",
        )
    latest = max(
        ((_last_change(municipality), municipality.ags, municipality.name) for municipality in stored),
        default=(date.min, "", ""),
    )
    if valid_from < latest[0]:
        yield Finding(
            code="valid_from_outdated", ags=latest[1],
            message=f"the list is valid from {valid_from}, before {latest[2]} ({latest[1]}) changed on {latest[0]}: "
            "take a newer list, or the right day",
        )  # fmt: skip


def _last_change(municipality: Municipality) -> date:
    ends = (municipality.valid_to, *(name.until for name in municipality.former_names))
    return max((municipality.valid_from or date.min, *(end + ONE_DAY for end in ends if end)))


def _of_rows(rows: Rows, known: Known) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, start=1):
        yield from _of_row(row, number)
        if (first := seen.setdefault(row.ags, number)) != number:
            yield _finding(row, number, "duplicate_ags", f"its ags stands in row {first}, too: remove one of them")
        former = known.get(row.ags)
        if former and former.valid_to:
            yield _finding(
                row, number, "former_in_list",
                f"it was dissolved on {former.valid_to} and belongs to {former.successor}: remove the row",
            )  # fmt: skip


def _of_row(row: Official, number: int) -> Iterator[Finding]:
    """Find the problems of a single row."""
    if not AGS.fullmatch(row.ags):
        yield _finding(row, number, "malformed_ags", "an ags has exactly 8 digits: mend it, and keep it as text")
    elif row.ags[:5] not in POLICE_DIRECTORATE_OF:
        yield _finding(
            row, number, "unknown_district", f"there is no district {row.ags[:5]} in Saxony: mend the ags, or remove it"
        )
    if not row.name.strip():
        yield _finding(row, number, "name_empty", "it has no name: write it into the column name")


def _of_predecessors(rows: Rows, known: Known) -> Iterator[Finding]:
    listed = {row.ags for row in rows}
    successors: dict[str, Official] = {}
    for number, row in enumerate(rows, start=1):
        for ags in row.predecessors:
            first = successors.setdefault(ags, row)
            before = known.get(ags)
            if before is None:
                yield _finding(row, number, "predecessor_unknown", f"its predecessor {ags} is not known: mend the key")
            elif ags in listed:
                yield _finding(
                    row, number, "predecessor_in_list",
                    f"its predecessor {before.name} ({ags}) is still in the list: remove that row, or the predecessor",
                )  # fmt: skip
            elif first.ags != row.ags or (before.successor or row.ags) != row.ags:
                yield _finding(
                    row, number, "second_successor",
                    f"its predecessor {before.name} ({ags}) belongs to {before.successor or first.ags}: "
                    "name it at one successor alone",
                )  # fmt: skip


def _without_successor(municipality: Municipality) -> Finding:
    return Finding(
        code="gone_without_successor",
        message=f"{municipality.name} ({municipality.ags}) is not in the list, and no row names it as predecessor: "
        "add its row, or write its ags into the column predecessors of its successor",
        ags=municipality.ags,
    )


def _finding(row: Official, number: int, code: str, what: str) -> Finding:
    about = f"row {number}, {row.name} ({row.ags}): {what}" if row.name.strip() else f"row {number} ({row.ags}): {what}"
    return Finding(code=code, message=about, ags=row.ags, row=number)
