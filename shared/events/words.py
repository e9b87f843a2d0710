"""The types of fields in events: plain strings in Python, with patterns, codes and German labels in the schemas.

A schema promises what we publish from now on. Decoding does not check it, so events from before a promise are read.
"""

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from msgspec import Meta

from shared.alliance.action_fields import GERMAN as ACTION_FIELDS
from shared.alliance.districts import POLICE_DIRECTORATES, police_in_german


def pattern(regex: str, description: str, example: str) -> Meta:
    """The promise that a string matches a regular expression."""
    return Meta(description=description, examples=[example], extra_json_schema={"pattern": regex})


def codes(title: str, german: Mapping[str, str], description: str) -> Meta:
    """The promise that a string is one of these codes, each with its German label."""
    more = {"enum": sorted(german), "x-german": dict(sorted(german.items()))}
    return Meta(title=title, description=description, extra_json_schema=more)


Ags: TypeAlias = Annotated[
    str,
    pattern("^[0-9]{8}$", "Official municipality key (Amtlicher Gemeindeschlüssel), 8 digits.", "14626480"),
]
DistrictKey: TypeAlias = Annotated[
    str, pattern("^[0-9]{5}$", "Key of a district: the first five digits of the `ags`.", "14626")
]
FileNumber: TypeAlias = Annotated[
    str, pattern("^[A-Z]{2}-[0-9]{4}-[0-9A-Z]{6}$", "A file number (Aktenzeichen).", "KV-2023-7QX4M2")
]
Sha256: TypeAlias = Annotated[
    str,
    pattern("^([0-9a-f]{64})?$", "SHA-256 of a text in UTF-8, 64 hexadecimal digits; empty if unknown.", "0" * 64),
]
PoliceDirectorate: TypeAlias = Annotated[
    str,
    codes(
        "Police directorate", {name: police_in_german(name) for name in POLICE_DIRECTORATES},
        "A police directorate of Saxony.",
    ),
]  # fmt: skip
ActionFieldCode: TypeAlias = Annotated[
    str, codes("Action field", ACTION_FIELDS, "An action field (Handlungsfeld) of preventive work.")
]
MunicipalityKind: TypeAlias = Annotated[
    str,
    codes(
        "Kind of municipality", {kind: kind for kind in ("Gemeinde", "Stadt", "Kreisfreie Stadt")},
        "Municipality, town, or town that belongs to no district; the code is the German word.",
    ),
]  # fmt: skip
