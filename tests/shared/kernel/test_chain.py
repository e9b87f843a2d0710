"""What the hash chain of an aggregate tells, and that anybody can recompute it."""

import subprocess
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.kernel import chain
from shared.kernel.chain import canonical, check, link, step_of
from shared.kernel.ids import new_id
from shared.store.mongo import Document
from shared.store.rows import EVENTS, event_rows
from tests.shared.kitchen import Kitchen, cause

Rows = list[Document]

keys = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=5)
small = st.floats(allow_nan=False, allow_infinity=False).filter(lambda one: one == 0 or 1e-4 <= abs(one) < 1e16)


def json_values(floats: st.SearchStrategy[float]) -> st.SearchStrategy[Any]:
    """What the data of an event can hold."""
    plain = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | floats | st.text(max_size=5)
    return st.recursive(plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3))


@dataclass(frozen=True, kw_only=True, slots=True)
class Noted:
    """Something was noted; anything at all."""

    type: ClassVar[str] = "kitchen.noted.v1"

    note: Any


def steps(*notes: Any, subject: str = "jam") -> Rows:
    """The rows of an aggregate as they are written, one for each note."""
    new = {"version": 0, "head": "", "chain": ""}
    return event_rows([Noted(note=note) for note in notes], subject, before=new, cause=cause())


def codes(rows: Sequence[Document]) -> list[tuple[str, str]]:
    """What is found, and what about: `("changed_step", "step 3")`."""
    return [(one.code, one.message.partition(" (")[0]) for one in check(rows, "jam")]


@given(st.lists(json_values(st.floats(allow_nan=False)), max_size=6))
def test_rows_as_they_are_written_are_whole(notes: list[Any]) -> None:
    assert check(steps(*notes), "jam") == []


def test_no_rows_at_all_are_whole() -> None:
    assert check([], "jam") == []


ANOTHER: dict[str, Any] = {
    "_id": new_id(), "type": "kitchen.jar_sealed.v1", "version": 4, "at": datetime(2023, 1, 27, tzinfo=UTC),
    "actor": "thief", "cause": "x", "trace": "", "history": True, "data": {"note": 3.0}, "hash": "0" * 64,
}  # fmt: skip


@pytest.mark.parametrize("field", ANOTHER)
def test_a_change_of_anything_in_a_step_names_this_step_alone(field: str) -> None:
    rows = steps(*range(5))
    rows[2][field] = ANOTHER[field]
    assert codes(rows) == [("changed_step", f"step {rows[2]['version']}")]


def test_a_step_of_another_aggregate_is_named() -> None:
    rows = steps(*range(3))
    rows[2:2] = steps("foreign", subject="honey")
    [finding] = check(rows, "jam")
    assert (finding.code, finding.message) == (
        "foreign_step", "step 1 (kitchen.noted.v1) belongs to honey, not to jam",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("missing", "where"),
    [(0, "before step 2"), (1, "between step 1 and step 3"), (3, "between step 3 and step 5")],
)
def test_a_gap_is_named_by_the_steps_around_it(missing: int, where: str) -> None:
    rows = steps(*range(5))
    del rows[missing]
    assert codes(rows) == [("missing_step", where)]


def test_steps_that_are_missing_at_the_end_cannot_be_seen() -> None:
    assert check(steps(*range(5))[:3], "jam") == []


def test_versions_without_a_step_are_no_gap() -> None:
    first = event_rows([Noted(note=1)], "jam", before={"version": 1, "head": "", "chain": ""}, cause=cause())
    second = event_rows(
        [Noted(note=2)], "jam", before={"version": 7, "head": first[0]["_id"], "chain": first[0]["hash"]}, cause=cause()
    )
    assert check([*first, *second], "jam") == []


def test_two_steps_in_each_other_s_place_are_named_once() -> None:
    rows = steps(*range(5))
    rows[2], rows[3] = rows[3], rows[2]
    [finding] = check(rows, "jam")
    assert finding.code == "reordered_step"
    assert finding.message == "step 4 (kitchen.noted.v1) stands before step 3 (kitchen.noted.v1), which it follows"


def test_a_step_that_comes_twice_is_named() -> None:
    rows = steps(*range(3))
    rows.insert(2, rows[1])
    assert codes(rows) == [("duplicate_step", "step 2")]


def test_a_second_end_of_the_story_is_named() -> None:
    rows = steps(*range(3))
    before = {"version": 2, "head": rows[1]["_id"], "chain": rows[1]["hash"]}
    rows += event_rows([Noted(note="another")], "jam", before=before, cause=cause())
    assert codes(rows) == [("duplicate_step", "step 3")]


@given(st.permutations(range(5)).filter(lambda order: order != list(range(5))))
def test_no_other_order_is_whole(order: list[int]) -> None:
    rows = steps(*range(5))
    assert {code for code, _ in codes([rows[place] for place in order])} == {"reordered_step"}


@given(st.lists(st.integers(0, 4), max_size=7))
def test_only_the_beginning_in_its_order_is_whole(chosen: list[int]) -> None:
    rows = steps(*range(5))
    whole = chosen == list(range(len(chosen)))
    assert (check([rows[place] for place in chosen], "jam") == []) is whole


def test_time_is_hashed_as_text_in_utc_to_the_millisecond() -> None:
    [row] = steps("x")
    at = datetime(2023, 1, 27, 11, 30, 0, 120_000, timezone(timedelta(hours=1)))
    assert step_of(row | {"at": at})["at"] == "2023-01-27T10:30:00.120Z"
    assert link("", row | {"at": at}) == link("", row | {"at": "2023-01-27T10:30:00.120Z"})


def test_what_is_not_of_the_step_is_not_hashed() -> None:
    [row] = steps("x")
    assert link("", row | {"unpublished": False, "hash": "other"}) == row["hash"]


# The value stands here so that a change of the format, which would break every chain there is, does not pass unseen.
def test_the_hash_of_a_step_stays_as_it_is() -> None:
    row = {
        "_id": "01a203b9-e9b8-727a-89e2-57125afa2129", "type": "kitchen.noted.v1", "subject": "jam", "version": 1,
        "at": datetime(2023, 1, 27, 10, 30, tzinfo=UTC), "actor": "Köchin", "cause": "c", "trace": "t",
        "history": False, "data": {"b": 51.0, "a": [1, None, '\u001f"\\/\n'], "ä": -0.25},
    }  # fmt: skip
    assert canonical(step_of(row)).decode() == (
        '{"actor":"Köchin","at":"2023-01-27T10:30:00.000Z","cause":"c","data":{"a":[1,null,"\\u001f\\"\\\\/\\n"],'
        '"b":51.0,"ä":-0.25},"history":false,"id":"01a203b9-e9b8-727a-89e2-57125afa2129","subject":"jam","trace":"t",'
        '"type":"kitchen.noted.v1","version":1}'
    )
    assert link("0" * 64, row) == "83951f30a04d9095f8dd9c05d9c9f6f83b13b2ca3bef9148d475335251647e41"


@settings(max_examples=5, deadline=None)
@given(notes=st.lists(json_values(small), max_size=20))
def test_the_code_in_the_docstring_recomputes_a_chain(
    tmp_path_factory: pytest.TempPathFactory, notes: list[Any]
) -> None:
    code = textwrap.dedent((chain.__doc__ or "").partition("below 1e-4:\n")[2].partition("A chain shows")[0])
    file = tmp_path_factory.mktemp("chain") / "certificate.json"

    def run(rows: Rows) -> int:
        file.write_bytes(msgspec.json.encode({"steps": [step_of(row) | {"hash": row["hash"]} for row in rows]}))
        return subprocess.run([sys.executable, "-c", code, file], capture_output=True, check=False).returncode

    rows = steps(*notes, "last")
    assert run(rows) == 0
    rows[-1]["actor"] = "thief"
    assert run(rows) == 1


@settings(max_examples=30, deadline=None)
@given(notes=st.lists(json_values(st.floats(allow_nan=False, allow_infinity=False)), min_size=1, max_size=10))
async def test_rows_that_mongodb_has_kept_have_the_same_hashes(set_up_kitchen: Kitchen, notes: list[Any]) -> None:
    await set_up_kitchen.empty()
    await set_up_kitchen.database[EVENTS].insert_many(steps(*notes))
    rows = await set_up_kitchen.rows()
    assert (len(rows), check(rows, "jam")) == (len(notes), [])
