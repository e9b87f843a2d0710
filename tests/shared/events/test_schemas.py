"""What the schemas promise to strangers, and that reading asks for less."""

from typing import Any

import msgspec
import pytest

from shared.alliance.action_fields import ActionField
from shared.alliance.districts import POLICE_DIRECTORATES
from shared.events import all_events
from shared.events.membership.agreements import AgreementSigned, AgreementSignedByParty
from shared.events.membership.members import MemberJoined
from shared.events.membership.refs import MunicipalityRef
from shared.events.schemas import field_docs, german_codes, schema
from shared.kernel.event import Event


def fields_of(node: dict[str, Any]) -> list[dict[str, Any]]:
    """Every field of an object, and of the objects within it."""
    fields = list(node.get("properties", {}).values())
    return fields + [deeper for part in [*fields, node.get("items", {})] if part for deeper in fields_of(part)]


@pytest.mark.parametrize("event", all_events())
def test_every_field_has_a_description(event: type[Event]) -> None:
    assert [field for field in fields_of(schema(event)) if not field.get("description")] == []


@pytest.mark.parametrize("event", all_events())
def test_every_field_has_a_docstring(event: type[Event]) -> None:
    assert schema(event)["properties"].keys() == field_docs(event).keys()


@pytest.mark.parametrize("event", all_events())
def test_a_schema_refers_to_nothing_outside_itself(event: type[Event]) -> None:
    assert "$ref" not in str(schema(event))


def test_a_field_of_a_base_is_described_as_its_own() -> None:
    described = schema(MemberJoined)["properties"]["ags"]
    assert (described["pattern"], described["description"].split(" (")[0]) == (
        "^[0-9]{8}$",
        "Official municipality key",
    )


def test_codes_are_enumerated_with_their_german_labels() -> None:
    codes = schema(AgreementSigned)["properties"]["action_fields"]["items"]
    assert (codes["enum"], codes["x-german"]["littering"]) == (sorted(ActionField), "Vermüllung öffentlicher Plätze")


def test_police_directorates_are_enumerated() -> None:
    assert schema(MemberJoined)["properties"]["police_directorate"]["enum"] == sorted(POLICE_DIRECTORATES)


def test_an_event_knows_all_its_german_codes() -> None:
    assert german_codes(AgreementSignedByParty).keys() == {
        "Form of a signature",
        "Kind of municipality",
        "Party",
        "Police directorate",
    }


def test_days_have_a_format() -> None:
    assert schema(MemberJoined)["properties"]["joined_on"]["format"] == "date"


def test_an_event_from_before_the_patterns_is_read() -> None:
    old = b'{"ags":"1","name":"A","police_directorate":"PD Bautzen","kind":"Dorf","district_key":"","district":"",'
    old += b'"agreement_id":"7","joined_on":"2020-01-01","action_fields":["peace"]}'
    assert msgspec.json.decode(old, type=MemberJoined).action_fields == ("peace",)


def test_a_reference_from_before_it_had_a_kind_is_read() -> None:
    old = b'{"ags":"14626480","name":"Rothenburg/O.L.","police_directorate":"PD G"}'
    read = msgspec.json.decode(old, type=MunicipalityRef)
    assert (read.kind, read.name_sorbian) == (None, None)
