"""Official data of municipalities: names as people search them, former names, and offices."""

import unicodedata
from datetime import date

from shared.kernel.value import value

ATTRIBUTION = (
    "Ortsdaten: GeoNames (CC BY 4.0); Kreise: © Statistisches Bundesamt (Destatis) 2019 (CC BY 4.0); "
    "Umriss: Natural Earth (gemeinfrei)"
)
"""The source of the official data, to be shown wherever that data is shown or shipped."""


@value
class FormerName:
    """A name that a municipality had until a day."""

    name: str
    name_sorbian: str | None
    until: date


@value
class OfficeHolder:
    """The holder of an office of a municipality in a period; `contact_id` refers to the person."""

    contact_id: str
    office: str
    function: str
    since: date
    until: date | None = None


_TRANSCRIBED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ł": "l"})


def searched(words: str) -> str:
    """Search words in normal form: lower case, umlauts transcribed, no other accents."""
    return _without_accents(unicodedata.normalize("NFC", words).lower().translate(_TRANSCRIBED))


def searchable(*names: str | None) -> str:
    """Names in every spelling that people search for: `goerlitz gorlitz zhorjelc`."""
    spelled = [spelling for name in names if name for spelling in (searched(name), _without_accents(name.lower()))]
    return " ".join(dict.fromkeys(spelled))


def _without_accents(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.replace("ß", "ss").replace("ł", "l"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))
