import csv
from pathlib import Path

from operations import demo
from services.notifications.domain.contacts import Role


def test_the_made_up_contacts_have_an_office_for_every_municipality_and_directorate() -> None:
    data = Path(demo.__file__).parent / "data"
    municipalities = _rows(data / "municipalities.csv")
    areas = {(Role.MUNICIPALITY, row["ags"]) for row in municipalities}
    areas |= {
        (role, row["police_directorate"])
        for row in municipalities
        for role in (Role.LPR_CONTACT, Role.POLICE_DIRECTORATE)
    }
    areas |= {(role, "Sachsen") for role in (Role.LPR_HEAD, Role.MINISTRY, Role.PRESS_OFFICE)}
    assert {(row["role"], row["area"]) for row in _rows(data / "contacts.csv")} == areas


def test_every_made_up_address_is_unique_and_receives_no_mail() -> None:
    contacts = _rows(Path(demo.__file__).parent / "data" / "contacts.csv")
    assert all(row["email"].isascii() and row["email"].endswith(".example") for row in contacts)
    assert len({row["email"] for row in contacts}) == len({row["id"] for row in contacts}) == len(contacts)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
