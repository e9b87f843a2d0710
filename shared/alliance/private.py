"""Free text must not hold private data: what it becomes part of is published, and streams are never purged.

Found are email addresses, IBANs, and telephone numbers in any German or international notation, but none that somebody
disguises. File numbers, dates, amounts and the like are let through: see tests/shared/alliance/test_private.py.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, get_args, get_type_hints

from msgspec import Meta

from shared.kernel.errors import Invalid

FREE_TEXT = {"free_text": True}
"""The `extra` of the Meta of every type of free text."""

_EMAIL = re.compile(r"[\w.%+-]+@[\w-]+(\.[\w-]+)+")
_IBAN = re.compile(r"(?<![A-Z0-9])[A-Z]{2}[0-9]{2}([ -]?[A-Z0-9]){11,30}", re.IGNORECASE)
_DATE = re.compile(r"(?<![0-9])[0-3]?[0-9]\.[01]?[0-9]\.((19|20)?[0-9]{2}(?![0-9]))?")
_YEAR = re.compile(r"[/-](19|20)[0-9]{2}($|/)")
_FILE_NUMBER = re.compile(
    r"\b(Az|Aktenzeichen|Gz|Geschäftszeichen|Beschluss|Vorlage|Drucksache|Drs|DS|BV|Kostenstelle|Haushaltsstelle)"
    r"\W*((Nr|Nummer)\W*)?$",
    re.IGNORECASE,
)
_FEWEST_DIGITS = 6
_FEWEST_DIGITS_WITHOUT_SPACES = 8


class HoldsPrivateData(Invalid):
    """A free text holds an email address, a telephone number or an IBAN."""

    code = "private_data"


def refuse_private_data(body: object) -> None:
    """Check all free text of a request's body; raises HoldsPrivateData, which names the field."""
    kind: Any = type(body)
    for field in free_text_fields(kind):
        for text in _texts(getattr(body, field)):
            if found := private_data(text):
                what, passage = found
                raise HoldsPrivateData(
                    f"{field} holds {what} ({passage[:2]}…{passage[-1:]}), but is published and kept for ever: "
                    "leave it out, or name the office instead; begin a file number with Az., Beschluss or Vorlage"
                )


def private_data(text: str) -> tuple[str, str] | None:
    """The first private data in a text: what it is, such as "an email address", and the passage."""
    if "@" in text and (email := _EMAIL.search(text)):
        return "an email address", email[0]
    if sum(map(str.isdecimal, text)) < _FEWEST_DIGITS:
        return None
    if iban := next(_ibans(text), None):
        return "an IBAN", iban
    if number := next(_telephone_numbers(text), None):
        return "a telephone number", number
    return None


@cache
def free_text_fields(body: type[Any]) -> tuple[str, ...]:
    """The fields of a request's body that hold free text, alone or in a list."""
    return tuple(name for name, hint in get_type_hints(body, include_extras=True).items() if _is_free(hint))


def _is_free(hint: Any) -> bool:
    if isinstance(hint, Meta):
        return hint.extra == FREE_TEXT
    return any(_is_free(part) for part in get_args(hint))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | list):
        yield from value


def _ibans(text: str) -> Iterator[str]:
    from stdnum import iban  # noqa: PLC0415 -- few texts need it

    for found in _IBAN.finditer(text):
        compact = re.sub("[ -]", "", found[0])
        # What follows may look like a part of it; a valid one has the length of its country.
        yield from (compact[:end] for end in range(15, len(compact) + 1) if iban.is_valid(compact[:end]))


def _telephone_numbers(text: str) -> Iterator[str]:
    from phonenumbers import PhoneNumberMatcher  # noqa: PLC0415 -- few texts need it

    without_dates = _DATE.sub(lambda date: "·" * len(date[0]), text)
    for match in PhoneNumberMatcher(without_dates, "DE"):
        if not _is_something_else(match.raw_string, without_dates[: match.start]):
            yield match.raw_string


def _is_something_else(number: str, before: str) -> bool:
    """The digits are a file number, the number of a resolution, or the like."""
    if number.startswith("+"):
        return False
    return (
        not number.startswith(("0", "(0"))
        or (number.isdecimal() and len(number) < _FEWEST_DIGITS_WITHOUT_SPACES)
        or bool(_YEAR.search(number) or _FILE_NUMBER.search(before))
    )
