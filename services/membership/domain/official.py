"""Official data of municipalities: names as people search them, former names, and offices."""

import unicodedata
from dataclasses import dataclass
from datetime import date

ATTRIBUTION = (
    "Ortsdaten: GeoNames (CC BY 4.0); Kreise: © Statistisches Bundesamt (Destatis) 2019 (CC BY 4.0); "
    "Umriss: Natural Earth (gemeinfrei)"
)
"""Whose data it is; to be shown wherever the official data is shown or shipped."""


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
