"""The texts that agreements begin with; the aggregate is the `template`."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, kw_only=True, slots=True)
class TemplatePublished:
    """A version of a text for agreements was published; agreements drafted before keep theirs."""

    type: ClassVar[str] = "membership.template_published.v1"

    template: str
    """Its id, such as `kooperation`."""
    version: int
    """1, 2, 3 …"""
    text: str
    """German, with fields such as `${kommunen}`; its first line is the title."""
    text_sha256: str
