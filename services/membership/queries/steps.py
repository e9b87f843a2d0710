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
"""A step with its start and end, if known."""


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
        return any(awaited in {party, f"{party}:{awaited.partition(':')[2]}"} for awaited in self.waiting_for)

    @property
    def place(self) -> str:
        """Its place on the board: longest wait first, unknown start last."""
        return f"{self.since or date.max} {self.ags} {self.step} {self.of or ''}"


@dataclass(frozen=True, kw_only=True, slots=True)
class StepTime:
    """The duration of a step in all of Saxony, and the municipalities in it now."""

    step: Step
    median_days: float | None
    """None if the step was never completed, or only on undocumented days."""
    count: int
    """Number of times the step was completed."""
    stuck: tuple[Waiting, ...]
    """Municipalities in this step now, longest wait first."""


@dataclass(frozen=True)
class _Parts:
    """Municipalities with all their agreements and analyses, past ones included."""

    municipalities: Sequence[Municipality]
    agreements: Sequence[Agreement]
    analyses: Sequence[SecurityAnalysis]

    def waiting(self, today: date) -> list[Waiting]:
        """List their next steps, longest wait first."""
        agreements, analyses = _by_ags(self.agreements), _by_ags(self.analyses)
        rows = (
            _waiting(municipality, agreements[municipality.ags], analyses[municipality.ags], today)
            for municipality in self.municipalities
        )
        return sorted(chain.from_iterable(rows), key=lambda row: row.place)


async def journey_of(records: Records, database: Database, municipality: Municipality, today: date) -> Journey:
    """The journey of a municipality until today."""
    parts = await _parts(records, database, [municipality])
    return journey(municipality, parts.agreements, parts.analyses, today)


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
    return [_step_time(step, [days for done, days in taken if done is step], waiting) for step in Step]


async def _parts(records: Records, database: Database, municipalities: Sequence[Municipality]) -> _Parts:
    """Read the agreements and analyses of these municipalities by the index of `municipalities.ags`, without texts."""
    of = {"municipalities.ags": {"$in": [municipality.ags for municipality in municipalities]}}
    found = await database["agreements"].find(of, {"text": 0}).sort("_id").to_list(None)
    return _Parts(municipalities, list(map(records.agreements.state, found)), await records.analyses.all(of))


def _waiting(
    municipality: Municipality, agreements: Sequence[Agreement], analyses: Sequence[SecurityAnalysis], today: date
) -> Iterator[Waiting]:
    for next_step in next_steps(municipality, agreements, analyses, today):
        yield Waiting(
            ags=municipality.ags, name=municipality.name, police_directorate=municipality.police_directorate,
            stage=municipality.stage, step=next_step.step, waiting_for=next_step.waiting_for,
            since=next_step.since, days=next_step.days, of=next_step.of,
        )  # fmt: skip


def _step_time(step: Step, days: Sequence[int], waiting: Sequence[Waiting]) -> StepTime:
    return StepTime(
        step=step, median_days=median(days) if days else None, count=len(days),
        stuck=tuple(row for row in waiting if row.step is step),
    )  # fmt: skip


def _taken(parts: _Parts) -> Iterator[Taken]:
    """Yield every completed step, except those of agreements older than this system, whose durations are unknown."""
    drafted = [agreement for agreement in parts.agreements if not was_entered(agreement)]
    of = _by_ags(drafted)
    for municipality in parts.municipalities:
        yield from _taken_by(
            municipality, [agreement.drafted_on for agreement in of[municipality.ags] if agreement.drafted_on]
        )
    for agreement in drafted:
        yield Step.MAKE_READY, agreement.drafted_on, agreement.ready_on
        yield Step.SIGN, agreement.ready_on, agreement.in_force_since
    for analysis in parts.analyses:
        yield Step.FINISH_ANALYSIS, analysis.started_on, analysis.finished_on


def _taken_by(municipality: Municipality, drafted: Sequence[date]) -> Iterator[Taken]:
    """Each day counts from the same milestone as the waiting for that step does."""
    held = [consultation.held_on for consultation in municipality.consultations if consultation.held_on]
    if shown := first(*(interest.shown_on for interest in municipality.interests)):
        yield Step.CONSULT, shown, first(*(day for day in held if day >= shown))
    for cooperation in municipality.cooperations:
        if since := cooperation.since:
            until = cooperation.until or date.max
            yield Step.AGREE_ON_COOPERATION, last(*(day for day in held if day <= since)), since
            yield Step.DRAFT_AGREEMENT, since, first(*(day for day in drafted if since <= day <= until))
    for coaching in municipality.coachings:
        yield Step.MATCH_COACH, coaching.requested_on, coaching.matched_on


def _by_ags(all: Iterable[P]) -> Mapping[str, list[P]]:
    of: dict[str, list[P]] = defaultdict(list)
    for agreement in all:
        for ref in agreement.municipalities:
            of[ref.ags].append(agreement)
    return of
