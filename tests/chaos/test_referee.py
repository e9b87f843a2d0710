"""The referee objects to each possible defect, and to nothing else."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.evidence import Document, Evidence, Letter, Told
from tests.chaos.journal import Attempt, Journal
from tests.chaos.referee import Verdict, _neighbours, judge
from tests.chaos.world import Allowance

NOW = datetime(2023, 1, 27, 10, tzinfo=UTC)
AGS = "14626480"
FACT = {"ags": AGS, "police_directorate": "PD Görlitz"}
KIND = "membership.interest_shown.v1"
MESSAGE_ID = "<1@alliance.example>"


class Case:
    """A flawless world: one municipality showed interest twice, and one contact was told."""

    def __init__(self, folder: Path) -> None:
        self.journal, self.allowance = Journal(folder / "journal.jsonl"), Allowance()
        self.attempts = [self._accepted() for _ in range(2)]
        self.rows = [_row(version, one.trace) for version, one in enumerate(self.attempts, start=1)]
        self.told = [_told(row) for row in self.rows]
        self.state: Document = {"_id": AGS, "version": 2, "head": "event-2"}
        self.causes: list[Document] = [{"_id": f"event:event-{number}", "at": NOW} for number in (1, 2)]
        self.deliveries = [_delivery(number) for number in (1, 2)]
        self.letters = [Letter(one["message_id"], "a@lpr.example", "same") for one in self.deliveries]
        self.purses: dict[str, list[Document]] = {}

    def _accepted(self) -> Attempt:
        attempt = Attempt("town", "interest", AGS, expects={KIND: 1})
        self.journal.invoked(attempt)
        self.journal.answered(attempt, 201, {})
        return attempt

    def verdict(self) -> Verdict:
        contact = {"_id": "contact", "role": "lpr_contact", "area": "PD Görlitz", "active": True}
        databases: dict[str, dict[str, list[Document]]] = {
            "membership": {"events": self.rows, "municipalities": [self.state]},
            "notifications": {"causes": self.causes, "deliveries": self.deliveries, "contacts": [contact]},
        }
        if self.purses:
            databases["purse"] = self.purses
        durables = {("notifications", "membership"): ["membership.interest_shown.*.*"]}
        evidence = Evidence(databases, {"membership": self.told}, durables, self.letters)
        return judge(evidence, self.journal, self.allowance)


def _row(version: int, trace: str) -> dict[str, Any]:
    return {
        "_id": f"event-{version}", "type": KIND, "subject": AGS, "version": version, "actor": "town", "trace": trace,
        "history": False, "data": FACT,
    }  # fmt: skip


def _told(row: Document) -> Told:
    return Told(row["version"], f"{KIND}.{AGS}", row["_id"], AGS, row["version"], json.dumps(FACT).encode(), False)


def _delivery(number: int) -> dict[str, Any]:
    return {
        "_id": f"delivery-{number}", "event_id": f"event-{number}", "contact_id": "contact",
        "template": "interest_shown", "state": "sent", "unknown": 0, "message_id": f"<{number}@alliance.example>",
    }  # fmt: skip


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    case = Case(tmp_path)
    yield case
    case.journal.close()


def _swap(things: list[Any]) -> None:
    things.reverse()


def _lose(things: list[Any]) -> None:
    things.pop()


def _double(things: list[Any]) -> None:
    things.append(things[0])


WRONG: dict[str, tuple[str, Callable[[Case], object]]] = {
    "an accepted request without its event": ("lost", lambda case: _lose(case.rows)),
    "an event that is not in the stream": ("lost", lambda case: _lose(case.told)),
    "an event that nobody reacted to": ("lost", lambda case: _lose(case.causes)),
    "an email that was not written": ("lost", lambda case: _lose(case.deliveries)),
    "an email that is recorded as sent and was not": ("lost", lambda case: _lose(case.letters)),
    "an email that is under way for ever": ("lost", lambda case: case.deliveries[0].update(state="queued")),
    "a state that its events do not lead to": ("lost", lambda case: case.state.update(version=3)),
    "an event that nobody asked for": ("unexpected", lambda case: case.rows[0].update(trace="another")),
    "a message that was never stored": (
        "unexpected", lambda case: case.told.append(replace(case.told[0], id="forged", version=3))
    ),
    "another fact in the stream": (
        "unexpected", lambda case: case.told.insert(0, replace(case.told.pop(0), body=b"1"))
    ),
    "an email that nobody wrote": (
        "unexpected", lambda case: case.letters.append(Letter("<3@alliance.example>", "a@lpr.example", "same"))
    ),
    "copies that differ": ("unexpected", lambda case: case.letters.append(replace(case.letters[0], digest="other"))),
    "one key with two effects": ("doubled", lambda case: case.rows[1].update(trace=case.rows[0]["trace"])),
    "an event that is in the stream twice": ("doubled", lambda case: _double(case.told)),
    "a stream out of order": ("disorder", lambda case: _swap(case.told)),
    "reactions out of order": ("disorder", lambda case: _swap(case.causes)),
    "versions with a gap": ("disorder", lambda case: case.rows[0].update(version=7)),
    "an email that came twice": ("emails_twice", lambda case: _double(case.letters)),
    "what somebody saw": ("complaints", lambda case: case.journal.complain("not what I wrote")),
}  # fmt: skip


def test_nothing_is_wrong_at_first(case: Case) -> None:
    assert case.verdict() == Verdict()
    assert case.verdict().holds


@pytest.mark.parametrize("name", WRONG)
def test_it_objects_to(case: Case, name: str) -> None:
    kind, break_it = WRONG[name]
    break_it(case)
    assert getattr(case.verdict(), kind) > 0
    assert not case.verdict().holds


def test_an_email_that_was_cut_beyond_the_dot_may_come_twice(case: Case) -> None:
    _double(case.letters)
    case.deliveries[0]["unknown"] = 1
    assert not case.verdict().holds
    case.allowance.unknown_emails = 1
    assert case.verdict().holds
    assert case.verdict().emails_twice_allowed == 1


def test_a_request_without_an_answer_may_have_happened_or_not(case: Case) -> None:
    attempt = Attempt("town", "interest", "14612000", expects={KIND: 1})
    case.journal.invoked(attempt)
    case.journal.unanswered(attempt, "went away")
    assert case.verdict().holds


def test_a_purse_that_is_overdrawn_is_found(case: Case) -> None:
    case.purses = {
        "purses": [{"_id": "p", "total_cents": 100, "left_cents": -20}],
        "grants": [{"purse": "p", "amount_cents": 60}, {"purse": "p", "amount_cents": 60}],
    }
    assert case.verdict().overdrawn == 20


@pytest.mark.parametrize(("tells", "told"), [("a", {"a": ["b"], "b": []}), ("b", {"a": [], "b": ["a"]})])
def test_of_two_who_joined_in_one_millisecond_either_may_have_been_first(
    tells: str, told: dict[str, list[str]]
) -> None:
    """MongoDB forgets the order of writes when it is killed."""
    rows = [
        {"_id": ags, "type": "membership.member_joined.v1", "data": {"ags": ags, "district_key": "14626"}}
        for ags in "ab"
    ]
    told_of: dict[str, list[Document]] = {
        "causes": [{"_id": f"event:{ags}", "at": NOW} for ags in "ab"],
        "deliveries": [{"event_id": tells, "template": "new_neighbour"}],
    }
    evidence = Evidence({"membership": {"events": rows}, "notifications": told_of}, {}, {}, [])
    assert _neighbours(evidence, Allowance()) == told


def test_it_shares_no_code_with_what_it_judges() -> None:
    look = "import sys, tests.chaos.__main__, tests.chaos.report, tests.chaos.power.__main__; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout.split()
    assert "tests.chaos.referee" in said
    assert [name for name in said if name.partition(".")[0] in {"services", "shared"}] == []
