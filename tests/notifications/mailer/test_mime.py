"""An email as a mail program reads it."""

import email
import email.policy
from dataclasses import replace
from email.message import EmailMessage
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.domain.deliveries import Delivery
from services.notifications.domain.emails import Text
from services.notifications.mailer.mime import mime
from tests.notifications.deliveries import DELIVERY

SENDER = "allianz@asskomm.example"


def parsed(delivery: Delivery) -> EmailMessage:
    return email.message_from_bytes(mime(delivery, SENDER), policy=email.policy.default)


def test_an_email_says_the_same_when_it_is_read() -> None:
    message = parsed(DELIVERY)
    assert message.defects == []
    assert message["Subject"] == DELIVERY.text.subject
    assert message["From"] == f"Allianz Sichere Sächsische Kommunen <{SENDER}>"
    assert message["To"] == DELIVERY.to
    assert message["Date"] == "Fri, 27 Jan 2023 11:30:00 +0100"
    parts = list(message.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert [cast("EmailMessage", part).get_content() for part in parts] == ["Grüße\n", "<p>Grüße</p>\n"]


def test_an_email_carries_the_headers_of_an_automatic_one() -> None:
    message = parsed(DELIVERY)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["Message-ID"] == DELIVERY.message_id


def test_an_email_is_the_same_to_the_byte_at_each_attempt() -> None:
    assert mime(DELIVERY, SENDER) == mime(replace(DELIVERY, attempts=7, unknown=1), SENDER)


@given(st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), min_size=1, max_size=200))
def test_any_subject_of_one_line_arrives_as_it_is(subject: str) -> None:
    message = parsed(replace(DELIVERY, text=replace(DELIVERY.text, subject=" ".join(subject.split()) or "x")))
    assert message["Subject"] == (" ".join(subject.split()) or "x")
    assert message["Bcc"] is None


def test_no_line_of_an_email_is_too_long() -> None:
    long = replace(DELIVERY, text=Text(subject="Ä" * 300, plain="ü" * 5000, html="<p>" + "ß" * 5000))
    assert max(len(line) for line in mime(long, SENDER).split(b"\r\n")) <= 78


@pytest.mark.parametrize(
    "to", ["a@b.example\r\nBcc: c@d.example", "a@b.example\nRCPT TO:<x@y>", "a@b.example\0", "ä@b.example"]
)
def test_an_address_that_would_break_its_line_is_refused(to: str) -> None:
    with pytest.raises(ValueError, match="header To"):
        mime(replace(DELIVERY, to=to), SENDER)
