"""Emails in words: by publisher, one folder per email with subject, plain text and HTML, in one frame."""

import re
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape

from services.notifications.domain.contacts import Contact
from services.notifications.domain.deliveries import Delivery, delivery
from services.notifications.domain.emails import Email, Text
from services.notifications.use_cases import Compose
from shared.alliance.german import listed, long_date, number, short_date
from shared.kernel.cause import Cause
from shared.kernel.event import Event

FOLDER = Path(__file__).parent
WIDTH = 75
"""Characters in a line of plain text; indented lines of list items are two wider."""

PARTS = ("subject.txt", "body.txt", "body.html")

# Control characters, line and direction breaks of Unicode, and surrogates, which no email can carry.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
# A line that fits, or one long word; no line ends inside "27. Januar 2023", "(i. V." or "a. d. Spree".
_LINE = re.compile(rf".{{1,{WIDTH}}}(?<!\d\.)(?<![ („]\w\.) (?!\d{{4}}\b)|[^ ]+ ")
_GAP = re.compile(r"\n{3,}")


def composer(public_url: str, mail_from: str) -> Compose:
    """A function that composes deliveries: links begin with `public_url`, Message-IDs end with the sender's domain."""
    render, domain = renderer(public_url), mail_from.rpartition("@")[2]

    def compose(email: Email, contact: Contact, event: Event, cause: Cause) -> Delivery:
        text = render(email, contact.office, event.type.partition(".")[0])
        return delivery(email, text, contact, event_id=cause.id, event_type=event.type, domain=domain, now=cause.at)

    return compose


def renderer(public_url: str) -> Callable[[Email, str, str], Text]:
    """A function that renders an email to an office about an event of a publisher."""
    # Compiling all templates takes as long as everything else at start; the tests render every one.
    load = cache(partial(_load, _environment(public_url)))

    def render(email: Email, office: str, publisher: str) -> Text:
        subject, plain, html = load(publisher, email.template)
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


def _load(environment: Environment, publisher: str, name: str) -> tuple[Template, Template, Template]:
    subject, plain, html = (environment.get_template(f"{publisher}/{name}/{part}") for part in PARTS)
    return subject, plain, html


def _printable(value: object) -> object:
    """A value never breaks a line."""
    return _UNPRINTABLE.sub(" ", value) if type(value) is str else value


def _tidy(text: str) -> str:
    """Wrap lines, separate paragraphs by one blank line, end with one line break."""
    lines = "\n".join(line if len(line) <= WIDTH else _fold(line) for line in text.split("\n"))
    return _GAP.sub("\n\n", lines).strip() + "\n"


def _fold(line: str) -> str:
    folded = []
    indent = "\n  " if line.startswith("- ") else "\n"
    while len(line) > WIDTH and (head := _LINE.match(line)):
        folded.append(head[0].rstrip())
        line = line[head.end() :]
    return indent.join([*folded, line])
