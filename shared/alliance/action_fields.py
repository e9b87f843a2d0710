"""Action fields (Handlungsfelder): what municipalities work on preventively."""

from collections.abc import Collection
from enum import StrEnum


class ActionField(StrEnum):
    """One field of preventive work; its value is the code in events, requests and the database."""

    BURGLARY = "burglary"
    DRUGS = "drugs"
    EXTREMISM = "extremism"
    GRAFFITI = "graffiti"
    LITTERING = "littering"
    OTHER = "other"
    SENIORS = "seniors"
    TRAFFIC = "traffic"
    VIOLENCE = "violence"
    YOUTH = "youth"


GERMAN = {
    ActionField.GRAFFITI: "Sachbeschädigung durch Graffiti",
    ActionField.LITTERING: "Vermüllung öffentlicher Plätze",
    ActionField.VIOLENCE: "Gewalt",
    ActionField.EXTREMISM: "Extremismus",
    ActionField.DRUGS: "Drogenmissbrauch",
    ActionField.YOUTH: "Jugend",
    ActionField.SENIORS: "Senioren",
    ActionField.TRAFFIC: "Verkehr",
    ActionField.BURGLARY: "Einbruch",
    ActionField.OTHER: "Sonstiges",
}
"""The German name of each, in the order in which texts list them."""


def in_german(chosen: Collection[str]) -> list[str]:
    """The German names of action fields, in the order of `GERMAN`."""
    return [name for field, name in GERMAN.items() if field in chosen]
