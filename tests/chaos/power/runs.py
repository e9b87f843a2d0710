"""A server that acknowledged writes and was killed, and what is left if the power had failed before."""

import filecmp
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.power.counting import Acknowledged
from tests.chaos.power.forgetting import Disk, NotToldAllError
from tests.chaos.power.recording import Call, cut
from tests.chaos.power.subjects import Subject


@dataclass(frozen=True, slots=True)
class Run:
    """The acknowledged writes of a server, and all its file operations."""

    subject: Subject
    data: Path
    port: int
    writes: list[Acknowledged]
    calls: list[Call]


@dataclass(frozen=True, slots=True)
class Cut:
    """The moment of the power cut, and how much the disk forgets."""

    at: float
    settled: bool = False
    """True if everything from before the first write is assumed to be on the disk."""
    by_the_letter: bool = False
    leaks: random.Random | None = None


@contextmanager
def recorded(subject: Subject, count: int) -> Iterator[Run]:
    """Let the server acknowledge so many writes, kill it, and keep its folder until the end."""
    with tempfile.TemporaryDirectory(prefix="power-") as folder:
        server = subject.recorded(Path(folder))
        try:
            server.start()
            writes = subject.write(server, count)
            yield Run(subject, server.data_path, server.port, writes, cut(server))
        finally:
            server.kill()


def worst(run: Run, acknowledged: int) -> Cut:
    """Cut right after so many acknowledgements, and forget everything unsynced."""
    return Cut(run.writes[acknowledged - 1].answered_at)


def by_chance(run: Run, seed: int) -> Cut:
    """Cut at any moment after the first acknowledgement, and keep a random half of what is unsynced."""
    chance = random.Random(seed)
    return Cut(chance.uniform(run.writes[0].answered_at, run.writes[-1].answered_at), leaks=chance)


def lost(run: Run, cut: Cut) -> int:
    """Start the server on what the cut leaves, and count the acknowledged writes it has lost."""
    with tempfile.TemporaryDirectory(prefix="power-") as folder:
        disk = Disk(run.data, Path(folder, "disk"), by_the_letter=cut.by_the_letter)
        done = [call for call in run.calls if call.finished_at <= cut.at]
        if cut.settled:
            disk.play(call for call in done if call.finished_at <= run.writes[0].sent_at)
            disk.settle()
            done = [call for call in done if call.finished_at > run.writes[0].sent_at]
        disk.play(done)
        if cut.leaks:
            disk.leak(cut.leaks)
        disk.rebuild(Path(folder, run.data.name))
        acknowledged = {write.number for write in run.writes if write.answered_at <= cut.at}
        return len(acknowledged - run.subject.survivors(Path(folder), run.port))


def check(run: Run) -> None:
    """Check the record: a disk that forgets nothing must rebuild the folder byte for byte."""
    with tempfile.TemporaryDirectory(prefix="power-") as folder:
        disk = Disk(run.data, Path(folder, "disk"))
        disk.play(run.calls)
        disk.rebuild(Path(folder, "seen"), all_seen=True)
        seen, real = _files(Path(folder, "seen")), _files(run.data)
        differing = {name for name in seen.keys() & real.keys() if not _same(seen[name], real[name])}
        differing |= seen.keys() ^ real.keys()
        if differing:
            raise NotToldAllError(f"the record differs from the folder in {', '.join(sorted(differing))}")


def _files(folder: Path) -> dict[str, Path]:
    return {str(path.relative_to(folder)): path for path in folder.rglob("*")}


def _same(one: Path, other: Path) -> bool:
    return one.is_dir() == other.is_dir() and (one.is_dir() or filecmp.cmp(one, other, shallow=False))
