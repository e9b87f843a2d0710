"""A security analysis (Sicherheitsanalyse) of one or several municipalities: its state, its events, its rules."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from services.membership.domain.dates import DatedInFuture, EndsBeforeItBegan
from services.membership.domain.municipality import Municipality
from shared.events.membership.milestones import SecurityAnalysisFinished, SecurityAnalysisStarted
from shared.events.membership.refs import MunicipalityRef
from shared.kernel.clock import berlin_day
from shared.kernel.copying import copy_as
from shared.kernel.decision import Decision, Evolve
from shared.kernel.errors import Invalid, Refused
from shared.kernel.value import value


class NoMunicipality(Invalid):
    """An analysis needs at least one municipality."""

    code = "no_municipality"


class AlreadyFinished(Refused):
    """The analysis has been finished."""

    code = "analysis_finished"


@value
class SecurityAnalysis:
    """A security analysis; its id is the file number."""

    id: str
    municipalities: tuple[MunicipalityRef, ...]
    started_on: date
    with_survey: bool
    """It includes a survey of inhabitants (Bürgerbefragung)."""
    subject: str | None = None
    finished_on: date | None = None
    respondents: int | None = None
    """The number of inhabitants who answered the survey."""
    summary: str | None = None


evolve = Evolve[SecurityAnalysis](
    creates={SecurityAnalysisStarted: lambda event: copy_as(SecurityAnalysis, event, id=event.analysis_id)},
    changes={
        SecurityAnalysisFinished: lambda analysis, event: replace(
            analysis, finished_on=event.finished_on, respondents=event.respondents, summary=event.summary
        )
    },
)


def start(
    id: str,
    municipalities: Sequence[Municipality],
    started_on: date,
    now: datetime,
    *,
    with_survey: bool,
    subject: str | None,
) -> Decision[SecurityAnalysis]:
    """Start an analysis of one or several municipalities."""
    if not municipalities:
        raise NoMunicipality(f"analysis {id} needs at least one municipality")
    _refuse_future(id, started_on, now)
    started = SecurityAnalysisStarted(
        analysis_id=id,
        municipalities=tuple(
            municipality.ref for municipality in sorted(municipalities, key=lambda municipality: municipality.ags)
        ),
        started_on=started_on,
        with_survey=with_survey,
        subject=subject,
    )
    return evolve.decision(None, started)


def finish(
    analysis: SecurityAnalysis, finished_on: date, respondents: int | None, summary: str | None, now: datetime
) -> Decision[SecurityAnalysis]:
    """Record the results of an analysis."""
    if analysis.finished_on:
        raise AlreadyFinished(f"analysis {analysis.id} was finished on {analysis.finished_on}")
    _refuse_future(analysis.id, finished_on, now)
    if finished_on < analysis.started_on:
        raise EndsBeforeItBegan(f"analysis {analysis.id} was started on {analysis.started_on}, after {finished_on}")
    finished = copy_as(
        SecurityAnalysisFinished,
        analysis,
        analysis_id=analysis.id,
        finished_on=finished_on,
        respondents=respondents,
        summary=summary,
    )
    return evolve.decision(analysis, finished)


def _refuse_future(id: str, day: date, now: datetime) -> None:
    if day > berlin_day(now):
        raise DatedInFuture(f"analysis {id} on {day} is in the future: today is {berlin_day(now)}")
