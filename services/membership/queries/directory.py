"""The directory of municipalities: who is looked for, and the directory as a file (CSV, GeoJSON)."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.membership.domain.milestones import Stage
from services.membership.domain.municipality import Municipality
from services.membership.domain.official import ATTRIBUTION, searched
from services.membership.queries.figures import Figure, Filter, day_asked, existing, figure_filter
from shared.alliance.action_fields import ActionField
from shared.alliance.sizes import SizeClass

OFFICIAL = (
    "name", "name_sorbian", "kind", "district_key", "district", "nuts3", "police_directorate",
    "population", "size_class",
)  # fmt: skip
"""The official data in the files, except `ags` and the coordinates."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A filter for municipalities; unset fields match everything."""

    q: str | None = None
    """Part of a name, German or Sorbian, as it is now or was; umlauts in any way."""
    stage: Stage | None = None
    """Today's stage, regardless of the requested day."""
    district: str | None = None
    """The key of a district."""
    police_directorate: str | None = None
    size_class: SizeClass | None = None
    action_field: ActionField | None = None
    council: bool | None = None
    """Select municipalities with (or without) a prevention council on the day."""
    figure: Figure | None = None
    """Select municipalities that count towards a figure on the day."""
    on: date | None = None
    """The day; today if there is none."""
    former: bool = False
    """Include municipalities that do not exist on the day."""

    def filter(self, today: date) -> Filter:
        """The filter for MongoDB; raises DayInFuture.

        Stage, district and police directorate have an index; otherwise all 418 municipalities are looked at.
        """
        return {"$and": [*self._official(), *self._on(day_asked(self.on, today))]}

    def _official(self) -> Iterator[Filter]:
        # Always true, because `$and` must not be empty.
        yield {}
        if self.q and (words := " ".join(searched(self.q).split())):
            yield {"search": {"$regex": re.escape(words)}}
        same = {
            "stage": self.stage,
            "district_key": self.district,
            "police_directorate": self.police_directorate,
            "size_class": self.size_class,
            "action_fields": self.action_field,
        }
        yield {field: value for field, value in same.items() if value is not None}

    def _on(self, day: date) -> Iterator[Filter]:
        if not self.former:
            yield existing(day)
        if self.figure:
            yield figure_filter(self.figure, day)
        if self.council is not None:
            meets = figure_filter(Figure.COUNCILS, day)
            yield meets if self.council else {"$nor": [meets]}


def member_since(municipality: Municipality, day: date) -> date | None:
    """Since when it is a member, if it is one on a day."""
    current = (
        membership.since
        for membership in municipality.memberships
        if membership.since <= day and (membership.until is None or membership.until >= day)
    )
    return min(current, default=None)


def as_csv(municipalities: Sequence[Municipality], day: date) -> str:
    """A table with a row for each municipality (RFC 4180); the last column says whose data it is."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(
        ["ags", *OFFICIAL, "latitude", "longitude", "stage", "member_since", "action_fields", "attribution"]
    )
    for municipality in municipalities:
        official = (getattr(municipality, field) for field in OFFICIAL)
        fields = " ".join(municipality.action_fields)
        row = (
            municipality.ags, *official, municipality.latitude, municipality.longitude, municipality.stage,
            member_since(municipality, day), fields, ATTRIBUTION,
        )  # fmt: skip
        writer.writerow([_harmless(cell) if isinstance(cell, str) else cell for cell in row])
    return table.getvalue()


def as_geojson(municipalities: Sequence[Municipality], day: date) -> dict[str, Any]:
    """A point for each municipality (RFC 7946); `attribution` says whose data it is."""
    return {
        "type": "FeatureCollection",
        "attribution": ATTRIBUTION,
        "features": [_point(municipality, day) for municipality in municipalities],
    }


def _point(municipality: Municipality, day: date) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": municipality.ags,
        "geometry": {"type": "Point", "coordinates": [municipality.longitude, municipality.latitude]},
        "properties": {
            "ags": municipality.ags,
            **{field: getattr(municipality, field) for field in OFFICIAL},
            "stage": municipality.stage,
            "member_since": member_since(municipality, day),
            "action_fields": municipality.action_fields,
        },
    }


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else cell
