import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import pytest

from services.notifications.domain.emails import Email, Text
from services.notifications.emails import emails_about
from services.notifications.emails.membership import EMAILS
from services.notifications.templates import FOLDER, PARTS, WIDTH, renderer
from shared.events.membership.refs import MunicipalityRef
from shared.kernel.event import Event
from tests.notifications.examples import (
    CONSULTED,
    EVENTS,
    JOINED,
    JOINT_READY,
    JOINT_SIGNED,
    NEIGHBOURS,
    READY,
    SIGNED,
    SIGNED_BY_POLICE,
    SPARSE,
)
from tests.notifications.templates.hostile import EVIL, HOSTILE

URL = "https://asskomm.example"
RENDER = renderer(URL + "/")
OFFICE = "Stadtverwaltung Weißwasser/O.L."


def _emails(events: list[Event]) -> list[Email]:
    """One email of each template about each event."""
    return [
        email
        for event in events
        for email in {email.template: email for email in emails_about(event, NEIGHBOURS)}.values()
    ]


def _text(template: str, event: Event) -> Text:
    first = next(email for email in emails_about(event, NEIGHBOURS) if email.template == template)
    return RENDER(first, OFFICE, "membership")


def _name(email: Email) -> str:
    return f"{email.template}-{email.role}"


class _Words(HTMLParser):
    """The words a reader sees below the heading."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.hidden: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in {"title", "style", "h1"}:
            self.hidden = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self.hidden:
            self.hidden = None

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.seen += re.findall(r"\w+", data)


def test_every_email_has_a_folder_with_its_three_parts_and_nothing_else() -> None:
    folders = {path.name: {part.name for part in path.iterdir()} for path in (FOLDER / "membership").glob("[a-z]*/")}
    names = {tell.__name__ for tells in EMAILS.values() for tell in tells}
    assert folders == {name: set(PARTS) for name in names}


def _faults(email: Email, text: Text) -> Iterator[str]:
    """The promises that an email breaks; each holds for every email, whatever its values are."""
    yield from _faults_of_subject(text)
    yield from _faults_of_plain(text.plain)
    yield from _faults_of_html(text)
    words = _Words()
    words.feed(text.html)
    link = URL + email.data["link"]
    if words.seen != re.findall(r"\w+", text.plain.replace(link, "")):
        yield "text and HTML say different things"
    if re.findall(r"http\S*", text.plain) != [link] or re.findall(r"http[^\s\"<]*", text.html) != [html.escape(link)]:
        yield "there is another address than its link"
    if ".." in text.subject + text.plain + text.html:
        yield "a full stop is followed by another one"
    if re.search("[\x00-\x09\x0b-\x1f\u2028]", text.plain + text.html):
        yield "there is a control character"


def _faults_of_subject(text: Text) -> Iterator[str]:
    if not text.subject.isprintable():
        yield "the subject is not one printable line"
    if not re.search(r"\((Az\. .+|AGS 14626480)\)$", text.subject):
        yield "the subject does not end with the file number or key"


def _faults_of_plain(plain: str) -> Iterator[str]:
    if "\n\n\n" in plain or plain != plain.strip() + "\n":
        yield "there are stray blank lines"
    for line in plain.splitlines():
        if len(line) > WIDTH + 2 and "http" not in line:
            yield f"a line is too long: {line}"
        if line != line.rstrip() and line != "-- ":
            yield f"a line ends with a space: {line}"
    words = " ".join(plain.split())
    if f"An: {OFFICE} Sie erhalten diese E-Mail, weil " not in words:
        yield "it does not say why it comes"
    if not words.endswith(" Diese E-Mail wurde automatisch erstellt."):
        yield "it does not say that a machine made it"
    if "Allianz Sichere Sächsische Kommunen · Landespräventionsrat Sachsen" not in words:
        yield "it does not say where it comes from"


def _faults_of_html(text: Text) -> Iterator[str]:
    if not text.html.startswith('<!DOCTYPE html>\n<html lang="de">'):
        yield "the HTML does not name its language"
    if text.html.count("<h1>") != 1:
        yield "there is not exactly one heading"
    if [html.unescape(title) for title in re.findall("<title>(.*)</title>", text.html)] != [text.subject]:
        yield "the title is not the subject"
    if re.search(r"src=|url\(|@import|<img|<link|<script", text.html):
        yield "the HTML loads or runs something"


@pytest.mark.parametrize("email", _emails(EVENTS + SPARSE), ids=_name)
def test_an_email_keeps_every_promise(email: Email) -> None:
    assert list(_faults(email, RENDER(email, OFFICE, "membership"))) == []


@pytest.mark.parametrize("email", _emails(HOSTILE), ids=_name)
def test_an_email_keeps_every_promise_with_hostile_values(email: Email) -> None:
    text = RENDER(email, OFFICE, "membership")
    assert list(_faults(email, text)) == []
    for part in (text.subject, " ".join(text.plain.split()), html.unescape(text.html)):
        assert EVIL in part, "a hostile value arrives literally"


def test_the_promises_can_be_broken() -> None:
    (email,) = _emails([CONSULTED])[:1]
    text = RENDER(email, OFFICE, "membership")
    broken = {
        "text and HTML say different things": replace(text, plain=text.plain.replace("beraten", "verraten")),
        "there is another address than its link": replace(text, plain=f"http://evil.example\n{text.plain}"),
        "a full stop is followed by another one": replace(text, html=text.html.replace(".", "..", 1)),
        "there is a control character": replace(text, html=f"{text.html}\x07"),
        "the subject is not one printable line": replace(text, subject=f"a\n{text.subject}"),
        "the subject does not end with the file number or key": replace(text, subject="Beraten"),
        "there are stray blank lines": replace(text, plain=f"\n{text.plain}"),
        "it does not say why it comes": replace(text, plain=text.plain.replace("weil", "obwohl")),
        "it does not say that a machine made it": replace(text, plain=text.plain.replace("automatisch", "gern")),
        "it does not say where it comes from": replace(text, plain=text.plain.replace("Allianz Sichere", "Verein")),
        "the HTML does not name its language": replace(text, html=text.html.replace('"de"', '"en"', 1)),
        "there is not exactly one heading": replace(text, html=f"{text.html}<h1>"),
        "the title is not the subject": replace(text, html=text.html.replace("<title>", "<title>x")),
        "the HTML loads or runs something": replace(text, html=f"{text.html}<img>"),
    }
    for fault, spoilt in broken.items():
        assert fault in list(_faults(email, spoilt)), fault
    assert any("too long" in fault for fault in _faults(email, replace(text, plain="x" * 100)))
    assert any("ends with a space" in fault for fault in _faults(email, replace(text, plain="x \n")))


def test_half_a_character_does_not_stop_an_email() -> None:
    text = _text("consultation_held", replace(CONSULTED, next_step="kaputt\ud83d!"))
    assert "Nächster Schritt: kaputt !" in text.plain.encode().decode()


def test_dates_are_german() -> None:
    consultation = _text("consultation_held", CONSULTED)
    assert "am 14.09.2022" in consultation.subject
    assert "am 14. September 2022" in consultation.plain
    joined = replace(JOINED, joined_on=date(2023, 3, 5))
    assert "seit dem 5. März 2023" in _text("new_neighbour", joined).html


def test_a_date_is_not_torn_apart_by_the_end_of_a_line() -> None:
    for width in range(80):
        town = MunicipalityRef(ags="14626480", name="x" * width, police_directorate="PD Görlitz")
        signed = replace(SIGNED, municipalities=(town,), parties=("lpr",))
        assert "27. Januar 2023" in _text("agreement_in_force", signed).plain


def test_umlauts_and_german_quotation_marks_stay_characters() -> None:
    assert "„i. V.“" in _text("agreement_to_sign", READY).html
    assert "Sachbeschädigung durch Graffiti" in _text("agreement_in_force", SIGNED).html
    assert "Vermüllung öffentlicher Plätze" in _text("agreement_in_force", SIGNED).plain


def test_one_municipality_becomes_a_member() -> None:
    assert "Damit wird Rothenburg/O.L. Mitglied" in " ".join(_text("agreement_to_sign", READY).plain.split())


def test_several_municipalities_become_members() -> None:
    ready = " ".join(_text("agreement_to_sign", JOINT_READY).plain.split())
    signed = " ".join(_text("agreement_in_force", JOINT_SIGNED).plain.split())
    assert "Damit werden Rothenburg/O.L., Bautzen und Pirna Mitglied" in ready
    assert "Damit sind Rothenburg/O.L., Bautzen und Pirna Mitglied" in signed


def test_the_press_gets_a_sentence_to_use() -> None:
    press = " ".join(_text("agreement_for_press", SIGNED).plain.split())
    assert "Rothenburg/O.L. gehört seit dem 27. Januar 2023 zur Allianz Sichere Sächsische Kommunen (ASSKomm)." in press


def test_the_last_party_learns_that_the_agreement_is_in_force() -> None:
    last = replace(SIGNED_BY_POLICE, missing=())
    assert "Ihre Unterschrift war die letzte" in _text("signature_receipt", last).plain
    assert "fehlen" not in _text("signature_progress", last).plain


def test_one_missing_party_is_missing_in_the_singular() -> None:
    assert "Es fehlt noch:" in _text("signature_progress", replace(SIGNED_BY_POLICE, missing=("lpr",))).plain


def test_the_welcome_names_the_neighbours() -> None:
    welcome = " ".join(_text("member_welcome", JOINED).plain.split())
    assert "Im Landkreis Görlitz sind auch Görlitz und Zittau Mitglied." in welcome


def test_a_list_gets_an_und_before_its_last_name() -> None:
    assert (
        "Kooperationsvereinbarung für Rothenburg/O.L., Bautzen und Pirna"
        in _text("agreement_ready", JOINT_READY).subject
    )
