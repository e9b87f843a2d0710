"""German dates, times, numbers, lists and names of municipalities; times in Europe/Berlin."""

from collections.abc import Sequence
from datetime import date, datetime

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal

from shared.kernel.clock import BERLIN

GERMAN = Locale("de")

TITLES = frozenset({"Kurort"})
"""Titles that registers write after the name of a municipality, and people say before it."""


def long_date(day: date) -> str:
    """`27. Januar 2023`."""
    return format_date(day, "long", locale=GERMAN)


def short_date(day: date) -> str:
    """`27.01.2023`."""
    return format_date(day, "medium", locale=GERMAN)


def date_and_time(at: datetime) -> str:
    """`27. Januar 2023, 14:30 Uhr`, whatever time zone `at` is in."""
    local = at.astimezone(BERLIN)
    return f"{long_date(local.date())}, {local:%H:%M} Uhr"


def number(count: int) -> str:
    """`1.234`."""
    return format_decimal(count, locale=GERMAN)


def listed(names: Sequence[str]) -> str:
    """`A, B und C`."""
    return " und ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def spoken_name(registered: str) -> str:
    """`Kurort Jonsdorf` for `Jonsdorf, Kurort`, which is how registers write it; other names stay as they are."""
    name, _, title = registered.rpartition(", ")
    return f"{title} {name}" if name and title in TITLES else registered
