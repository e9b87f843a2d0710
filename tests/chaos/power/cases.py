"""The cases: each starts its own server and reports what a power cut costs."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from operations.embedded.servers import EmbeddedError
from tests.chaos.power import runs
from tests.chaos.power.counting import during, syncs_of, waited
from tests.chaos.power.forgetting import NotToldAllError
from tests.chaos.power.recording import why_not
from tests.chaos.power.subjects import Mongo, Nats, Subject

WRITES = 50


@dataclass(frozen=True, slots=True)
class PowerCut:
    """The finding of one case; if there are no figures, the note says why."""

    name: str
    acknowledged: int
    syncs: int | None
    lost: int | None
    seconds: float
    note: str


def count(name: str, subject: Subject, writes: int = WRITES) -> PowerCut:
    """Count the syncs between the first write and the last acknowledgement."""
    return _judged(name, lambda: _count(name, subject, writes))


def forget(name: str, subject: Subject, writes: int = WRITES, *, cuts: int = 1) -> PowerCut:
    """Cut the power so often in the worst way and as often at random; report the cut that lost most."""
    return _judged(name, lambda: _forget(name, subject, writes, cuts))


def all_cases() -> Iterator[PowerCut]:
    """Yield every case, one after the other."""
    yield count("nats sync always: fsyncs", Nats(sync_always=True))
    yield count("nats default: fsyncs (contrast)", Nats(sync_always=False))
    yield count("mongod journal: fsyncs", Mongo(journal=True))
    yield count("mongod without journal (contrast)", Mongo(journal=False))
    yield forget("nats sync always: forgotten", Nats(sync_always=True), cuts=10)
    yield forget("nats default: forgotten (contrast)", Nats(sync_always=False), cuts=2)
    yield forget("mongod majority+journal: forgotten", Mongo(journal=True), cuts=2)
    yield forget("mongod w=1 j=false: forgotten (contrast)", Mongo(journal=False), cuts=2)


def _judged(name: str, case: Callable[[], PowerCut]) -> PowerCut:
    """Say why there are no figures, if the machine cannot provide them."""
    began = time.monotonic()
    try:
        found = PowerCut(name, 0, None, None, 0, reason) if (reason := why_not()) else case()
    except (NotToldAllError, EmbeddedError) as error:
        found = PowerCut(name, 0, None, None, 0, f"nothing follows: {error}")
    return replace(found, seconds=round(time.monotonic() - began, 2))


def _count(name: str, subject: Subject, writes: int) -> PowerCut:
    with runs.recorded(subject, writes) as run:
        syncs = syncs_of(run.calls, run.data)
        counted = during(syncs, run.writes[0].sent_at, run.writes[-1].answered_at)
        note = f"{waited(run.writes, syncs)} of {writes} answers waited for a sync of their own"
        return PowerCut(name, writes, len(counted), None, 0, note)


def _forget(name: str, subject: Subject, writes: int, cuts: int) -> PowerCut:
    with runs.recorded(subject, writes) as run:
        runs.check(run)
        last = runs.worst(run, writes)
        worst = max(runs.lost(run, runs.worst(run, writes * each // cuts)) for each in range(1, cuts + 1))
        by_chance = max(runs.lost(run, runs.by_chance(run, seed)) for seed in range(cuts))
        settled = runs.lost(run, replace(last, settled=True))
        letter = runs.lost(run, replace(last, by_the_letter=True))
        both = runs.lost(run, replace(last, settled=True, by_the_letter=True))
    note = (
        f"lost at most in {cuts} worst cuts {worst}, in {cuts} by chance {by_chance}, on a settled folder {settled}; "
        f"where POSIX is taken by the letter {letter}, on a settled folder {both}"
    )
    return PowerCut(name, writes, None, max(worst, by_chance, settled), 0, note)
