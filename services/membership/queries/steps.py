"""Queries about steps: the journey of one municipality, the board of all, and the duration of each step."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from statistics import median
from typing import TypeAlias, TypeVar

from services.membership.domain.agreement import Agreement
from services.membership.domain.analysis import SecurityAnalysis
from services.membership.domain.journey import Journey, journey
from services.membership.domain.milestones import Stage
from services.membership.domain.municipality import Municipality
from services.membership.domain.next_steps import Step, first, last, next_steps, was_entered
from services.membership.queries.figures import Filter, existing
from services.membership.records import Records
from shared.store.mongo import Database
from shared.store.repository import Page

P = TypeVar("P", Agreement, SecurityAnalysis)

Taken: TypeAlias = tuple[Step, date | None, date | None]
"""A step, and from when until when it took, as far as that is known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """A step that comes next for a municipality, and for whom that waits."""

    ags: str
    name: str
    police_directorate: str
    stage: Stage
    step: Step
    waiting_for: tuple[str, ...]
    since: date | None
    days: int | None
    of: str | None
    """The id of the agreement or analysis, or the number of the coaching."""

    def waits_for(self, party: str) -> bool:
        """Return True if the step waits for a party or kind of party; `municipality` is any municipality."""
        return any(one in {party, f"{party}:{one.partition(':')[2]}"} for one in self.waiting_for)

    @property
    def place(self) -> str:
        """Its place on the board: what waits longest comes first, what waits since nobody knows when comes last."""
        return f"{self.since or date.max} {self.ags} {self.step} {self.of or ''}"


@dataclass(frozen=True, kw_only=True, slots=True)
class StepTime:
    """The duration of a step in all of Saxony, and the municipalities in it now."""

    step: Step
    median_days: float | None
    """None where it was never done, or on days that are not documented."""
    count: int
    """Number of times the step was completed."""
    stuck: tuple[Waiting, ...]
    """Municipalities in this step now, longest wait first."""


@dataclass(frozen=True)
class _Parts:
    """Municipalities, and all that each of them has or had a part in."""

    municipalities: Sequence[Municipality]
    agreements: Sequence[Agreement]
    analyses: Sequence[SecurityAnalysis]

    def waiting(self, today: date) -> list[Waiting]:
        """List their next steps, longest wait first."""
        agreements, analyses = _by_ags(self.agreements), _by_ags(self.analyses)
        rows = (_waiting(one, agreements[one.ags], analyses[one.ags], today) for one in self.municipalities)
        return sorted(chain.from_iterable(rows), key=lambda row: row.place)


async def journey_of(records: Records, database: Database, one: Municipality, today: date) -> Journey:
    """The journey of a municipality until today."""
    parts = await _parts(records, database, [one])
    return journey(one, parts.agreements, parts.analyses, today)


async def board(
    records: Records,
    database: Database,
    where: Filter,
    today: date,
    wanted: Callable[[Waiting], bool],
    *,
    after: str | None,
    limit: int,
) -> Page[Waiting]:
    """At most `limit` of the wanted steps of the municipalities that match, from the one after `after`."""
    parts = await _parts(records, database, await records.municipalities.all({"$and": [where, existing(today)]}))
    rows = [row for row in parts.waiting(today) if wanted(row) and (after is None or row.place > after)]
    return Page(rows[:limit], rows[limit - 1].place if len(rows) > limit else None)


async def step_times(
    records: Records, database: Database, today: date, seen: Callable[[Waiting], bool]
) -> list[StepTime]:
    """Compute the duration of each step, with the municipalities in it now that the caller may see."""
    parts = await _parts(records, database, await records.municipalities.all({}))
    taken = [(step, (until - since).days) for step, since, until in _taken(parts) if since and until and since <= until]
    waiting = [row for row in parts.waiting(today) if seen(row)]
    return [_step_time(step, [days for each, days in taken if each is step], waiting) for step in Step]


async def _parts(records: Records, database: Database, municipalities: Sequence[Municipality]) -> _Parts:
    """Read the agreements and analyses of these municipalities by the index of `municipalities.ags`, without texts."""
    of = {"municipalities.ags": {"$in": [one.ags for one in municipalities]}}
    found = await database["agreements"].find(of, {"text": 0}).sort("_id").to_list(None)
    return _Parts(municipalities, list(map(records.agreements.state, found)), await records.analyses.all(of))


def _waiting(
    one: Municipality, agreements: Sequence[Agreement], analyses: Sequence[SecurityAnalysis], today: date
) -> Iterator[Waiting]:
    for each in next_steps(one, agreements, analyses, today):
        yield Waiting(
            ags=one.ags, name=one.name, police_directorate=one.police_directorate, stage=one.stage,
            step=each.step, waiting_for=each.waiting_for, since=each.since, days=each.days, of=each.of,
        )  # fmt: skip


def _step_time(step: Step, days: Sequence[int], waiting: Sequence[Waiting]) -> StepTime:
    return StepTime(
        step=step, median_days=median(days) if days else None, count=len(days),
        stuck=tuple(row for row in waiting if row.step is step),
    )  # fmt: skip


def _taken(parts: _Parts) -> Iterator[Taken]:
    """Every step that was done; of agreements that were entered, nobody knows how long theirs took."""
    drafted = [agreement for agreement in parts.agreements if not was_entered(agreement)]
    of = _by_ags(drafted)
    for one in parts.municipalities:
        yield from _taken_by(one, [agreement.drafted_on for agreement in of[one.ags] if agreement.drafted_on])
    for agreement in drafted:
        yield Step.MAKE_READY, agreement.drafted_on, agreement.ready_on
        yield Step.SIGN, agreement.ready_on, agreement.in_force_since
    for analysis in parts.analyses:
        yield Step.FINISH_ANALYSIS, analysis.started_on, analysis.finished_on


def _taken_by(one: Municipality, drafted: Sequence[date]) -> Iterator[Taken]:
    """Each day counts from the same milestone as the waiting for that step does."""
    held = [consultation.held_on for consultation in one.consultations if consultation.held_on]
    if shown := first(*(interest.shown_on for interest in one.interests)):
        yield Step.CONSULT, shown, first(*(day for day in held if day >= shown))
    for cooperation in one.cooperations:
        if since := cooperation.since:
            until = cooperation.until or date.max
            yield Step.AGREE_ON_COOPERATION, last(*(day for day in held if day <= since)), since
            yield Step.DRAFT_AGREEMENT, since, first(*(day for day in drafted if since <= day <= until))
    for coaching in one.coachings:
        yield Step.MATCH_COACH, coaching.requested_on, coaching.matched_on


def _by_ags(all: Iterable[P]) -> Mapping[str, list[P]]:
    of: dict[str, list[P]] = defaultdict(list)
    for one in all:
        for ref in one.municipalities:
            of[ref.ags].append(one)
    return of
