"""The texts that agreements begin with: German, in versions, with fields such as `${kommunen}`."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from string import Template as Fields
from typing import Any

from shared.events.membership.templates import TemplatePublished
from shared.kernel.errors import Invalid
from shared.kernel.event import Event
from shared.kernel.facts import told

FIELDS = frozenset({"aktenzeichen", "kommunen", "vertragsparteien", "handlungsfelder", "laufzeit", "kuendigung"})
"""What a text may leave open: filled in for each agreement."""

STANDARD = "kooperation"
"""The template of an agreement that names no other one."""


class UnknownField(Invalid):
    """The text has a field that no agreement can fill."""

    code = "unknown_field"


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """One version of a text, which stays as it is."""

    number: int
    text: str
    text_sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Template:
    """A text for agreements, in all of its versions; agreements begin with the last one."""

    id: str
    versions: tuple[Version, ...] = ()

    @classmethod
    def begun(cls, fact: Any) -> "Template":
        """The template with its first version."""
        if not isinstance(fact, TemplatePublished):
            raise TypeError(f"{type(fact).__name__} begins no template")
        return cls(id=fact.template).after(fact)

    def after(self, fact: Any) -> "Template":
        """The template with one more version."""
        if not isinstance(fact, TemplatePublished):
            raise TypeError(f"{type(fact).__name__} is no fact about a template")
        version = Version(number=fact.version, text=fact.text, text_sha256=fact.text_sha256)
        return Template(id=self.id, versions=(*self.versions, version))

    @property
    def current(self) -> Version:
        """The version that agreements begin with."""
        return self.versions[-1]

    def publish(self, text: str) -> tuple["Template", list[Event]]:
        """Publish a new version; the same text again is none."""
        if self.versions and self.current.text == text:
            return self, []
        _refuse_unknown_fields(text)
        return told(
            self,
            TemplatePublished(template=self.id, version=len(self.versions) + 1, text=text, text_sha256=sha256(text)),
        )


def sha256(text: str) -> str:
    """The fingerprint of a text: SHA-256 of its UTF-8, 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its fields filled in."""
    return Fields(text).substitute(values)


def _refuse_unknown_fields(text: str) -> None:
    fields = Fields(text)
    if not fields.is_valid():
        raise UnknownField(
            "a `$` in the text begins no field; write `$$` for the sign itself, `${kommunen}` for a field"
        )
    if unknown := sorted(set(fields.get_identifiers()) - FIELDS):
        raise UnknownField(
            f"no agreement can fill {', '.join(unknown)}; there are {', '.join(sorted(FIELDS))}, "
            "written as in ${kommunen}"
        )
