"""Emails in words: one folder per email with its subject, its plain text and its HTML, in one frame."""

import re
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape

from services.notifications.domain import Email, Text
from shared.alliance.german import listed, long_date, number, short_date

FOLDER = Path(__file__).parent
WIDTH = 75
"""Of a line of plain text; the indented ones of an item are two wider."""
PARTS = ("subject.txt", "body.txt", "body.html")

# Control characters, what breaks or turns round a line in Unicode, and halves of characters, which no mail can carry.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
# What fits into a line, or one long word; no line ends inside "27. Januar 2023", "(i. V." or "a. d. Spree".
_LINE = re.compile(rf".{{1,{WIDTH}}}(?<!\d\.)(?<![ („]\w\.) (?!\d{{4}}\b)|[^ ]+ ")
_GAP = re.compile(r"\n{3,}")


def renderer(public_url: str) -> Callable[[Email, str], Text]:
    """What puts an email to an office into words, each template compiled when first used; links start `public_url`."""
    # To compile all of them takes as long as all else that the services do at start; the tests render every one.
    load = cache(partial(_load, _environment(public_url)))

    def render(email: Email, office: str) -> Text:
        subject, plain, html = load(email.template)
        data = {**email.data, "office": office}
        data["subject"] = " ".join(subject.render(data).split())
        return Text(subject=data["subject"], plain=_tidy(plain.render(data)), html=html.render(data))

    return render


def _environment(public_url: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=select_autoescape(["html"], default=False),
        undefined=StrictUndefined,
        finalize=_printable,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["public_url"] = public_url.rstrip("/")
    environment.filters |= {"long": long_date, "short": short_date, "listed": listed, "number": number}
    return environment


def _load(environment: Environment, name: str) -> tuple[Template, Template, Template]:
    subject, plain, html = (environment.get_template(f"{name}/{part}") for part in PARTS)
    return subject, plain, html


def _printable(value: object) -> object:
    """A value never breaks a line, wherever it is put."""
    return _UNPRINTABLE.sub(" ", value) if type(value) is str else value


def _tidy(text: str) -> str:
    """Lines that fit, paragraphs one blank line apart, and one line break at the end."""
    lines = "\n".join(line if len(line) <= WIDTH else _fold(line) for line in text.split("\n"))
    return _GAP.sub("\n\n", lines).strip() + "\n"


def _fold(line: str) -> str:
    folded = []
    indent = "\n  " if line.startswith("- ") else "\n"
    while len(line) > WIDTH and (head := _LINE.match(line)):
        folded.append(head[0].rstrip())
        line = line[head.end() :]
    return indent.join([*folded, line])
