import pytest

from shared.kernel.copying import copy_as
from shared.kernel.value import value


@value
class Form:
    name: str
    place: str
    secret: str = ""


@value
class Entry:
    name: str
    place: str = "here"
    number: int


def test_fields_of_the_same_name_are_copied() -> None:
    assert copy_as(Entry, Form(name="a", place="b"), number=1) == Entry(name="a", place="b", number=1)


def test_what_is_given_wins() -> None:
    assert copy_as(Entry, Form(name="a", place="b"), name="c", number=1).name == "c"


def test_a_field_that_nobody_has_is_named() -> None:
    with pytest.raises(TypeError, match="number"):
        copy_as(Entry, Form(name="a", place="b"))


def test_a_field_that_the_kind_lacks_is_named() -> None:
    with pytest.raises(TypeError, match="colour"):
        copy_as(Entry, Form(name="a", place="b"), number=1, colour="red")
