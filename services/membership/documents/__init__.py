"""Agreements and certificates on paper: PDF in German, tagged for assistive technology, the same bytes every time."""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

from shared.alliance.german import date_and_time, long_date

FOLDER = Path(__file__).parent
DRAFT = "Entwurf"
"""How the stage of an agreement begins that is marked as a draft on every page."""

# An indented line goes on where the line before it ended.
_CONTINUED = re.compile(r"\n[ \t]+(?=[^\s-])")
_BREAK = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# typst refuses what its fonts lack, or even panics, and obeys characters that turn round a line. What is let through:
# Latin with all its accents, Greek and Cyrillic letters, punctuation, currencies, arrows, mathematics, boxes.
_FOREIGN = re.compile(
    "[^ -~\xa0-\u024f\u02b9-\u02dd\u0391-\u03a1\u03a3-\u03ce\u0400-\u045f\u1e00-\u1eff"
    "\u2000-\u200a\u2010-\u2027\u202f-\u2040\u20a0-\u20bf\u2116\u2122\u2190-\u22ff\u25a0-\u2606\u2713\u2714\ufffd]"
)

Plain: TypeAlias = str | int | bool | Sequence["Plain"] | Mapping[str, "Plain"]
"""What goes to a template: JSON with texts that are ready to be shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """A signature as it is shown: names and words in German."""

    party: str
    person: str
    function: str
    deputy: bool
    """Shown as i. V. before the name."""
    signed_on: date
    place: str
    form: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreementDocument:
    """An agreement to be read, signed on paper, or filed; all names in German."""

    file_number: str
    title: str
    stage: str
    """In German, such as "in Kraft seit 27. Januar 2023"."""
    municipalities: tuple[str, ...]
    parties: tuple[str, ...]
    witnesses: tuple[str, ...]
    text: str
    """Paragraphs between blank lines; a line that starts with "§ " is a heading, one with "- " an item of a list."""
    text_sha256: str
    """Of the text, in 64 hexadecimal digits; both are empty where only the file on paper has the text."""
    signatures: tuple[Signed, ...]
    missing: tuple[str, ...]
    """Parties that have not signed; each gets a line to sign on."""
    as_of: datetime
    """The document's date, with its time zone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CertificateStep:
    """One thing that happened to an agreement."""

    number: int
    at: datetime
    what: str
    """A German sentence."""
    who: str
    hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CertificateDocument:
    """A certificate to be read by people; for programs there is the same in JSON."""

    file_number: str
    municipalities: tuple[str, ...]
    text_sha256: str
    steps: tuple[CertificateStep, ...]
    key_id: str
    signature: str
    as_of: datetime
    """The document's date, with its time zone."""


def agreement_pdf(document: AgreementDocument) -> bytes:
    """An agreement with what has been signed, and lines for those who still have to sign."""
    return _rendered("agreement.typ", _agreement(document), document.as_of)


def certificate_pdf(document: CertificateDocument) -> bytes:
    """How an agreement came about, step by step, and how to check that."""
    return _rendered("certificate.typ", _certificate(document), document.as_of)


def _agreement(document: AgreementDocument) -> Plain:
    return asdict(document) | {
        "draft": document.stage.startswith(DRAFT),
        "text": tuple(_blocks(document.text)),
        "signatures": tuple(asdict(one) | {"signed_on": long_date(one.signed_on)} for one in document.signatures),
        "as_of": date_and_time(document.as_of),
    }


def _certificate(document: CertificateDocument) -> Plain:
    return asdict(document) | {
        "steps": tuple(asdict(step) | {"at": date_and_time(step.at)} for step in document.steps),
        "as_of": date_and_time(document.as_of),
    }


def _blocks(text: str) -> Iterator[Plain]:
    """Headings, lists and paragraphs of a text, whose lines end where they end in the text."""
    lines = _CONTINUED.sub(" ", "\n".join(text.splitlines())).splitlines()
    for kind, run in groupby(lines, _kind):
        if kind == "section":
            yield from ({"section": line} for line in run)
        elif kind:
            yield {kind: tuple(line.removeprefix("- ").strip() for line in run)}


def _kind(line: str) -> str:
    if not line.strip():
        return ""
    return "section" if line.startswith("§ ") else "items" if line.startswith("- ") else "lines"


def _rendered(template: str, data: Plain, as_of: datetime) -> bytes:
    # Imported here, for it takes 7 MB, and most processes never make a document.
    import typst  # noqa: PLC0415

    return typst.compile(
        FOLDER / template,
        sys_inputs={"data": json.dumps(_shown(data))},
        pdf_standards="ua-1",
        timestamp=int(as_of.timestamp()),
        ignore_system_fonts=True,
    )


def _shown(data: Plain) -> Plain:
    """The same with texts in which every character is in our fonts; one that is not is shown by its number."""
    if isinstance(data, str):
        return _FOREIGN.sub(_number, _BREAK.sub(" ", unicodedata.normalize("NFC", data)))
    if isinstance(data, Mapping):
        return {key: _shown(value) for key, value in data.items()}
    return [_shown(value) for value in data] if isinstance(data, Sequence) else data


def _number(character: re.Match[str]) -> str:
    return f"[U+{ord(character[0]):04X}]"
