import html
import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import pytest

from services.notifications.domain import Email, Text
from services.notifications.emails import TOLD, emails_about
from services.notifications.templates import FOLDER, PARTS, WIDTH, renderer
from shared.events.membership.refs import MunicipalityRef
from shared.kernel.event import Event
from tests.notifications.examples import (
    CONSULTED,
    FACTS,
    JOINED,
    JOINT_READY,
    JOINT_SIGNED,
    NEIGHBOURS,
    READY,
    SIGNED,
    SIGNED_BY_POLICE,
    SPARSE,
)
from tests.notifications.hostile import EVIL, HOSTILE

URL = "https://asskomm.example"
RENDER = renderer(URL + "/")
OFFICE = "Stadtverwaltung Weißwasser/O.L."


def _emails(facts: list[Event]) -> list[Email]:
    """One email of each template about each fact."""
    return [
        email
        for fact in facts
        for email in {email.template: email for email in emails_about(fact, NEIGHBOURS)}.values()
    ]


def _text(template: str, fact: Event) -> Text:
    first = next(email for email in emails_about(fact, NEIGHBOURS) if email.template == template)
    return RENDER(first, OFFICE)


ALL = pytest.mark.parametrize(
    "email", _emails(FACTS + SPARSE + HOSTILE), ids=lambda email: f"{email.template}-{email.role}"
)


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
    folders = {path.name: {part.name for part in path.iterdir()} for path in FOLDER.glob("[a-z]*/")}
    names = {tell.__name__ for tells in TOLD.values() for tell in tells}
    assert folders == {name: set(PARTS) for name in names}


@ALL
def test_text_and_html_say_the_same(email: Email) -> None:
    text = RENDER(email, OFFICE)
    words = _Words()
    words.feed(text.html)
    assert words.seen == re.findall(r"\w+", text.plain.replace(URL + email.data["link"], ""))


@ALL
def test_a_subject_is_one_printable_line_with_the_file_number(email: Email) -> None:
    subject = RENDER(email, OFFICE).subject
    assert subject.isprintable()
    assert subject.endswith(")")
    assert "(Az. " in subject or "(AGS 14626480)" in subject


@ALL
def test_the_only_address_in_an_email_is_its_link(email: Email) -> None:
    text = RENDER(email, OFFICE)
    assert re.findall(r"http[^\s\"<]*", text.html) == [URL + html.escape(email.data["link"])]
    assert re.findall(r"http\S*", text.plain) == [URL + email.data["link"]]
    assert not re.search(r"src=|url\(|@import|<img|<link", text.html)


@ALL
def test_html_names_its_language_and_has_one_heading_and_the_subject_as_title(email: Email) -> None:
    text = RENDER(email, OFFICE)
    assert text.html.startswith('<!DOCTYPE html>\n<html lang="de">')
    assert text.html.count("<h1>") == 1
    assert [html.unescape(title) for title in re.findall("<title>(.*)</title>", text.html)] == [text.subject]


@ALL
def test_plain_text_has_no_stray_blank_lines_and_fits_the_width(email: Email) -> None:
    plain = RENDER(email, OFFICE).plain
    assert "\n\n\n" not in plain
    assert plain == plain.strip() + "\n"
    assert all(len(line) <= WIDTH + 2 or "http" in line for line in plain.splitlines())
    assert all(line == line.rstrip() or line == "-- " for line in plain.splitlines())


@ALL
def test_every_email_says_why_it_comes_and_that_a_machine_made_it(email: Email) -> None:
    plain = " ".join(RENDER(email, OFFICE).plain.split())
    assert f"An: {OFFICE} Sie erhalten diese E-Mail, weil " in plain
    assert plain.endswith(" Diese E-Mail wurde automatisch erstellt.")
    assert "Allianz Sichere Sächsische Kommunen · Landespräventionsrat Sachsen" in plain


@ALL
def test_a_name_with_a_full_stop_gets_no_second_one(email: Email) -> None:
    text = RENDER(email, OFFICE)
    assert ".." not in text.subject + text.plain + text.html


@pytest.mark.parametrize("email", _emails(HOSTILE), ids=lambda email: f"{email.template}-{email.role}")
def test_a_hostile_value_arrives_literally(email: Email) -> None:
    text = RENDER(email, OFFICE)
    assert EVIL in text.subject
    assert EVIL in " ".join(text.plain.split())
    assert "<script" not in text.html
    assert EVIL in html.unescape(text.html)


@pytest.mark.parametrize("email", _emails(HOSTILE), ids=lambda email: f"{email.template}-{email.role}")
def test_a_hostile_value_adds_no_line(email: Email) -> None:
    text = RENDER(email, OFFICE)
    assert "\r" not in text.plain
    assert not re.search("[\x00-\x09\x0b-\x1f\u2028]", text.plain + text.html)


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
