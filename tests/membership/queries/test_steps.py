from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from operations.embedded.servers import EmbeddedServers
from services.membership.domain import accession, advising, coaching, cooperation
from services.membership.domain.analysis import start
from services.membership.domain.drafting import record
from services.membership.domain.milestones import Consultation
from services.membership.domain.municipality import Municipality
from services.membership.domain.next_steps import Step
from services.membership.queries.steps import StepTime, Waiting, board, journey_of, step_times
from tests.membership.examples import NOW, PIRNA, READY_ON, ROTHENBURG, TODAY, ZITTAU, at, in_force, municipality, ready
from tests.membership.queries.archive import Archive

BAUTZEN = municipality("14625020", "Bautzen", "Bautzen")
LOEBAU = municipality("14626290", "Löbau", "Görlitz")


def went(one: Municipality, *days: int) -> Municipality:
    """A municipality that was interested, was advised, and began to cooperate, each so many days before TODAY."""
    shown, held, began = (TODAY - timedelta(days=each) for each in days)
    one, _ = advising.show_interest(one, shown, None, NOW)
    one, _ = advising.hold_consultation(one, Consultation(held_on=held), NOW)
    return cooperation.begin(one, began, NOW)[0]


@pytest.fixture(scope="module")
async def archive(servers: EmbeddedServers) -> AsyncIterator[Archive]:
    """Zittau and Rothenburg signed together, Pirna shall sign, Bautzen was advised, Löbau was a member long before."""
    made = Archive(servers)
    await made.open()
    joint = replace(in_force(ROTHENBURG, ZITTAU), drafted_on=date(2023, 1, 16))
    pirna = replace(ready(PIRNA), id="KV-2023-2", drafted_on=date(2023, 1, 18))
    entered, _ = record("KV-2020-1", LOEBAU, date(2020, 5, 4))
    bautzen, _ = advising.hold_consultation(BAUTZEN, Consultation(held_on=date(2023, 1, 2)), NOW)
    loebau, _ = accession.join(LOEBAU, entered.id, date(2020, 5, 4))
    loebau, _ = coaching.request(loebau, "drugs", date(2023, 1, 9), NOW)
    loebau, _ = coaching.match_coach(loebau, 1, "Polizei", date(2023, 1, 12), NOW)
    loebau, _ = coaching.request(loebau, "youth", date(2023, 1, 20), NOW)
    analysis, _ = start("SA-2023-1", [LOEBAU, PIRNA], date(2023, 1, 9), NOW, with_survey=False, subject=None)
    await made.keep(
        accession.join(went(ROTHENBURG, 60, 40, 20), joint.id, TODAY)[0],
        accession.join(went(ZITTAU, 30, 20, 15), joint.id, TODAY)[0],
        went(PIRNA, 30, 26, 20), bautzen, loebau, joint, pirna, entered, analysis,
    )  # fmt: skip
    yield made
    await made.close()


@pytest.fixture
async def times(archive: Archive) -> dict[Step, StepTime]:
    return {each.step: each for each in await step_times(archive.records, archive.database, TODAY, lambda _: True)}


async def rows(archive: Archive, limit: int = 200, after: str | None = None) -> list[Waiting]:
    page = await board(archive.records, archive.database, {}, TODAY, lambda _: True, after=after, limit=limit)
    return page.items


def taken(time: StepTime) -> tuple[float | None, int]:
    return time.median_days, time.count


async def test_every_step_has_its_time_in_the_order_of_the_way(archive: Archive) -> None:
    found = await step_times(archive.records, archive.database, TODAY, lambda _: True)
    assert [each.step for each in found] == list(Step)


@pytest.mark.parametrize(
    ("step", "median", "count"),
    [
        (Step.CONSULT, 10, 3),  # 20, 10, 4
        (Step.AGREE_ON_COOPERATION, 6, 3),  # 20, 5, 6
        (Step.DRAFT_AGREEMENT, 9, 3),  # 9, 4, 11
        (Step.MAKE_READY, 3, 2),  # 4, 2
        (Step.SIGN, 7, 1),
        (Step.MATCH_COACH, 3, 1),
        (Step.RENEW, None, 0),
        (Step.FINISH_ANALYSIS, None, 0),
    ],
)
def test_steps_took_their_time(times: dict[Step, StepTime], step: Step, median: float | None, count: int) -> None:
    assert taken(times[step]) == (median, count)


def test_a_stuck_municipality_is_listed_with_its_day_and_whom_it_waits_for(times: dict[Step, StepTime]) -> None:
    [bautzen] = times[Step.AGREE_ON_COOPERATION].stuck
    assert (bautzen.ags, bautzen.name, bautzen.since, bautzen.days, bautzen.waiting_for) == (
        "14625020", "Bautzen", date(2023, 1, 2), 25, ("municipality:14625020",),
    )  # fmt: skip
    [pirna] = times[Step.SIGN].stuck
    assert (pirna.ags, pirna.since, pirna.of, len(pirna.waiting_for)) == (PIRNA.ags, READY_ON, "KV-2023-2", 4)


async def test_only_municipalities_that_somebody_may_see_are_listed_as_stuck(archive: Archive) -> None:
    mine = await step_times(archive.records, archive.database, TODAY, lambda row: row.ags == PIRNA.ags)
    all = await step_times(archive.records, archive.database, TODAY, lambda _: True)
    assert {row.ags for each in mine for row in each.stuck} == {PIRNA.ags}
    assert [taken(each) for each in mine] == [taken(each) for each in all]


async def test_on_the_board_what_waits_longest_comes_first(archive: Archive) -> None:
    assert [(row.ags, row.step, row.days) for row in await rows(archive)] == [
        (BAUTZEN.ags, Step.AGREE_ON_COOPERATION, 25),
        (LOEBAU.ags, Step.FINISH_ANALYSIS, 18),
        (PIRNA.ags, Step.FINISH_ANALYSIS, 18),
        (LOEBAU.ags, Step.MATCH_COACH, 7),
        (PIRNA.ags, Step.SIGN, 7),
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
async def test_the_board_is_walked_through_without_gap_or_double(archive: Archive, limit: int) -> None:
    walked: list[Waiting] = []
    after: str | None = None
    while True:
        page = await board(archive.records, archive.database, {}, TODAY, lambda _: True, after=after, limit=limit)
        walked += page.items
        if (after := page.next) is None:
            break
    assert walked == await rows(archive)


async def test_the_board_shows_only_the_municipalities_that_are_asked_for(archive: Archive) -> None:
    found = await board(
        archive.records, archive.database, {"police_directorate": "PD Dresden"}, TODAY,
        lambda row: row.waits_for("ministry"), after=None, limit=9,
    )  # fmt: skip
    assert [(row.ags, row.step) for row in found.items] == [(PIRNA.ags, Step.SIGN)]


@pytest.mark.parametrize(
    ("party", "waits"),
    [
        ("lpr", True), ("police_directorate", True), ("police_directorate:PD Dresden", True),
        ("police_directorate:PD Görlitz", False), ("police", False), ("municipality", True),
        ("municipality:14628270", True), ("municipality:14628", False), ("", False),
    ],
)  # fmt: skip
async def test_it_waits_for_a_party_or_for_any_of_its_kind(archive: Archive, party: str, *, waits: bool) -> None:
    pirna = (await rows(archive))[-1]
    assert pirna.waits_for(party) == waits


async def test_the_journey_of_a_municipality_knows_all_that_it_has_a_part_in(archive: Archive) -> None:
    found = await journey_of(archive.records, archive.database, PIRNA, at(TODAY).date())
    assert {each.of for each in found.milestones} == {"KV-2023-2", "SA-2023-1"}
