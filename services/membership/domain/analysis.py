"""A security analysis (Sicherheitsanalyse) of one or several municipalities: started, finished."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from services.membership.domain.milestones import EndsBeforeItBegan
from services.membership.domain.municipality import DatedInFuture, Municipality
from shared.events.membership.milestones import SecurityAnalysisFinished, SecurityAnalysisStarted
from shared.events.membership.refs import MunicipalityRef
from shared.kernel.clock import berlin_day
from shared.kernel.errors import Invalid, Refused
from shared.kernel.event import Event
from shared.kernel.facts import told


class NoMunicipality(Invalid):
    """An analysis is about at least one municipality."""

    code = "no_municipality"


class AlreadyFinished(Refused):
    """The analysis has been finished."""

    code = "analysis_finished"


@dataclass(frozen=True, kw_only=True, slots=True)
class SecurityAnalysis:
    """A security analysis; its id is the file number."""

    id: str
    municipalities: tuple[MunicipalityRef, ...]
    started_on: date
    with_survey: bool
    """Inhabitants are asked, too (Bürgerbefragung)."""
    subject: str | None = None
    finished_on: date | None = None
    respondents: int | None = None
    """Inhabitants who answered."""
    summary: str | None = None

    @classmethod
    def begun(cls, fact: Any) -> "SecurityAnalysis":
        """An analysis as it is when it was started."""
        if not isinstance(fact, SecurityAnalysisStarted):
            raise TypeError(f"{type(fact).__name__} begins no analysis")
        return cls(
            id=fact.analysis_id, municipalities=fact.municipalities, started_on=fact.started_on,
            with_survey=fact.with_survey, subject=fact.subject,
        )  # fmt: skip

    def after(self, fact: Any) -> "SecurityAnalysis":
        """The analysis after this fact."""
        if not isinstance(fact, SecurityAnalysisFinished):
            raise TypeError(f"{type(fact).__name__} is no fact about an analysis under way")
        return replace(
            self, finished_on=fact.finished_on, respondents=fact.respondents, summary=fact.summary
        )  # fmt: skip

    def finish(
        self, finished_on: date, respondents: int | None, summary: str | None, now: datetime
    ) -> tuple["SecurityAnalysis", list[Event]]:
        """The results are there."""
        if self.finished_on:
            raise AlreadyFinished(f"analysis {self.id} was finished on {self.finished_on}")
        _refuse_future(self.id, finished_on, now)
        if finished_on < self.started_on:
            raise EndsBeforeItBegan(f"analysis {self.id} was started on {self.started_on}, after {finished_on}")
        return told(
            self,
            SecurityAnalysisFinished(
                analysis_id=self.id, municipalities=self.municipalities, started_on=self.started_on,
                finished_on=finished_on, respondents=respondents, summary=summary,
            ),
        )  # fmt: skip


def start(
    id: str,
    municipalities: Sequence[Municipality],
    started_on: date,
    now: datetime,
    *,
    with_survey: bool,
    subject: str | None,
) -> tuple[SecurityAnalysis, list[Event]]:
    """Start an analysis of one or several municipalities."""
    if not municipalities:
        raise NoMunicipality(f"analysis {id} needs at least one municipality")
    _refuse_future(id, started_on, now)
    refs = tuple(one.ref for one in sorted(municipalities, key=lambda one: one.ags))
    fact = SecurityAnalysisStarted(
        analysis_id=id, municipalities=refs, started_on=started_on, with_survey=with_survey, subject=subject
    )
    return SecurityAnalysis.begun(fact), [fact]


def _refuse_future(id: str, day: date, now: datetime) -> None:
    if day > berlin_day(now):
        raise DatedInFuture(f"analysis {id} on {day} is in the future: today is {berlin_day(now)}")
