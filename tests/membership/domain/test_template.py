import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.membership.domain import template
from services.membership.domain.template import (
    FIELDS,
    STANDARD,
    Template,
    UnknownField,
    Version,
    filled,
    sha256,
)
from shared.events.membership.templates import TemplatePublished
from shared.kernel.errors import Invalid

EMPTY = Template(id=STANDARD)
PUBLISHED, _ = template.publish(EMPTY, "Vereinbarung für ${kommunen}")


def test_a_text_is_published_as_its_first_version() -> None:
    text = "Vereinbarung für ${kommunen}"
    assert PUBLISHED.versions == (Version(number=1, text=text, text_sha256=sha256(text)),)


def test_a_version_is_published_with_its_text_and_fingerprint() -> None:
    _, events = template.publish(PUBLISHED, "Vereinbarung")
    assert events == [
        TemplatePublished(template="kooperation", version=2, text="Vereinbarung", text_sha256=sha256("Vereinbarung"))
    ]


def test_agreements_begin_with_the_last_version() -> None:
    second, _ = template.publish(PUBLISHED, "Vereinbarung")
    assert second.current.text == "Vereinbarung"


def test_a_version_stays_as_it_is() -> None:
    second, _ = template.publish(PUBLISHED, "Vereinbarung")
    assert second.versions[0] == PUBLISHED.current


def test_the_same_text_again_is_no_version() -> None:
    assert template.publish(PUBLISHED, "Vereinbarung für ${kommunen}") == (PUBLISHED, [])


def test_a_former_text_can_be_published_again() -> None:
    second, _ = template.publish(PUBLISHED, "Vereinbarung")
    third, _ = template.publish(second, "Vereinbarung für ${kommunen}")
    assert [version.number for version in third.versions] == [1, 2, 3]


@pytest.mark.parametrize("field", sorted(FIELDS))
def test_a_text_may_leave_open_what_agreements_fill_in(field: str) -> None:
    published, _ = template.publish(EMPTY, f"${{{field}}}, ${field}")
    assert len(published.versions) == 1


@pytest.mark.parametrize("unknown", ["buergermeister", "Kommunen", "kommune", "_"])
def test_a_field_that_no_agreement_fills_in_is_refused_with_those_that_can_be(unknown: str) -> None:
    with pytest.raises(UnknownField, match=rf"fill {unknown}; there are aktenzeichen, .*, vertragsparteien"):
        template.publish(EMPTY, f"Für ${{kommunen}} und ${{{unknown}}}")


def test_all_fields_that_no_agreement_fills_in_are_refused_in_order() -> None:
    with pytest.raises(UnknownField, match="fill ort, stadt, zeit; there are"):
        template.publish(EMPTY, "${zeit} ${ort} ${kommunen} ${stadt}")


@pytest.mark.parametrize("text", ["5 $", "${", "${}", "$ {kommunen}", "${straße}", "$5", "${kommunen"])
def test_a_dollar_that_begins_no_field_is_refused(text: str) -> None:
    with pytest.raises(UnknownField, match="begins no field"):
        template.publish(EMPTY, text)


def test_a_text_with_an_unknown_field_is_a_mistake_of_who_sent_it() -> None:
    assert issubclass(UnknownField, Invalid)


def test_two_dollars_are_one() -> None:
    published, _ = template.publish(EMPTY, "5 $$")
    assert filled(published.current.text, {}) == "5 $"


@given(st.text("ab ${}äkommunen\n"))
def test_whatever_is_published_can_be_filled_in(text: str) -> None:
    try:
        published, _ = template.publish(EMPTY, text)
    except UnknownField:
        return
    assert isinstance(filled(published.current.text, dict.fromkeys(FIELDS, "")), str)


@given(st.text())
def test_a_value_is_filled_in_as_it_is(value: str) -> None:
    assert filled("für ${kommunen}!", {"kommunen": value}) == f"für {value}!"


@given(st.text())
def test_a_fingerprint_is_sha_256_of_the_text_in_utf_8(text: str) -> None:
    assert sha256(text) == hashlib.sha256(text.encode("utf-8")).hexdigest()
