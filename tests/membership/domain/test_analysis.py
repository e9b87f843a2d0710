from datetime import date

import pytest

from services.membership.domain import analysis
from services.membership.domain.analysis import AlreadyFinished, NoMunicipality, SecurityAnalysis, start
from services.membership.domain.dates import DatedInFuture, EndsBeforeItBegan
from services.membership.domain.municipality import Municipality
from shared.events.membership.milestones import SecurityAnalysisFinished, SecurityAnalysisStarted
from shared.kernel.errors import Invalid
from tests.membership.examples import JUST_AFTER_MIDNIGHT_IN_SAXONY, NOW, PIRNA, ROTHENBURG, TODAY, TOMORROW

ID = "SA-2023-7QX4M2"
MONDAY = date(2023, 1, 23)


def started(*covered: Municipality, started_on: date = MONDAY) -> SecurityAnalysis:
    made, _ = start(ID, covered or [ROTHENBURG], started_on, NOW, with_survey=True, subject="Sicherheitsgefühl")
    return made


FINISHED, _ = analysis.finish(started(), TODAY, 812, "Der Bahnhof wird gemieden.", NOW)


def test_an_analysis_is_published_when_it_starts() -> None:
    _, events = start(ID, [ROTHENBURG], MONDAY, NOW, with_survey=True, subject="Sicherheitsgefühl")
    assert events == [
        SecurityAnalysisStarted(
            analysis_id=ID, municipalities=(ROTHENBURG.ref,), started_on=MONDAY, with_survey=True,
            subject="Sicherheitsgefühl",
        )
    ]  # fmt: skip


def test_an_analysis_may_be_about_several_municipalities_in_the_order_of_their_keys() -> None:
    assert started(PIRNA, ROTHENBURG).municipalities == (ROTHENBURG.ref, PIRNA.ref)


def test_an_analysis_is_about_somebody() -> None:
    with pytest.raises(NoMunicipality, match=ID):
        start(ID, [], MONDAY, NOW, with_survey=False, subject=None)


def test_an_analysis_of_nobody_is_a_mistake_of_who_sent_it() -> None:
    assert issubclass(NoMunicipality, Invalid)


def test_an_analysis_does_not_start_tomorrow() -> None:
    with pytest.raises(DatedInFuture, match=rf"{ID} on 2023-01-28 is in the future: today is 2023-01-27"):
        started(started_on=TOMORROW)


def test_today_is_the_day_in_saxony() -> None:
    made, _ = start(ID, [ROTHENBURG], TOMORROW, JUST_AFTER_MIDNIGHT_IN_SAXONY, with_survey=False, subject=None)
    assert made.started_on == TOMORROW


def test_an_analysis_has_a_subject_and_may_ask_the_inhabitants() -> None:
    assert (started().subject, started().with_survey) == ("Sicherheitsgefühl", True)


def test_an_analysis_under_way_has_no_results() -> None:
    assert (started().finished_on, started().respondents, started().summary) == (None, None, None)


def test_results_are_published_with_the_number_of_respondents() -> None:
    _, events = analysis.finish(started(), TODAY, 812, "Der Bahnhof wird gemieden.", NOW)
    assert events == [
        SecurityAnalysisFinished(
            analysis_id=ID, municipalities=(ROTHENBURG.ref,), started_on=MONDAY, finished_on=TODAY, respondents=812,
            summary="Der Bahnhof wird gemieden.",
        )
    ]  # fmt: skip


def test_results_are_kept() -> None:
    assert (FINISHED.finished_on, FINISHED.respondents, FINISHED.summary) == (
        TODAY, 812, "Der Bahnhof wird gemieden.",
    )  # fmt: skip


def test_an_analysis_may_be_finished_on_the_day_on_which_it_started() -> None:
    finished, _ = analysis.finish(started(started_on=TODAY), TODAY, None, None, NOW)
    assert finished.finished_on == TODAY


def test_an_analysis_is_finished_once() -> None:
    with pytest.raises(AlreadyFinished, match=rf"{ID} was finished on 2023-01-27"):
        analysis.finish(FINISHED, TODAY, 812, "Noch einmal.", NOW)


def test_an_analysis_is_not_finished_before_it_started() -> None:
    with pytest.raises(EndsBeforeItBegan, match=rf"{ID} was started on 2023-01-23, after 2023-01-22"):
        analysis.finish(started(), date(2023, 1, 22), None, None, NOW)


def test_an_analysis_is_not_finished_tomorrow() -> None:
    with pytest.raises(DatedInFuture, match=rf"{ID} on 2023-01-28 is in the future"):
        analysis.finish(started(), TOMORROW, None, None, NOW)
