"""Official data of municipalities: districts, police directorates, size classes, and names as people search them."""

import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from shared.errors import Invalid

# The five directorates by district key (Polizeidirektionen des Freistaates Sachsen).
_POLICE_DIRECTORATES = {
    "PD Chemnitz": ("14511", "14521", "14522"),
    "PD Dresden": ("14612", "14627", "14628"),
    "PD Görlitz": ("14625", "14626"),
    "PD Leipzig": ("14713", "14729", "14730"),
    "PD Zwickau": ("14523", "14524"),
}
POLICE_DIRECTORATE_OF = {key: name for name, keys in _POLICE_DIRECTORATES.items() for key in keys}

ATTRIBUTION = (
    "Ortsdaten: GeoNames (CC BY 4.0); Kreise: © Statistisches Bundesamt (Destatis) 2019 (CC BY 4.0); "
    "Umriss: Natural Earth (gemeinfrei)"
)
"""Whose data it is; to be shown wherever the official data is shown or shipped."""


class SizeClass(StrEnum):
    """By inhabitants: a village has less than 5,000, a small town less than 20,000, a town less than 100,000."""

    VILLAGE = "village"
    SMALL_TOWN = "small_town"
    TOWN = "town"
    CITY = "city"
    UNKNOWN = "unknown"


class UnknownDistrict(Invalid):
    """The key belongs to no district of Saxony."""

    code = "unknown_district"


@dataclass(frozen=True, kw_only=True, slots=True)
class FormerName:
    """A name that a municipality had, until a day."""

    name: str
    name_sorbian: str | None
    until: date


@dataclass(frozen=True, kw_only=True, slots=True)
class OfficeHolder:
    """Who held an office of a municipality, from and until when; the person stands behind `contact_id`."""

    contact_id: str
    office: str
    function: str
    since: date
    until: date | None = None


def police_directorate_of(ags: str, name: str) -> str:
    """The police directorate that a municipality's district belongs to; raises UnknownDistrict."""
    district_key = ags[:5]
    if district_key not in POLICE_DIRECTORATE_OF:
        raise UnknownDistrict(f"{name} ({ags}) lies in no district of Saxony: there is no {district_key}")
    return POLICE_DIRECTORATE_OF[district_key]


def size_class(population: int | None) -> SizeClass:
    """The size class that a number of inhabitants falls into."""
    if population is None:
        return SizeClass.UNKNOWN
    limits = ((5_000, SizeClass.VILLAGE), (20_000, SizeClass.SMALL_TOWN), (100_000, SizeClass.TOWN))
    return next((size for limit, size in limits if population < limit), SizeClass.CITY)


_TRANSCRIBED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ł": "l"})


def searched(words: str) -> str:
    """What somebody types, as it is looked for: in small letters, umlauts transcribed, without other accents."""
    return _without_accents(unicodedata.normalize("NFC", words).lower().translate(_TRANSCRIBED))


def searchable(*names: str | None) -> str:
    """Names in every way in which they are searched for: `goerlitz gorlitz zhorjelc`."""
    spelled = [spelling for name in names if name for spelling in (searched(name), _without_accents(name.lower()))]
    return " ".join(dict.fromkeys(spelled))


def _without_accents(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.replace("ß", "ss").replace("ł", "l"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))
