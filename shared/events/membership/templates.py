"""Events of the templates that agreements are drafted from; the aggregate is the `template`."""

from typing import ClassVar

from shared.events.words import Sha256
from shared.kernel.value import value


@value
class TemplatePublished:
    """A version of a text for agreements was published; agreements drafted before keep theirs."""

    type: ClassVar[str] = "membership.template_published.v1"

    template: str
    """The id of the template, such as `kooperation`."""
    version: int
    """1, 2, 3 …"""
    text: str
    """German, with fields such as `${kommunen}`; its first line is the title."""
    text_sha256: Sha256
    """SHA-256 of the text in UTF-8, 64 hexadecimal digits."""
