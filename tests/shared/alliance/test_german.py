from datetime import UTC, date, datetime

import pytest

from operations.demo.load import rows
from shared.alliance.action_fields import GERMAN, ActionField, in_german
from shared.alliance.districts import police_in_german
from shared.alliance.german import date_and_time, listed, long_date, number, short_date, spoken_name


def test_every_action_field_has_a_german_name() -> None:
    assert set(GERMAN) == set(ActionField)


def test_action_fields_are_listed_in_one_order() -> None:
    assert in_german(["violence", "graffiti"]) == ["Sachbeschädigung durch Graffiti", "Gewalt"]


def test_a_police_directorate_is_written_out() -> None:
    assert police_in_german("PD Görlitz") == "Polizeidirektion Görlitz"


def test_dates_and_numbers_are_german() -> None:
    assert long_date(date(2023, 1, 27)) == "27. Januar 2023"
    assert short_date(date(2023, 1, 27)) == "27.01.2023"
    assert number(1234) == "1.234"


def test_a_time_is_that_of_berlin() -> None:
    assert date_and_time(datetime(2023, 7, 1, 22, 30, tzinfo=UTC)) == "2. Juli 2023, 00:30 Uhr"


def test_a_list_ends_with_und() -> None:
    assert [listed(names) for names in ([], ["A"], ["A", "B"], ["A", "B", "C"])] == ["", "A", "A und B", "A, B und C"]


def test_the_names_of_health_resorts_are_written_as_people_say_them() -> None:
    registered = [row["name"] for row in rows("municipalities.csv")]
    assert len(registered) == 418
    assert {name: spoken_name(name) for name in registered if spoken_name(name) != name} == {
        "Oberwiesenthal, Kurort": "Kurort Oberwiesenthal",
        "Seiffen/Erzgeb., Kurort": "Kurort Seiffen/Erzgeb.",
        "Jonsdorf, Kurort": "Kurort Jonsdorf",
        "Rathen, Kurort": "Kurort Rathen",
    }


def test_no_other_name_has_a_comma() -> None:
    names = [row["name"] for file in ("municipalities.csv", "former_municipalities.csv") for row in rows(file)]
    assert [name for name in names if "," in spoken_name(name)] == []


@pytest.mark.parametrize("name", ["Kurort Jonsdorf", "Jonsdorf", "Kurort", ", Kurort", "Anderswo, Seebad", ""])
def test_a_name_that_people_say_already_stays(name: str) -> None:
    assert spoken_name(name) == name
