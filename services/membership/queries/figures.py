"""The figures of the alliance on a day, also a past one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from shared.alliance.districts import POLICE_DIRECTORATES
from shared.alliance.sizes import SizeClass
from shared.kernel.errors import Invalid
from shared.store.mongo import Database

Filter = dict[str, Any]


class Figure(StrEnum):
    """The four independent figures of the alliance."""

    ADVISED = "advised"
    WORKING_CLOSELY = "working_closely"
    MEMBERS = "members"
    COUNCILS = "councils"


class DayInFuture(Invalid):
    """There are no figures for future days."""

    code = "day_in_future"


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """Numbers of municipalities: advised, cooperating closely, members, and with a prevention council."""

    advised: int
    """All municipalities ever consulted, regardless of the outcome."""
    working_closely: int
    """Members, and cooperating municipalities that are not dormant."""
    members: int
    councils: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Alliance:
    """The public figures on a day, for all of Saxony, by police directorate, and by the size class of today."""

    on: date
    advised: int
    working_closely: int
    members: int
    councils: int
    by_police_directorate: dict[str, Figures]
    by_size_class: dict[str, Figures]


def day_asked(on: date | None, today: date) -> date:
    """The day that somebody asks for, today unless they name one; raises DayInFuture."""
    if on and on > today:
        raise DayInFuture(f"{on} is in the future: today is {today}")
    return on or today


def figure_filter(figure: Figure, day: date) -> Filter:
    """The query for the municipalities that count towards a figure on a day, for both counting and listing."""
    return {"$and": [existing(day), _COUNTED[figure](day.isoformat())]}


def existing(day: date) -> Filter:
    """The municipalities that exist on a day."""
    return _spanning("valid_from", "valid_to", day.isoformat())


async def alliance_on(database: Database, day: date) -> Alliance:
    """The figures on a day, in one round trip that looks at every municipality (418 of them)."""
    counted = [{"$group": {"_id": ["$police_directorate", "$size_class"], "count": {"$sum": 1}}}]
    facets = {figure: [{"$match": figure_filter(figure, day)}, *counted] for figure in Figure}
    [found] = await database["municipalities"].aggregate([{"$facet": facets}]).to_list(1)
    groups = {figure: [(*row["_id"], row["count"]) for row in found[figure]] for figure in Figure}

    def counts(place: int, group: str) -> Figures:
        return Figures(
            **{figure: sum(row[2] for row in rows if row[place] == group) for figure, rows in groups.items()}
        )

    return Alliance(
        on=day,
        **{figure: sum(row[2] for row in rows) for figure, rows in groups.items()},
        by_police_directorate={name: counts(0, name) for name in sorted(POLICE_DIRECTORATES)},
        by_size_class={size: counts(1, size) for size in SizeClass},
    )


def _spanning(since: str, until: str, day: str) -> Filter:
    """Since ever or a day until further notice or a day, both included; days are text, and compare as such."""
    return {
        "$and": [
            {"$or": [{since: None}, {since: {"$lte": day}}]},
            {"$or": [{until: None}, {until: {"$gte": day}}]},
        ]
    }


def _during(periods: str, day: str) -> Filter:
    return {periods: {"$elemMatch": _spanning("since", "until", day)}}


def _working_closely(day: str) -> Filter:
    cooperating = {"$and": [_during("cooperations", day), {"$nor": [_during("dormancies", day)]}]}
    return {"$or": [_during("memberships", day), cooperating]}


def _advised(day: str) -> Filter:
    return {"consultations": {"$elemMatch": {"$or": [{"held_on": None}, {"held_on": {"$lte": day}}]}}}


_COUNTED: dict[Figure, Callable[[str], Filter]] = {
    Figure.ADVISED: _advised,
    Figure.WORKING_CLOSELY: _working_closely,
    Figure.MEMBERS: lambda day: _during("memberships", day),
    Figure.COUNCILS: lambda day: _during("prevention_councils", day),
}
