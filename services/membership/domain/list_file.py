"""Reads the CSV file of a list of municipalities; errors name the line and the column."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from services.membership.domain.municipality_list import AGS
from services.membership.domain.registry import Official
from shared.alliance.districts import POLICE_DIRECTORATE_OF
from shared.alliance.german import spoken_name
from shared.kernel.errors import Invalid

COLUMNS = ("ags", "name", "name_sorbian", "kind", "district", "nuts3", "latitude", "longitude", "population_estimate")
"""The required columns, in any order."""
OPTIONAL = ("district_key", "police_directorate", "predecessors")
"""The first two follow from the `ags` and are only checked; `predecessors` are keys separated by spaces."""

MAX_ROWS = 2_000
MAX_LENGTH = 200
"""Characters in one cell."""
NAMED_ERRORS = 20
"""Maximum number of errors in one message."""

Cells = Mapping[str, str]


class UnreadableList(Invalid):
    """The file is not a list of municipalities in the expected form."""

    code = "unreadable_list"


def decode(file: bytes) -> str:
    """The text of a file in UTF-8; raises UnreadableList."""
    try:
        return file.decode()
    except UnicodeDecodeError as error:
        line = file.count(b"\n", 0, error.start) + 1
        raise UnreadableList(f"line {line} is not UTF-8: save the file as CSV in UTF-8") from error


def read_list(text: str) -> tuple[Official, ...]:
    """The municipalities in a CSV file; raises UnreadableList with its first errors."""
    (first, header), *rows = _lines(unicodedata.normalize("NFC", text.removeprefix("\ufeff"))) or [(1, [])]
    _refuse_header(header, first)
    if not 1 <= len(rows) <= MAX_ROWS:
        many = f"more than {MAX_ROWS}" if rows else "no"
        raise UnreadableList(f"the list has {many} municipalities: is it the right file?")
    _refuse(error for line, cells in rows for error in _errors(header, cells, line))
    return tuple(official_municipality(dict(zip(header, cells, strict=True))) for _, cells in rows)


def _lines(text: str) -> list[tuple[int, list[str]]]:
    """The cells of each non-blank line with its line number, up to MAX_ROWS."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[tuple[int, list[str]]] = []
    begins = 1
    try:
        for cells in reader:
            if any(stripped := [cell.strip() for cell in cells]):
                lines.append((begins, stripped))
            if len(lines) > MAX_ROWS + 1:
                break
            begins = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableList(f"line {begins} cannot be read ({error}): mend its quotation marks") from error
    return lines


def _refuse_header(header: list[str], line: int) -> None:
    if len(header) == 1 and ";" in header[0]:
        raise UnreadableList(f"line {line} has semicolons between its columns: save the file with commas")
    if "ags" not in header:
        raise UnreadableList(f"line {line} does not name the columns: begin the file with {','.join(COLUMNS)}")
    known = COLUMNS + OPTIONAL
    where = f"line {line}, column"
    _refuse([
        *(f"{where} {name!r} is unknown: remove it, or mend its name" for name in header if name not in known),
        *(f"{where} {name} is missing: add it" for name in COLUMNS if name not in header),
        *(f"{where} {name} comes twice: remove one" for name in known if header.count(name) > 1),
    ])  # fmt: skip


def _refuse(errors: Iterable[str]) -> None:
    if found := list(errors):
        more = [f"and {len(found) - NAMED_ERRORS} more"] if len(found) > NAMED_ERRORS else []
        raise UnreadableList("\n".join((*found[:NAMED_ERRORS], *more)))


def _errors(header: list[str], cells: list[str], line: int) -> Iterator[str]:
    if len(cells) != len(header):
        yield f"line {line} has {len(cells)} columns, not {len(header)}: is there a comma without quotation marks?"
        return
    row = dict(zip(header, cells, strict=True))
    for column, cell in row.items():
        pattern, what = _RULES.get(column, _TEXT)
        if len(cell) > MAX_LENGTH or not cell.isprintable():
            yield f"line {line}, column {column} is longer than {MAX_LENGTH} characters, or has some that do not print"
        elif not pattern.fullmatch(cell):
            yield f"line {line}, column {column}: {cell!r} {what}"
        elif column in _DERIVED and AGS.fullmatch(row["ags"]) and cell != (right := _derived(column, row["ags"])):
            yield f"line {line}, column {column}: {cell!r} does not fit ags {row['ags']}: write {right!r}, or mend that"


_TEXT = (re.compile(r".*"), "")
_RULES = {
    "kind": (re.compile(r"Gemeinde|Stadt|Kreisfreie Stadt"), "is none of Gemeinde, Stadt, Kreisfreie Stadt"),
    "district": (re.compile(r".+"), "is no district: write its name"),
    "nuts3": (re.compile(r"DED[0-9A-Z]{2}"), "is no region of Saxony: write its code, such as DED43"),
    "latitude": (re.compile(r"5[01](\.[0-9]{1,12})?"), "is no latitude in Saxony: write degrees, such as 51.20042"),
    "longitude": (re.compile(r"1[1-5](\.[0-9]{1,12})?"), "is no longitude in Saxony: write degrees, such as 13.13106"),
    "population_estimate": (re.compile(r"[0-9]{0,8}"), "is no number: write digits alone, such as 2592, or nothing"),
    "predecessors": (re.compile(r"([0-9]{8}( +[0-9]{8})*)?"), "are no keys: write 8 digits each, spaces between them"),
}
_DERIVED = ("district_key", "police_directorate")


def _derived(column: str, ags: str) -> str:
    return ags[:5] if column == "district_key" else POLICE_DIRECTORATE_OF.get(ags[:5], "")


def official_municipality(row: Cells) -> Official:
    """The municipality that a row of the list describes; its cells must be valid."""
    return Official(
        ags=row["ags"],
        name=spoken_name(row["name"]),
        name_sorbian=row["name_sorbian"] or None,
        kind=row["kind"],
        district=row["district"],
        nuts3=row["nuts3"],
        latitude=float(row["latitude"]),
        longitude=float(row["longitude"]),
        # The population of an uninhabited municipality is not known.
        population=int(row["population_estimate"] or 0) or None,
        predecessors=tuple(dict.fromkeys(row.get("predecessors", "").split())),
    )
