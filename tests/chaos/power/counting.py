"""Count a server's syncs for its acknowledged writes, and check that each answer waited for its own."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.power.recording import SYNCING, Call


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """An acknowledged write, with the times of the request and the answer."""

    number: int
    sent_at: float
    answered_at: float


def syncs_of(calls: list[Call], folder: Path) -> list[Call]:
    """Return the syncs of files below the folder, and the writes through descriptors that sync each write."""
    opened = (call for call in calls if call.name == "openat" and call.path(1).is_relative_to(folder))
    through = {call.path(1) for call in opened if "O_SYNC" in call.arguments[2] or "O_DSYNC" in call.arguments[2]}
    return [
        call
        for call in calls
        if (call.name in SYNCING and call.file.is_relative_to(folder))
        or (call.name in {"write", "writev", "pwrite64", "pwritev"} and call.file in through)
    ]


def during(syncs: Iterable[Call], start: float, end: float) -> list[Call]:
    """Return the syncs that began and ended between two moments."""
    return [call for call in syncs if start <= call.started_at and call.finished_at <= end]


def waited(writes: list[Acknowledged], syncs: list[Call]) -> int:
    """Count the answers that came after a sync that began after their request."""
    return sum(bool(during(syncs, write.sent_at, write.answered_at)) for write in writes)
