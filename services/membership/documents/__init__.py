"""Agreements and certificates on paper: PDF in German, tagged for assistive technology, the same bytes every time."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path

from shared.alliance.german import date_and_time, long_date
from shared.documents import Plain, blocks, render

FOLDER = Path(__file__).parent
DRAFT = "Entwurf"
"""Prefix of the stages whose documents say "draft" on every page."""


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
    """Render an agreement with its signatures, and blank lines for the missing ones."""
    return render(FOLDER / "agreement.typ", _agreement(document), document.as_of)


def certificate_pdf(document: CertificateDocument) -> bytes:
    """Render a certificate: the steps of an agreement, and instructions for verifying them."""
    return render(FOLDER / "certificate.typ", _certificate(document), document.as_of)


def _agreement(document: AgreementDocument) -> Plain:
    return asdict(document) | {
        "draft": document.stage.startswith(DRAFT),
        "text": tuple(blocks(document.text)),
        "signatures": tuple(
            asdict(signature) | {"signed_on": long_date(signature.signed_on)} for signature in document.signatures
        ),
        "as_of": date_and_time(document.as_of),
    }


def _certificate(document: CertificateDocument) -> Plain:
    return asdict(document) | {
        "steps": tuple(asdict(step) | {"at": date_and_time(step.at)} for step in document.steps),
        "as_of": date_and_time(document.as_of),
    }
