import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from datetime import date, timedelta

import pytest

from operations.demo.load import rows
from operations.embedded.servers import EmbeddedServers
from services.membership.domain import accession, advising, cooperation, councils
from services.membership.domain.milestones import Consultation, Membership, Period
from services.membership.domain.municipality import Municipality
from services.membership.domain.registry import Official, merge, register
from services.membership.queries.figures import (
    Alliance,
    DayInFuture,
    Figure,
    alliance_on,
    day_asked,
    figure_filter,
)
from shared.alliance.districts import POLICE_DIRECTORATE_OF
from shared.alliance.sizes import SizeClass
from shared.kernel.errors import Refused
from tests.membership.examples import NOW, ROTHENBURG, TODAY, at
from tests.membership.queries.archive import Archive

EVE = date(2023, 1, 26)
FIRST, LAST = date(2019, 1, 1), date(2024, 12, 31)


def counts(one: Municipality, figure: Figure, day: date) -> bool:
    """A second, independent definition of what counts."""
    if not (one.valid_from or date.min) <= day <= (one.valid_to or date.max):
        return False
    match figure:
        case Figure.ADVISED:
            return any(held.held_on is None or held.held_on <= day for held in one.consultations)
        case Figure.MEMBERS:
            return goes_on(one.memberships, day)
        case Figure.COUNCILS:
            return goes_on(one.prevention_councils, day)
        case Figure.WORKING_CLOSELY:
            cooperates = goes_on(one.cooperations, day) and not goes_on(one.dormancies, day)
            return cooperates or goes_on(one.memberships, day)


def goes_on(periods: tuple[Period | Membership, ...], day: date) -> bool:
    return any((period.since or date.min) <= day <= (period.until or date.max) for period in periods)


Change = Callable[[Municipality, date, random.Random], Municipality]

CHANGES: tuple[Change, ...] = (
    lambda one, day, _: advising.show_interest(one, day, None, at(day))[0],
    lambda one, day, chance: advising.hold_consultation(one, Consultation(held_on=chance.choice((day, None))), at(day))[
        0
    ],
    lambda one, day, chance: cooperation.begin(one, chance.choice((day, day, None)), at(day))[0],
    lambda one, day, _: cooperation.end(one, day, None, at(day))[0],
    lambda one, day, _: cooperation.fall_dormant(one, day, None, at(day))[0],
    lambda one, day, _: cooperation.resume(one, day, at(day))[0],
    lambda one, day, _: accession.join(one, f"KV-{day}", day)[0],
    lambda one, day, _: (
        accession.leave(one, one.memberships[-1].agreement_id, day, "terminated")[0] if one.memberships else one
    ),
    lambda one, day, chance: councils.note_prevention_council(
        one, chance.choice((day, None)), at(day), meets=chance.random() < 0.7
    )[0],
    lambda one, day, chance: merge(one, ROTHENBURG, day)[0] if chance.random() < 0.1 else one,
)


def lives(chance: random.Random, number: int) -> Iterator[Municipality]:
    """Municipalities, each with a life of its own; what the rules refuse does not happen."""
    for count in range(number):
        district = chance.choice(sorted(POLICE_DIRECTORATE_OF))
        official = Official(
            ags=f"{district}{count:03}", name=f"Ort {count}", kind="Gemeinde", district="", nuts3="",
            latitude=51.0, longitude=13.0, population=chance.choice((None, 900, 9_000, 90_000, 900_000)),
        )  # fmt: skip
        one, _ = register(official, chance.choice((None, None, any_day(chance))))
        for day in sorted(any_day(chance) for _ in range(chance.randrange(12))):
            with suppress(Refused):
                one = chance.choice(CHANGES)(one, day, chance)
        yield one


def dice(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 -- nothing here is secret


def any_day(chance: random.Random) -> date:
    return FIRST + timedelta(days=chance.randrange((LAST - FIRST).days))


def days_that_matter(all: list[Municipality]) -> list[date]:
    """The days on which something begins or ends, and those beside them."""
    memberships = [(each.since, each.until) for one in all for each in one.memberships]
    periods = [(each.since, each.until) for one in all for each in (*one.cooperations, *one.dormancies)]
    days = [day for period in (*memberships, *periods) for day in period if day]
    return [day + timedelta(days=more) for day in days for more in (-1, 0, 1)]


@pytest.fixture(scope="module")
async def random_lives(servers: EmbeddedServers) -> AsyncIterator[tuple[Archive, list[Municipality]]]:
    """A Saxony in which anything happens."""
    archive, all = Archive(servers), list(lives(dice(0), 150))
    await archive.open()
    await archive.keep(*all)
    yield archive, all
    await archive.close()


@pytest.mark.parametrize("seed", range(40))
async def test_the_figures_are_those_of_the_states(random_lives: tuple[Archive, list[Municipality]], seed: int) -> None:
    archive, all = random_lives
    chance = dice(seed)
    for day in (any_day(chance), chance.choice(days_that_matter(all))):
        found = await alliance_on(archive.database, day)
        assert found.on == day
        for figure in Figure:
            counted = [one for one in all if counts(one, figure, day)]
            assert getattr(found, figure) == len(counted)
            for name, group in found.by_police_directorate.items():
                assert getattr(group, figure) == sum(one.police_directorate == name for one in counted)
            for size, group in found.by_size_class.items():
                assert getattr(group, figure) == sum(one.size_class == size for one in counted)


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("figure", Figure)
async def test_the_list_behind_a_figure_has_exactly_who_counts(
    random_lives: tuple[Archive, list[Municipality]], figure: Figure, seed: int
) -> None:
    archive, all = random_lives
    day = dice(seed).choice(days_that_matter(all))
    listed = await archive.records.municipalities.ids(figure_filter(figure, day))
    assert listed == sorted(one.ags for one in all if counts(one, figure, day))


async def test_every_police_directorate_and_size_class_has_its_figures(
    random_lives: tuple[Archive, list[Municipality]],
) -> None:
    found = await alliance_on(random_lives[0].database, FIRST)
    assert set(found.by_police_directorate) == set(POLICE_DIRECTORATE_OF.values())
    assert set(found.by_size_class) == set(SizeClass)


# The alliance of January 2023


@pytest.fixture(scope="module")
async def alliance(servers: EmbeddedServers) -> AsyncIterator[Archive]:
    """The alliance as it is loaded, and then Rothenburg's accession."""
    archive = Archive(servers)
    await archive.open()
    known = {row["ags"]: row for row in rows("alliance_2023-01.csv")}
    all = []
    for row in rows("municipalities.csv"):
        official = Official(
            ags=row["ags"], name=row["name"], kind=row["kind"], district=row["district"], nuts3=row["nuts3"],
            latitude=51.0, longitude=13.0,
        )  # fmt: skip
        all.append(loaded(register(official)[0], known.get(row["ags"])))
    await archive.keep(*all)
    await archive.keep(accession.join(await archive.records.municipalities.get(ROTHENBURG.ags), "KV-2023-1", TODAY)[0])
    yield archive
    await archive.close()


def loaded(one: Municipality, known: dict[str, str] | None) -> Municipality:
    if not known:
        return one
    one, _ = advising.hold_consultation(one, Consultation(held_on=None), NOW)
    if known["stage"] == "cooperating":
        one, _ = cooperation.begin(one, None, NOW)
    if known["council"] == "yes":
        one, _ = councils.note_prevention_council(one, None, NOW, meets=True)
    if known["stage"] == "member":
        one, _ = accession.join(one, f"KV-{one.ags}", date.fromisoformat(known["agreement_in_force_since"]))
    return one


def numbers(found: Alliance) -> list[int]:
    return [getattr(found, figure) for figure in Figure]


async def test_on_its_eve_the_story_of_rothenburg_has_not_happened(alliance: Archive) -> None:
    assert numbers(await alliance_on(alliance.database, EVE)) == [134, 58, 46, 28]


async def test_on_its_day_there_is_one_member_more(alliance: Archive) -> None:
    found = numbers(await alliance_on(alliance.database, TODAY))
    assert (found[0], found[2], found[3]) == (134, 47, 28)


# Days


def test_who_asks_for_no_day_means_today() -> None:
    assert day_asked(None, TODAY) == TODAY


def test_today_and_days_that_are_past_can_be_asked_for() -> None:
    assert [day_asked(day, TODAY) for day in (TODAY, EVE)] == [TODAY, EVE]


def test_nobody_knows_the_figures_of_tomorrow() -> None:
    with pytest.raises(DayInFuture, match="2023-01-28 is in the future: today is 2023-01-27"):
        day_asked(date(2023, 1, 28), TODAY)
