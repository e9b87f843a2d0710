r"""A hash chain over the events of an aggregate, which reveals changed or missing steps.

Each row of the events collection, a step, carries `hash`: the SHA-256, as 64 hexadecimal digits, of the `hash` of the
step before it (that text; nothing for the first step), followed by the step as canonical JSON in UTF-8. The step is an
object of exactly the fields id, type, subject, version, at, actor, cause, trace, history and data; `at` is text, in UTC
with three digits of the second, such as "2023-01-27T10:30:00.000Z".

Canonical JSON is made as in RFC 8785: no white space, the keys of all objects sorted, no escapes but those that JSON
needs (`\"`, `\\`, `\b`, `\f`, `\n`, `\r`, `\t`; `\u00xx` in small letters for other control characters). It differs in
two points: keys are sorted by code points, not by UTF-16 units; and a number that is no integer shows that, so 51.0
stays 51.0. It is the shortest that reads back the same, with an exponent (1e16, 1e-6) from 1e16 up and below 1e-5.

To recompute it in Python, whose `json` writes all numbers in the same way but those of 1e16 up and below 1e-4:

    import hashlib, json, sys

    FIELDS = ("id", "type", "subject", "version", "at", "actor", "cause", "trace", "history", "data")
    previous = ""
    for step in json.load(open(sys.argv[1], encoding="utf-8"))["steps"]:
        named = {field: step[field] for field in FIELDS}
        text = json.dumps(named, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        previous = hashlib.sha256((previous + text).encode()).hexdigest()
        assert previous == step["hash"], step["version"]

A chain shows what was changed in one place. Who can write all later steps as well can make another chain: against that
stands the signature of a certificate (services/membership/certificate).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

import msgspec

FIELDS = ("id", "type", "subject", "version", "at", "actor", "cause", "trace", "history", "data")
"""The fields of a step that are hashed."""

Row: TypeAlias = Mapping[str, Any]
"""A step: as MongoDB stores it, or with `id` and with `at` as text."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong: `code` is stable and for programs, `message` for people."""

    code: str
    message: str


def canonical(value: Any) -> bytes:
    """The one JSON text of a value, as the module's docstring describes it."""
    # MongoDB returns large integers as a subclass of int, which msgspec rejects.
    return msgspec.json.encode(value, order="sorted", enc_hook=int)


def step_of(row: Row) -> dict[str, Any]:
    """Return the hashed fields of a row as plain JSON."""
    at = row["at"]
    known = {**row, "id": row.get("_id") or row["id"], "at": _text(at) if isinstance(at, datetime) else at}
    return {field: known[field] for field in FIELDS}


def link(previous: str, row: Row) -> str:
    """Compute the hash of a row whose predecessor has the hash `previous`; "" for the first row."""
    return hashlib.sha256(previous.encode() + canonical(step_of(row))).hexdigest()


def check(rows: Sequence[Row], subject: str) -> list[Finding]:
    """Return all findings about the steps of an aggregate, each with its version; empty if complete and in order.

    Codes: `foreign_step`, `changed_step`, `missing_step`, `reordered_step`, `duplicate_step`. Steps that are missing
    at the end leave no trace here; compare the last hash with one that is known from elsewhere.
    """
    # Without a finding, each row follows one that stands before it, and no two follow the same one. Then the first is
    # the beginning, the second follows the first, and so on: there is no other way.
    findings: list[Finding] = []
    followers: dict[int, Row] = {}
    for place, row in enumerate(rows):
        if row["subject"] != subject:
            message = f"{_name(row)} belongs to {row['subject']}, not to {subject}"
            findings.append(Finding("foreign_step", message))
            continue
        before = _predecessor(rows, place)
        if before is None:
            findings.append(_broken(rows, place))
        elif before > place:
            message = f"{_name(row)} stands before {_name(rows[before])}, which it follows"
            findings.append(Finding("reordered_step", message))
        elif before in followers:
            message = f"{_name(row)} stands where {_name(followers[before])} stands already"
            findings.append(Finding("duplicate_step", message))
        else:
            followers[before] = row
    return findings


def _predecessor(rows: Sequence[Row], place: int) -> int | None:
    """The place of the row that this one follows by its hash, -1 for the beginning, None if there is none."""
    row = rows[place]
    direct = rows[place - 1]["hash"] if place else ""
    if row["hash"] in {link(direct, row), link(_recomputed(rows, place - 1), row)}:
        return place - 1
    others = ((-1, ""), *((other, candidate["hash"]) for other, candidate in enumerate(rows)))
    return next((other for other, previous in others if link(previous, row) == row["hash"]), None)


def _recomputed(rows: Sequence[Row], place: int) -> str:
    """The hash that a row should have, so that one changed hash is not also blamed on the next row."""
    if place < 0:
        return ""
    return link(rows[place - 1]["hash"] if place else "", rows[place])


def _broken(rows: Sequence[Row], place: int) -> Finding:
    """Why a row follows none: the versions tell a gap from a change."""
    row = rows[place]
    last = rows[place - 1]["version"] if place else 0
    coming = rows[place + 1]["version"] if place + 1 < len(rows) else row["version"] + 1
    if last + 1 < row["version"] < coming:
        where = f"between step {last} and {_name(row)}" if place else f"before {_name(row)}"
        return Finding("missing_step", f"{where} a step is missing; or the latter was changed")
    right = _recomputed(rows, place)
    return Finding("changed_step", f"{_name(row)} was changed: its hash is {row['hash']}, but {right} by what it says")


def _name(row: Row) -> str:
    return f"step {row['version']} ({row['type']})"


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
