"""The figures of the alliance, straight from MongoDB."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.membership.domain.municipality import POLICE_DIRECTORATE_OF, SizeClass, Stage
from shared.mongo import Database


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """How many municipalities are advised, work closely with the alliance, and are members."""

    advised: int
    """All that have been consulted, whatever came of it."""
    working_closely: int
    """Cooperating ones and members."""
    members: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Alliance:
    """The public figures on a day, for all of Saxony, by police directorate, and by size class."""

    on: date
    advised: int
    working_closely: int
    members: int
    by_police_directorate: dict[str, Figures]
    by_size_class: dict[str, Figures]


class AllianceFigures:
    """Counts the municipalities of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def on(self, day: date) -> Alliance:
        """The figures as they are stored now; `day` is the day they stand for."""
        groups = [row async for row in self._database["municipalities"].aggregate(_GROUPED)]
        total = _figures(groups)
        return Alliance(
            on=day,
            advised=total.advised,
            working_closely=total.working_closely,
            members=total.members,
            by_police_directorate={
                name: _figures([row for row in groups if row["_id"]["police_directorate"] == name])
                for name in sorted(set(POLICE_DIRECTORATE_OF.values()))
            },
            by_size_class={
                size: _figures([row for row in groups if row["_id"]["size_class"] == size]) for size in SizeClass
            },
        )


_GROUPED: list[dict[str, Any]] = [
    {
        "$group": {
            "_id": {"police_directorate": "$police_directorate", "size_class": "$size_class", "stage": "$stage"},
            "municipalities": {"$sum": 1},
            "advised": {"$sum": {"$cond": [{"$gt": [{"$size": "$consultations"}, 0]}, 1, 0]}},
        },
    },
]


def _figures(groups: list[dict[str, Any]]) -> Figures:
    stages: Counter[str] = Counter()
    for group in groups:
        stages[group["_id"]["stage"]] += group["municipalities"]
    return Figures(
        advised=sum(group["advised"] for group in groups),
        working_closely=stages[Stage.COOPERATING] + stages[Stage.MEMBER],
        members=stages[Stage.MEMBER],
    )
