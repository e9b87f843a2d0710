"""The referee's own log of all requests and answers."""

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

CONFLICT = 409


class Outcome(StrEnum):
    """The outcome of a request, as far as its sender knows."""

    INVOKED = "invoked"
    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass
class Attempt:
    """One intended change, under one Idempotency-Key and one trace, however often it is sent."""

    who: str
    what: str
    about: str
    """The aggregate to change; for a new one, what it covers."""
    key: str = field(default_factory=lambda: secrets.token_hex(8))
    trace: str = field(default_factory=lambda: f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01")
    expects: Mapping[str, int] = field(default_factory=dict)
    """The events it should cause, with their numbers."""
    may_refuse: str = ""
    """The code of a refusal that counts as a valid answer."""
    outcome: Outcome = Outcome.INVOKED
    sent: int = 0
    status: int | None = None
    answer: Any = None


class Journal:
    """All attempts of one world; each step is also written to a file at once."""

    def __init__(self, file: Path) -> None:
        self.attempts: dict[str, Attempt] = {}
        """Attempts by trace."""
        self.complaints: list[str] = []
        """Observations by clients that the promises rule out."""
        self._file = file.open("a", encoding="utf-8")

    def invoked(self, attempt: Attempt) -> None:
        """Record that a request is about to be sent, for the first time or again."""
        attempt.sent += 1
        self.attempts[attempt.trace] = attempt
        self._write(attempt)

    def answered(self, attempt: Attempt, status: int, answer: Any) -> None:
        """Record a definite answer; a later one must not contradict an earlier one."""
        attempt.status, ok = status, 200 <= status < 300
        refusable = bool(attempt.may_refuse) and status == CONFLICT and answer["code"] == attempt.may_refuse
        if refusable:
            if attempt.outcome is Outcome.OK:
                self.complain(f"{attempt.what} {attempt.about} was accepted, and is refused: {answer}")
            else:
                attempt.outcome = Outcome.FAILED
        elif ok:
            if attempt.outcome is Outcome.FAILED:
                self.complain(f"{attempt.what} {attempt.about} was refused, and is accepted: {answer}")
            attempt.outcome, attempt.answer = Outcome.OK, answer
        elif attempt.outcome is not Outcome.OK:
            attempt.outcome = Outcome.FAILED
            self.complain(f"{attempt.what} {attempt.about} was refused: {status} {answer}")
        self._write(attempt)

    def unanswered(self, attempt: Attempt, why: str) -> None:
        """Record that there was no answer, or only "not now": the change may have happened."""
        if attempt.outcome is Outcome.INVOKED:
            attempt.outcome = Outcome.UNKNOWN
        self._write(attempt, why=why)

    def complain(self, what: str) -> None:
        """Record an observation that the promises rule out."""
        self.complaints.append(what)

    def count(self, outcome: Outcome) -> int:
        """Return the number of attempts with this outcome."""
        return sum(attempt.outcome is outcome for attempt in self.attempts.values())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, attempt: Attempt, **more: Any) -> None:
        plain = {name: value for name, value in asdict(attempt).items() if name != "answer"}
        self._file.write(json.dumps({"at": time.time(), **plain, **more}, ensure_ascii=False) + "\n")
        self._file.flush()
