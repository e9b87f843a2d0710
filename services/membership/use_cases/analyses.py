"""Use cases of security analyses."""

from collections.abc import Sequence
from datetime import date

from services.membership.domain import analysis
from services.membership.domain.analysis import SecurityAnalysis
from services.membership.records import Analyses, Records
from shared.kernel.cause import Cause
from shared.kernel.ids import new_file_number


async def start_analysis(
    records: Records,
    ags: Sequence[str],
    started_on: date,
    cause: Cause,
    *,
    with_survey: bool,
    subject: str | None,
) -> SecurityAnalysis:
    """Start a security analysis; raises NotFound for an unknown municipality."""
    municipalities = [await records.municipalities.get(key) for key in sorted(set(ags))]
    number = new_file_number("SA", cause.at.year)
    started = analysis.start(number, municipalities, started_on, cause.at, with_survey=with_survey, subject=subject)
    return await records.analyses.add(*started, cause)


async def finish_analysis(
    analyses: Analyses, id: str, finished_on: date, cause: Cause, *, respondents: int | None, summary: str | None
) -> SecurityAnalysis:
    """Record the results of a security analysis."""
    return await analyses.change(
        id, lambda started: analysis.finish(started, finished_on, respondents, summary, cause.at), cause
    )
