"""Agreements and their steps in German, as the documents show them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from services.membership.documents import DRAFT, AgreementDocument, CertificateDocument, CertificateStep, Signed
from services.membership.domain.agreement import Agreement
from services.membership.domain.parties import german
from services.membership.domain.signatures import Form
from services.membership.domain.term import OPEN, Stage
from shared.alliance.german import long_date
from shared.events.membership.agreements import (
    AgreementDrafted,
    AgreementEnded,
    AgreementEndsSoon,
    AgreementLapsed,
    AgreementPassedOn,
    AgreementReady,
    AgreementRecorded,
    AgreementRenewed,
    AgreementSigned,
    AgreementSignedByParty,
    AgreementTextAdapted,
    AgreementWithdrawn,
    NoticeGiven,
    SignatureCorrected,
    SignatureDeclined,
    SignatureOverdue,
)
from shared.events.membership.refs import MunicipalityRef

FORMS = {Form.PAPER: "auf Papier", Form.REMOTE: "aus der Ferne"}
ENDS = {"expired": "Ablauf der Laufzeit", "terminated": "Kündigung", "merged": "Eingliederung der Kommune"}

Row = Mapping[str, Any]


def agreement_document(agreement: Agreement, as_of: datetime) -> AgreementDocument:
    """An agreement as it is printed; `as_of` is when it last changed."""
    title, _, text = agreement.text.partition("\n")
    return AgreementDocument(
        file_number=agreement.id,
        title=title or "Kooperationsvereinbarung",
        stage=_stage(agreement),
        municipalities=tuple(ref.name for ref in agreement.municipalities),
        parties=tuple(german(party, agreement.municipalities) for party in agreement.parties),
        witnesses=agreement.witnesses,
        text=text.strip(),
        text_sha256=agreement.text_sha256,
        signatures=tuple(_signed(agreement, signature.party) for signature in agreement.signatures),
        missing=tuple(german(party, agreement.municipalities) for party in agreement.missing)
        if agreement.stage in {Stage.DRAFT, *OPEN}
        else (),
        as_of=as_of,
    )


def certificate_document(
    agreement: Agreement, steps: Sequence[Row], key_id: str, signature: str
) -> CertificateDocument:
    """A certificate as it is printed, made of the steps that it has in JSON."""
    return CertificateDocument(
        file_number=agreement.id,
        municipalities=tuple(ref.name for ref in agreement.municipalities),
        text_sha256=agreement.text_sha256,
        steps=tuple(_step(step, agreement.municipalities) for step in steps),
        key_id=key_id,
        signature=signature,
        as_of=datetime.fromisoformat(steps[-1]["at"]),
    )


def _stage(agreement: Agreement) -> str:  # noqa: PLR0911 -- one for each
    match agreement.stage:
        case Stage.DRAFT:
            return f"{DRAFT} vom {_day(agreement.drafted_on)}"
        case Stage.READY:
            return f"zur Unterzeichnung bereit seit {_day(agreement.ready_on)}"
        case Stage.PARTIALLY_SIGNED:
            return f"teilweise unterzeichnet, zur Unterzeichnung bereit seit {_day(agreement.ready_on)}"
        case Stage.IN_FORCE:
            until = f", befristet bis {_day(agreement.ends_on)}" if agreement.ends_on else ""
            return f"in Kraft seit {_day(agreement.in_force_since)}{until}"
        case Stage.EXPIRED:
            return f"in Kraft gewesen bis {_day(agreement.ended_on)}, Laufzeit beendet"
        case Stage.TERMINATED:
            return f"in Kraft gewesen bis {_day(agreement.ended_on)}, beendet"
        case Stage.WITHDRAWN:
            return f"zurückgezogen am {_day(agreement.ended_on)}"
        case Stage.LAPSED:
            return f"nicht bis {_day(agreement.ended_on)} unterzeichnet und damit verfallen"


def _signed(agreement: Agreement, party: str) -> Signed:
    signature = next(signature for signature in agreement.signatures if signature.party == party)
    return Signed(
        party=german(party, agreement.municipalities), person=signature.person, function=signature.function,
        deputy=signature.deputy, signed_on=signature.signed_on, place=signature.place, form=FORMS[signature.form],
    )  # fmt: skip


def _step(step: Row, refs: Sequence[MunicipalityRef]) -> CertificateStep:
    kind, told = _STEPS[step["type"]]
    return CertificateStep(
        number=step["version"],
        at=datetime.fromisoformat(step["at"]),
        what=told(msgspec.convert(step["data"], kind), refs),
        who=step["actor"],
        hash=step["hash"],
    )


def _day(day: date | None) -> str:
    return long_date(day) if day else "unbekannt"


def _names(refs: Iterable[MunicipalityRef]) -> str:
    return ", ".join(ref.name for ref in refs)


Told = Callable[[Any, Sequence[MunicipalityRef]], str]


def _signature(fact: AgreementSignedByParty, refs: Sequence[MunicipalityRef]) -> str:
    person = f"i. V. {fact.person}" if fact.deputy else fact.person
    return (
        f"{german(fact.party, refs)} unterzeichnet am {_day(fact.signed_on)} in {fact.place} "
        f"{FORMS[Form(fact.form)]}: {person}, {fact.function}."
    )


_WORDS: dict[type, Told] = {
    AgreementDrafted: lambda fact, _: f"Entwurf für {_names(fact.municipalities)}.",
    AgreementTextAdapted: lambda _, __: "Der Wortlaut des Entwurfs wird angepasst.",
    AgreementReady: lambda fact, _: f"Zur Unterzeichnung bereit ab {_day(fact.ready_on)}; der Wortlaut steht fest.",
    AgreementSignedByParty: _signature,
    SignatureDeclined: lambda fact, refs: (
        f"{german(fact.party, refs)} lehnt die Unterzeichnung am {_day(fact.declined_on)} ab: {fact.reason}"
    ),
    SignatureCorrected: lambda fact, refs: (
        f"Die Angaben zur Unterzeichnung von {german(fact.party, refs)} werden berichtigt: {fact.reason}"
    ),
    SignatureOverdue: lambda fact, refs: (
        f"Erinnerung zum {_day(fact.due_on)} an {', '.join(german(party, refs) for party in fact.missing)}."
    ),
    AgreementWithdrawn: lambda fact, _: f"Zurückgezogen am {_day(fact.withdrawn_on)}: {fact.reason}",
    AgreementLapsed: lambda fact, _: f"Verfallen, weil nicht alle bis {_day(fact.sign_by)} unterzeichnet haben.",
    AgreementRecorded: lambda fact, _: (
        f"Eingetragen als in Kraft seit {_day(fact.in_force_since)}; unterzeichnet, bevor es dieses System gab."
    ),
    AgreementSigned: lambda fact, _: f"In Kraft seit {_day(fact.in_force_since)}.",
    AgreementEndsSoon: lambda fact, _: f"Hinweis: Die Laufzeit endet am {_day(fact.ends_on)}.",
    AgreementRenewed: lambda fact, _: (
        f"Verlängert bis {_day(fact.ends_on)}." if fact.ends_on else "Auf unbestimmte Zeit verlängert."
    ),
    NoticeGiven: lambda fact, refs: (
        f"{german(fact.party, refs)} kündigt am {_day(fact.given_on)} zum {_day(fact.ends_on)}."
    ),
    AgreementEnded: lambda fact, _: (
        f"Beendet zum {_day(fact.ended_on)} für {_names(fact.municipalities)} ({ENDS.get(fact.how, fact.how)})."
    ),
    AgreementPassedOn: lambda fact, _: (
        f"{fact.successor.name} tritt am {_day(fact.passed_on)} an die Stelle von {fact.municipality.name}."
    ),
}
"""Each step of an agreement as a German sentence."""

_STEPS: dict[str, tuple[type, Told]] = {
    kind.type: (kind, words)  # type: ignore[attr-defined]
    for kind, words in _WORDS.items()
}
