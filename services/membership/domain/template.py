"""Texts that agreements start from: German, in versions, with fields such as `${kommunen}`."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from string import Template as Fields

from shared.events.membership.templates import TemplatePublished
from shared.kernel.copying import copy_as
from shared.kernel.decision import Decision, Evolve
from shared.kernel.errors import Invalid
from shared.kernel.value import value

FIELDS = frozenset({"aktenzeichen", "kommunen", "vertragsparteien", "handlungsfelder", "laufzeit", "kuendigung"})
"""The fields that a text may contain; each agreement fills them in."""

STANDARD = "kooperation"
"""The template of agreements that name no other one."""


class UnknownField(Invalid):
    """The text has a field that no agreement can fill."""

    code = "unknown_field"


@value
class Version:
    """One version of a text; it never changes."""

    number: int
    text: str
    text_sha256: str


@value
class Template:
    """A text for agreements in all of its versions; new agreements start from the last one."""

    id: str
    versions: tuple[Version, ...] = ()

    @property
    def current(self) -> Version:
        """The version that new agreements start from."""
        return self.versions[-1]


def _published(template: Template, event: TemplatePublished) -> Template:
    return replace(template, versions=(*template.versions, copy_as(Version, event, number=event.version)))


evolve = Evolve[Template](
    creates={TemplatePublished: lambda event: _published(Template(id=event.template), event)},
    changes={TemplatePublished: _published},
)


def publish(template: Template, text: str) -> Decision[Template]:
    """Publish a new version; the current text again changes nothing."""
    if template.versions and template.current.text == text:
        return template, []
    _refuse_unknown_fields(text)
    version = len(template.versions) + 1
    return evolve.decision(
        template,
        TemplatePublished(template=template.id, version=version, text=text, text_sha256=sha256(text)),
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
