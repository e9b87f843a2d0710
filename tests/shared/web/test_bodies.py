"""No body of any service takes text that is not checked for private data."""

import pkgutil
from collections.abc import Iterator
from datetime import date
from importlib import import_module
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
import pytest

import services
from services.membership.api.bodies import OfficeAssigned
from shared.alliance.private import FREE_TEXT, HoldsPrivateData, free_text_fields
from shared.kernel.errors import Invalid
from shared.web.fields import Ags, Body, Name, Sha256

CODES = (Ags, Name, Sha256)
"""Their patterns leave no room for private data."""

CONTACT_DATA = {("OfficeAssigned", "email"), ("OfficeAssigned", "phone"), ("ContactKept", "email")}
"""Fields that are meant for contact data; none of it goes into an event."""


def every_body() -> list[type[Body]]:
    for module in pkgutil.walk_packages(services.__path__, "services."):
        import_module(module.name)
    return sorted(subclasses(Body), key=lambda body: body.__name__)


def subclasses(kind: type[Any]) -> Iterator[type[Any]]:
    for subclass in kind.__subclasses__():
        if subclass.__module__.startswith("services."):
            yield subclass
        yield from subclasses(subclass)


def texts(hint: Any) -> Iterator[Any]:
    """The types of text that a field is made of."""
    if hint is str or (get_origin(hint) is Annotated and get_args(hint)[0] is str):
        yield hint
    else:
        for part in get_args(hint):
            yield from texts(part)


def is_free(text: Any) -> bool:
    return any(isinstance(meta, msgspec.Meta) and meta.extra == FREE_TEXT for meta in get_args(text)[1:])


def date_fields(body: type[Body]) -> list[str]:
    return [name for name, hint in get_type_hints(body).items() if hint is date or date in get_args(hint)]


BODIES = every_body()


def test_the_bodies_of_all_services_are_found() -> None:
    assert {body.__module__.split(".")[1] for body in BODIES} == {"membership", "notifications"}


def test_all_text_is_free_text_or_a_code_but_for_contact_data() -> None:
    unchecked = {
        (body.__name__, field)
        for body in BODIES
        for field, hint in get_type_hints(body, include_extras=True).items()
        for text in texts(hint)
        if not is_free(text) and text not in CODES
    }
    assert unchecked == CONTACT_DATA


@pytest.mark.parametrize("body", [body for body in BODIES if free_text_fields(body)])
def test_a_body_with_private_data_cannot_be_made(body: type[Body]) -> None:
    field = free_text_fields(body)[-1]
    values: dict[str, Any] = dict.fromkeys(body.__struct_fields__)
    with pytest.raises(HoldsPrivateData, match=f"^{field} holds an email address"):
        body(**values | {field: ("rathaus@rothenburg.example",)})


@pytest.mark.parametrize("body", [body for body in BODIES if date_fields(body)])
@pytest.mark.parametrize("day", [date.min, date(1799, 12, 31), date(3000, 1, 1), date.max])
def test_a_body_with_an_absurd_day_cannot_be_made(body: type[Body], day: date) -> None:
    field = date_fields(body)[-1]
    values: dict[str, Any] = dict.fromkeys(body.__struct_fields__, ())
    with pytest.raises(Invalid, match=f"^{field} is {day}"):
        body(**values | {field: day})


def test_contact_data_of_an_office_is_read() -> None:
    body = {
        "office": "Bürgermeisteramt", "function": "Bürgermeisterin", "since": "2023-01-27", "person": "Heike Muster",
        "email": "rathaus@rothenburg.example", "phone": "035891 772-0",
    }  # fmt: skip
    assert msgspec.convert(body, OfficeAssigned).phone == "035891 772-0"
