"""Emails to the offices of one role in one area."""

from collections.abc import Mapping
from typing import Any

from services.notifications.domain.contacts import Role
from shared.kernel.value import value


@value
class Email:
    """An email to the offices of a role in an area: the name of its template, and the data to fill it with."""

    template: str
    role: Role
    area: str
    data: Mapping[str, Any]


@value
class Text:
    """An email in words: its subject, and its body as plain text and as HTML."""

    subject: str
    plain: str
    html: str
