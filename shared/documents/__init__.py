"""PDF in German, tagged for assistive technology, the same bytes every time."""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).parents[2]
"""The folder that absolute paths in templates start from, such as "/shared/documents/frame.typ"."""

# An indented line continues the line before it.
_CONTINUED = re.compile(r"\n[ \t]+(?=[^\s-])")
_BREAK = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# Typst refuses characters that its fonts lack, or even panics, and obeys characters that reverse a line. Allowed are
# Latin with all its accents, Greek and Cyrillic letters, punctuation, currencies, arrows, mathematics, boxes.
_FOREIGN = re.compile(
    "[^ -~\xa0-\u024f\u02b9-\u02dd\u0391-\u03a1\u03a3-\u03ce\u0400-\u045f\u1e00-\u1eff"
    "\u2000-\u200a\u2010-\u2027\u202f-\u2040\u20a0-\u20bf\u2116\u2122\u2190-\u22ff\u25a0-\u2606\u2713\u2714\ufffd]"
)

Plain: TypeAlias = str | int | bool | Sequence["Plain"] | Mapping[str, "Plain"]
"""The data of a template: JSON with texts ready for display."""


def render(template: Path, data: Plain, as_of: datetime) -> bytes:
    """Render a typst template as PDF/UA-1, dated `as_of`; a character that no font has is shown by its number."""
    # Imported here because it takes 7 MB, and most processes never render a document.
    import typst  # noqa: PLC0415

    return typst.compile(
        template,
        root=ROOT,
        sys_inputs={"data": json.dumps(_shown(data))},
        pdf_standards="ua-1",
        timestamp=int(as_of.timestamp()),
        ignore_system_fonts=True,
    )


def blocks(text: str) -> Iterator[Plain]:
    """Split a text into headings ("§ …"), lists ("- …") and paragraphs, which keep their line breaks."""
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


def _shown(data: Plain) -> Plain:
    if isinstance(data, str):
        return _FOREIGN.sub(_number, _BREAK.sub(" ", unicodedata.normalize("NFC", data)))
    if isinstance(data, Mapping):
        return {key: _shown(value) for key, value in data.items()}
    return [_shown(value) for value in data] if isinstance(data, Sequence) else data


def _number(character: re.Match[str]) -> str:
    return f"[U+{ord(character[0]):04X}]"
