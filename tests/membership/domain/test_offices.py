from dataclasses import replace
from datetime import date

import pytest

from services.membership.domain.dates import EndsBeforeItBegan
from services.membership.domain.municipality import Municipality
from services.membership.domain.offices import assign, leave
from services.membership.domain.official import OfficeHolder
from shared.events.membership.municipalities import OfficeHolderAssigned, OfficeHolderLeft
from shared.kernel.errors import NotFound
from tests.membership.examples import PIRNA, ROTHENBURG, TODAY

MAYOR = OfficeHolder(contact_id="p-1", office="Bürgermeisteramt", function="Bürgermeisterin", since=date(2015, 8, 1))
SUCCESSOR = OfficeHolder(contact_id="p-2", office="Bürgermeisteramt", function="Bürgermeister", since=date(2022, 8, 1))
PREVENTION = OfficeHolder(contact_id="p-1", office="Präventionsstelle", function="Leiterin", since=date(2018, 1, 1))
GOVERNED, _ = assign(ROTHENBURG, MAYOR)


def test_somebody_holds_an_office() -> None:
    assert GOVERNED.office_holders == (MAYOR,)


def test_the_holder_of_an_office_is_published_without_a_name() -> None:
    _, events = assign(ROTHENBURG, MAYOR)
    assert events == [
        OfficeHolderAssigned(
            ags="14626480", name="Rothenburg/O.L.", police_directorate="PD Görlitz", contact_id="p-1",
            office="Bürgermeisteramt", function="Bürgermeisterin", since=date(2015, 8, 1),
        )
    ]  # fmt: skip


def test_a_new_mayor_does_not_rewrite_history() -> None:
    after, _ = assign(GOVERNED, SUCCESSOR)
    assert after.office_holders == (replace(MAYOR, until=date(2022, 7, 31)), SUCCESSOR)


def test_a_new_mayor_is_published_after_the_former_one_has_left() -> None:
    _, events = assign(GOVERNED, SUCCESSOR)
    left, assigned = events
    assert isinstance(assigned, OfficeHolderAssigned)
    assert left == OfficeHolderLeft(
        ags="14626480", name="Rothenburg/O.L.", police_directorate="PD Görlitz", contact_id="p-1",
        office="Bürgermeisteramt", until=date(2022, 7, 31),
    )  # fmt: skip


def test_whoever_holds_an_office_already_is_not_assigned_again() -> None:
    assert assign(GOVERNED, replace(MAYOR, since=TODAY)) == (GOVERNED, [])


def test_another_office_is_held_besides() -> None:
    after, events = assign(GOVERNED, replace(PREVENTION, contact_id="p-3"))
    assert [holder.until for holder in after.office_holders] == [None, None]
    assert len(events) == 1


@pytest.mark.parametrize("holders", [(MAYOR, PREVENTION), (PREVENTION, MAYOR)], ids=["mayor first", "mayor last"])
def test_a_new_mayor_leaves_the_other_office_of_the_former_one_alone(holders: tuple[OfficeHolder, ...]) -> None:
    before = ROTHENBURG
    for holder in holders:
        before, _ = assign(before, holder)
    after, _ = assign(before, SUCCESSOR)
    held = {holder.office: holder.contact_id for holder in after.office_holders if holder.until is None}
    assert held == {"Präventionsstelle": "p-1", "Bürgermeisteramt": "p-2"}


def test_nobody_takes_over_an_office_before_its_holder_did() -> None:
    with pytest.raises(EndsBeforeItBegan, match=r"Bürgermeisteramt of Rothenburg.* held since 2015-08-01, not until"):
        assign(GOVERNED, replace(SUCCESSOR, since=date(2015, 8, 1)))


def test_an_office_may_be_taken_over_in_the_future() -> None:
    after, _ = assign(GOVERNED, replace(SUCCESSOR, since=date(2029, 8, 1)))
    assert after.office_holders[0].until == date(2029, 7, 31)


def test_whoever_leaves_an_office_held_it_until_a_day() -> None:
    after, _ = leave(GOVERNED, "p-1", TODAY)
    assert after.office_holders == (replace(MAYOR, until=TODAY),)


def test_an_office_that_was_left_can_be_held_again() -> None:
    vacant, _ = leave(GOVERNED, "p-1", date(2022, 1, 1))
    again, events = assign(vacant, replace(MAYOR, since=TODAY))
    assert (len(again.office_holders), len(events)) == (2, 1)


@pytest.mark.parametrize("nobody", [ROTHENBURG, PIRNA, leave(GOVERNED, "p-1", TODAY)[0]], ids=lambda value: value.name)
def test_nobody_leaves_an_office_without_holding_one(nobody: Municipality) -> None:
    with pytest.raises(NotFound, match=rf"p-1 holds no office of {nobody.name}"):
        leave(nobody, "p-1", TODAY)


def test_an_office_may_be_held_for_a_day() -> None:
    after, _ = leave(GOVERNED, "p-1", MAYOR.since)
    assert after.office_holders == (replace(MAYOR, until=MAYOR.since),)


def test_nobody_leaves_an_office_before_holding_it() -> None:
    with pytest.raises(EndsBeforeItBegan, match="is held since 2015-08-01, not until 2015-07-31"):
        leave(GOVERNED, "p-1", date(2015, 7, 31))
