from dataclasses import replace
from typing import ClassVar

import pytest

from shared.kernel.decision import Evolve
from shared.kernel.value import value


@value
class Opened:
    type: ClassVar[str] = "shop.opened.v1"
    name: str


@value
class Sold:
    type: ClassVar[str] = "shop.sold.v1"
    cents: int


@value
class Shop:
    name: str
    cents: int = 0
    rich: bool = False


evolve = Evolve[Shop](
    creates={Opened: lambda event: Shop(name=event.name)},
    changes={Sold: lambda shop, event: replace(shop, cents=shop.cents + event.cents)},
    derive=lambda shop: replace(shop, rich=shop.cents > 100),
)


def test_a_decision_holds_the_state_after_its_events() -> None:
    shop, events = evolve.decision(Shop(name="a"), Sold(cents=60), Sold(cents=50))
    assert shop == Shop(name="a", cents=110, rich=True)
    assert events == [Sold(cents=60), Sold(cents=50)]


def test_the_first_event_creates_the_state() -> None:
    assert evolve.decision(None, Opened(name="a")) == (Shop(name="a"), [Opened(name="a")])


def test_all_events_rebuild_the_state() -> None:
    assert evolve.rebuild([Opened(name="a"), Sold(cents=1), Sold(cents=2)]) == Shop(name="a", cents=3)


def test_an_event_in_the_wrong_place_is_no_event_of_the_aggregate() -> None:
    with pytest.raises(TypeError, match="Sold begins no aggregate"):
        evolve(None, Sold(cents=1))
    with pytest.raises(TypeError, match="Opened does not happen to a Shop"):
        evolve(Shop(name="a"), Opened(name="b"))


def test_the_table_names_its_events() -> None:
    assert evolve.events == {Opened, Sold}
