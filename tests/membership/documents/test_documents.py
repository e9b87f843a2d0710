import hashlib
import re
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.membership.documents import (
    AgreementDocument,
    CertificateDocument,
    CertificateStep,
    Signed,
    agreement_pdf,
    certificate_pdf,
)
from shared.documents import _FOREIGN, blocks
from shared.kernel.clock import BERLIN

AS_OF = datetime(2023, 1, 27, 13, 30, tzinfo=UTC)
TEXT = "Präambel\n\n§ 1 Ziel\n(1) Die Stadt tritt bei.\n(2) Alle helfen.\n\n- Graffiti,\n- Gewalt.\n"
SHA256 = hashlib.sha256(TEXT.encode()).hexdigest()
MAYOR = Signed(
    party="Stadt Rothenburg/O.L.",
    person="K. Muster",
    function="Bürgermeister",
    deputy=False,
    signed_on=date(2023, 1, 27),
    place="Rothenburg/O.L.",
    form="auf Papier",
)
AGREEMENT = AgreementDocument(
    file_number="KV-2023-7QX4M2",
    title="Kooperationsvereinbarung über Prävention",
    stage="von 1 von 2 unterzeichnet",
    municipalities=("Stadt Rothenburg/O.L.",),
    parties=("Stadt Rothenburg/O.L.", "Polizeidirektion Görlitz"),
    witnesses=("A. Zeuge", "B. Zeugin"),
    text=TEXT,
    text_sha256=SHA256,
    signatures=(MAYOR,),
    missing=("Polizeidirektion Görlitz",),
    as_of=AS_OF,
)
STEP = CertificateStep(number=1, at=AS_OF, what="Die Vereinbarung wurde entworfen.", who="lpr", hash=SHA256)
CERTIFICATE = CertificateDocument(
    file_number="KV-2023-7QX4M2",
    municipalities=("Stadt Rothenburg/O.L.",),
    text_sha256=SHA256,
    steps=(STEP,),
    key_id="2023-01",
    signature="q83vEjRWeJCrze8SNFZ4kA==",
    as_of=AS_OF,
)
MARKUP = """#eval("1+1") *fett* _schief_ $x^2$ @quelle `roh` = Titel // weg /* weg */ [a] {b} \\ \\n <c> -- ~ "'"""


def written(document: AgreementDocument | CertificateDocument) -> bytes:
    return agreement_pdf(document) if isinstance(document, AgreementDocument) else certificate_pdf(document)


def read(document: AgreementDocument | CertificateDocument) -> str:
    return "".join(pages(written(document)))


@pytest.fixture(scope="module", params=[AGREEMENT, CERTIFICATE], ids=["agreement", "certificate"])
def pdf(request: pytest.FixtureRequest) -> bytes:
    return written(request.param)


@pytest.mark.parametrize("mark", ["%PDF-1.7", "/Marked true", "/Lang(de)", "/DisplayDocTitle true", "pdfuaid:part>1<"])
def test_a_document_says_that_it_is_accessible_and_german(pdf: bytes, mark: str) -> None:
    assert mark.encode() in pdf


@pytest.mark.parametrize("tag", ["StructTreeRoot", "S/Title", "S/H1", "S/L/", "S/Table", "S/TH/", "Outlines"])
def test_title_headings_lists_and_tables_are_such_to_a_screen_reader(pdf: bytes, tag: str) -> None:
    assert f"/{tag}".encode() in pdf


def test_an_agreement_has_its_title_and_its_sections_as_headings_of_a_lower_level() -> None:
    pdf = agreement_pdf(AGREEMENT)
    assert 'xml:lang="x-default">Kooperationsvereinbarung über Prävention</rdf:li>'.encode() in pdf
    assert b"/S/H2" in pdf


def test_the_same_document_is_the_same_bytes() -> None:
    pdf = agreement_pdf(AGREEMENT)
    assert agreement_pdf(replace(AGREEMENT, as_of=AS_OF.astimezone(BERLIN))) == pdf
    assert b"/CreationDate(D:20230127133000Z)" in pdf
    assert certificate_pdf(CERTIFICATE) == certificate_pdf(replace(CERTIFICATE))


def test_several_documents_are_made_at_once() -> None:
    many = [replace(AGREEMENT, file_number=f"KV-2023-{number}") for number in range(12)]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(agreement_pdf, many)) == [agreement_pdf(one) for one in many]


@pytest.mark.parametrize(
    "shown",
    [
        "Allianz Sichere Sächsische Kommunen",
        "Aktenzeichen KV-2023-7QX4M2",
        "Stand von 1 von 2 unterzeichnet",
        "In Anwesenheit von A. Zeuge, B. Zeugin",
        "Ausgabe vom 27. Januar 2023, 14:30 Uhr",
        "Stadt Rothenburg/O.L. K. Muster Bürgermeister Rothenburg/O.L. 27. Januar 2023 auf Papier",
        "Vertragspartei Ort, Datum Unterschrift Polizeidirektion Görlitz",
        SHA256,
        "Seite 1 von 1",
    ],
)
def test_an_agreement_shows(shown: str) -> None:
    assert squeezed(shown) in read(AGREEMENT)


def test_who_signs_for_the_holder_of_an_office_does_so_in_vertretung() -> None:
    assert "i.V.K.Muster" in read(replace(AGREEMENT, signatures=(replace(MAYOR, deputy=True),), missing=()))
    assert "i.V.K.Muster" not in read(AGREEMENT)


def test_when_all_have_signed_there_is_no_line_left_to_sign_on() -> None:
    assert "Nochzuunterzeichnen" not in read(replace(AGREEMENT, missing=()))


def test_an_agreement_of_which_only_paper_is_known_says_so() -> None:
    text = read(replace(AGREEMENT, signatures=(), missing=(), text="", text_sha256=""))
    assert squeezed("sind keine Unterschriften erfasst") in text
    assert squeezed("Wortlaut ist hier nicht hinterlegt") in text
    assert "Prüfsumme" not in text


def test_a_draft_says_so_on_every_page() -> None:
    draft = pages(agreement_pdf(replace(AGREEMENT, stage="Entwurf", text=TEXT * 40)))
    assert len(draft) > 3
    assert all(page.startswith("AllianzSichereSächsischeKommunenEntwurf") for page in draft)
    assert squeezed("Entwurf. Dieser Text wird noch abgestimmt") in draft[0]


def test_what_is_no_draft_does_not_look_like_one() -> None:
    assert "Entwurf" not in read(AGREEMENT)


def test_a_long_text_goes_over_numbered_pages() -> None:
    long = pages(agreement_pdf(replace(AGREEMENT, text=TEXT * 60)))
    assert len(long) > 5
    for number, page in enumerate(long, start=1):
        assert page.endswith(f"AktenzeichenKV-2023-7QX4M2Seite{number}von{len(long)}")


def test_thirty_municipalities_with_long_names_each_have_their_line() -> None:
    names = tuple(f"Große Kreisstadt Hohenstein-Ernstthal-Oberlungwitz Nr. {n} / Wulke město {n}" for n in range(30))
    text = read(replace(AGREEMENT, municipalities=names, parties=names, signatures=(), missing=names))
    # As municipality, as party, and to sign; one of the three may lie across two pages.
    assert all(text.count(squeezed(name)) >= 2 for name in names)
    assert text.count("Nr.29/Wulkeměsto29") == 3


def test_sections_lists_and_paragraphs_of_a_text_are_told_apart() -> None:
    text = "Vorspruch\r\nzweite Zeile\n\n§ 1 Ziel\n§ 2 Weg\nwir tun:\n- erstens,\n  und zwar gern\n- zweitens\ndanach"
    assert list(blocks(text)) == [
        {"lines": ("Vorspruch", "zweite Zeile")},
        {"section": "§ 1 Ziel"},
        {"section": "§ 2 Weg"},
        {"lines": ("wir tun:",)},
        {"items": ("erstens, und zwar gern", "zweitens")},
        {"lines": ("danach",)},
    ]


def test_markup_in_the_words_of_an_agreement_is_shown_as_it_was_written() -> None:
    signed = replace(MAYOR, party=MARKUP, person=MARKUP, function=MARKUP, place=MARKUP, form=MARKUP)
    hostile = replace(
        AGREEMENT,
        file_number=MARKUP,
        title=MARKUP,
        stage=MARKUP,
        municipalities=(MARKUP,),
        parties=(MARKUP,),
        witnesses=(MARKUP,),
        text=f"{MARKUP}\n\n§ {MARKUP}\n\n- {MARKUP}\n\n= {MARKUP}\n+ {MARKUP}\n/ {MARKUP}",
        signatures=(signed,),
        missing=(MARKUP,),
    )
    text = read(hostile)
    # Six particulars, six in the text, five of the signature, the missing party, and the footer of each page at least.
    assert text.count(squeezed(MARKUP)) >= 19
    assert "Seite1von" in text


def test_markup_in_the_words_of_a_certificate_is_shown_as_it_was_written() -> None:
    step = replace(STEP, what=MARKUP, who=MARKUP, hash=MARKUP)
    hostile = replace(
        CERTIFICATE, file_number=MARKUP, municipalities=(MARKUP,), steps=(step,), key_id=MARKUP, signature=MARKUP
    )
    assert read(hostile).count(squeezed(MARKUP)) >= 7


def test_what_our_fonts_lack_and_what_hides_is_shown_by_its_number() -> None:
    text = read(replace(AGREEMENT, text="a\u202eb 🙂 北 \x00 \ud800 A\u0308"))
    assert "a[U+202E]b[U+1F642][U+5317][U+D800]Ä" in text


def test_every_character_that_is_let_through_has_a_glyph() -> None:
    spaced = " ".join(chr(code) for code in range(0x20, 0x10000) if not _FOREIGN.match(chr(code)))
    assert len(spaced) > 3000
    agreement_pdf(replace(AGREEMENT, title=spaced, text=f"§ {spaced}\n{spaced}"))
    certificate_pdf(replace(CERTIFICATE, key_id=spaced))


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=200))
def test_no_text_breaks_a_document(text: str) -> None:
    agreement_pdf(replace(AGREEMENT, stage=text, text=text, witnesses=(text,), missing=(text,)))
    certificate_pdf(replace(CERTIFICATE, key_id=text, steps=(replace(STEP, what=text, who=text),)))


@pytest.mark.parametrize(
    "shown",
    [
        "Er dokumentiert die Unterschriften, er ersetzt sie nicht.",
        "Geprüft wird derselbe Nachweis als JSON-Datei",
        "asskomm verify DATEI",
        f"1 27. Januar 2023, 14:30 Uhr Die Vereinbarung wurde entworfen. {SHA256} lpr",
        f"Wortlaut (SHA-256) {SHA256}",
        "Schlüssel 2023-01",
        "Signatur q83vEjRWeJCrze8SNFZ4kA==",
    ],
)
def test_a_certificate_shows(shown: str) -> None:
    assert squeezed(shown) in read(CERTIFICATE)


def test_times_are_those_of_a_clock_in_saxony_in_summer_and_winter() -> None:
    steps = tuple(replace(STEP, number=n, at=AS_OF + timedelta(days=180 * n)) for n in (0, 1))
    text = read(replace(CERTIFICATE, steps=steps))
    assert squeezed("26. Juli 2023, 15:30 Uhr") in text
    assert squeezed("27. Januar 2023, 14:30 Uhr") in text


def test_a_certificate_has_room_for_many_steps() -> None:
    steps = tuple(replace(STEP, number=number, who=f"municipality:14626{number:03}") for number in range(1, 61))
    long = pages(certificate_pdf(replace(CERTIFICATE, steps=steps)))
    assert len(long) > 4
    assert squeezed("Nr. Zeitpunkt Schritt und Prüfsumme Durch") in long[3]
    assert "municipality:14626060" in "".join(long)


# A font's name, or glyphs of two bytes each, the first of which is always written as three octal digits.
_FONT_OR_GLYPHS = re.compile(rb"/(f\d+) [\d.]+ Tf|\(((?:\\[0-7]{3}(?:\\[0-7]{3}|\\.|[^\\]))+)\)", re.DOTALL)


def pages(pdf: bytes) -> list[str]:
    """What a reader finds on each page, header and footer included, without spaces: each glyph's character."""
    objects = dict(re.findall(rb"\n(\d+) 0 obj\n(.*?)\nendobj", pdf, re.DOTALL))
    numbers = re.findall(rb"(\d+) 0 R", _one(rb"/Kids\[([\d R]+)\]", objects[b"1"]))
    return [squeezed("".join(_words(objects, objects[number]))) for number in numbers]


def squeezed(text: str) -> str:
    return "".join(text.split())


def _words(objects: dict[bytes, bytes], page: bytes) -> Iterator[str]:
    fonts = {
        name: _characters(_unpacked(objects[_one(rb"/ToUnicode (\d+)", objects[font])]))
        for name, font in re.findall(rb"/(f\d+) (\d+) 0 R", objects[_one(rb"/Resources (\d+)", page)])
    }
    drawing = _unpacked(objects[_one(rb"/Contents (\d+)", page)])
    characters: dict[int, str] = {}
    for font, text in _FONT_OR_GLYPHS.findall(drawing):
        characters = fonts[font] if font else characters
        glyphs = re.sub(rb"\\([0-7]{3}|.)", _unescaped, text, flags=re.DOTALL)
        yield "".join(characters[high * 256 + low] for high, low in zip(glyphs[::2], glyphs[1::2], strict=True))


def _one(pattern: bytes, within: bytes) -> bytes:
    found = re.search(pattern, within)
    assert found, f"no {pattern!r}"
    return found[1]


def _unpacked(stream: bytes) -> bytes:
    return zlib.decompress(stream.split(b"stream\n", 1)[1].rsplit(b"\nendstream", 1)[0])


def _characters(table: bytes) -> dict[int, str]:
    rows = re.findall(rb"\n<([0-9A-F]{4})> <([0-9A-F]+)>(?=\n)", table)
    return {int(glyph, 16): bytes.fromhex(text.decode()).decode("utf-16-be") for glyph, text in rows}


def _unescaped(escape: re.Match[bytes]) -> bytes:
    named = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
    return bytes([int(escape[1], 8)]) if len(escape[1]) == 3 else named.get(escape[1], escape[1])
