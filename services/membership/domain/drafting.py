"""Rules for drafting an agreement from a template, adapting its text, and opening it for signature."""

from collections.abc import Sequence
from datetime import date, datetime

from services.membership.domain.agreement import Agreement, evolve, refuse_final
from services.membership.domain.dates import Dissolved
from services.membership.domain.municipality import Municipality
from services.membership.domain.parties import DEFAULT_PARTIES, PartyKind, german, parties_of
from services.membership.domain.signatures import AlreadyReady, ReadyInFuture
from services.membership.domain.template import Template, filled, sha256
from services.membership.domain.term import Stage, TooShort, next_reminder
from shared.alliance.action_fields import in_german
from shared.alliance.german import listed, long_date
from shared.events.membership.agreements import (
    AgreementDrafted,
    AgreementReady,
    AgreementRecorded,
    AgreementSigned,
    AgreementTextAdapted,
)
from shared.kernel.clock import berlin_day
from shared.kernel.decision import Decision
from shared.kernel.errors import Invalid, Refused
from shared.kernel.value import value

NOTICE_MONTHS = 3
"""Months of notice that a party must give, unless an agreement says otherwise."""


class NoParty(Invalid):
    """The agreement needs a municipality and a party that signs."""

    code = "no_party"


class AgreementExists(Refused):
    """The municipality has an active agreement."""

    code = "agreement_exists"


@value
class Terms:
    """The terms of an agreement, except its text."""

    required: tuple[PartyKind, ...] = DEFAULT_PARTIES
    """The kinds of parties that must sign: each municipality, each of their police directorates, and so on."""
    ordered: bool = False
    """They sign in the order in which `required` names them."""
    witnesses: tuple[str, ...] = ()
    """People present who sign nothing, by function."""
    ends_on: date | None = None
    """The last day of the term; None if it has none."""
    notice_months: int = NOTICE_MONTHS


def draft(
    id: str, municipalities: Sequence[Municipality], terms: Terms, now: datetime, template: Template | None = None
) -> Decision[Agreement]:
    """Draft an agreement for one or several municipalities, with the text of a template."""
    ordered = sorted(municipalities, key=lambda municipality: municipality.ags)
    refs = tuple(municipality.ref for municipality in ordered)
    if not refs or not terms.required:
        raise NoParty(f"agreement {id} needs at least one municipality and one party that signs")
    _refuse_past(id, ordered, terms, berlin_day(now))
    kinds = terms.required if terms.ordered else tuple(kind for kind in PartyKind if kind in terms.required)
    parties = parties_of(refs, kinds)
    drafted = AgreementDrafted(
        agreement_id=id,
        municipalities=refs,
        parties=parties,
        action_fields=tuple(sorted({field for municipality in ordered for field in municipality.action_fields})),
        drafted_on=berlin_day(now),
        witnesses=terms.witnesses,
        ordered=terms.ordered,
        ends_on=terms.ends_on,
        notice_months=terms.notice_months,
        template=template.id if template else None,
        template_version=template.current.number if template else None,
        text=filled(template.current.text, _values(id, ordered, parties, terms)) if template else "",
    )
    return evolve.decision(None, drafted)


def record(id: str, municipality: Municipality, in_force_since: date) -> Decision[Agreement]:
    """Enter an agreement that was in force before this system existed; its signatures are not known."""
    refs = (municipality.ref,)
    parties = parties_of(refs, DEFAULT_PARTIES)
    return evolve.decision(
        None,
        AgreementRecorded(agreement_id=id, municipalities=refs, parties=parties, in_force_since=in_force_since),
        AgreementSigned(agreement_id=id, municipalities=refs, parties=parties, in_force_since=in_force_since),
    )


def adapt_text(agreement: Agreement, text: str) -> Decision[Agreement]:
    """Adapt the text of a draft; from readiness on it is fixed."""
    _refuse_unless_draft(agreement)
    if text == agreement.text:
        return agreement, []
    return evolve.decision(
        agreement,
        AgreementTextAdapted(agreement_id=agreement.id, municipalities=agreement.municipalities, text=text),
    )


def make_ready(agreement: Agreement, ready_on: date, now: datetime, sign_by: date | None = None) -> Decision[Agreement]:
    """Open the agreement for signature from `ready_on`, today or earlier, until `sign_by` if given."""
    _refuse_unless_draft(agreement)
    today = berlin_day(now)
    if ready_on > today:
        raise ReadyInFuture(f"agreement {agreement.id} cannot be ready on {ready_on}: today is {today}")
    ready = AgreementReady(
        agreement_id=agreement.id,
        municipalities=agreement.municipalities,
        parties=agreement.parties,
        ready_on=ready_on,
        text=agreement.text,
        text_sha256=sha256(agreement.text),
        turn=agreement.turn,
        sign_by=sign_by,
        remind_on=next_reminder(ready_on, today),
    )
    opened, events = evolve.decision(agreement, ready)
    if (last := opened.signable_until) and last < today:
        raise TooShort(f"agreement {agreement.id} cannot be signed until {last}: today is {today}")
    return opened, events


def _refuse_unless_draft(agreement: Agreement) -> None:
    refuse_final(agreement)
    if agreement.stage is not Stage.DRAFT:
        raise AlreadyReady(f"agreement {agreement.id} is {agreement.stage}, ready since {agreement.ready_on}")


def _refuse_past(id: str, municipalities: Sequence[Municipality], terms: Terms, today: date) -> None:
    for municipality in municipalities:
        if municipality.valid_to and municipality.valid_to < today:
            raise Dissolved(
                f"{municipality.name} ({municipality.ags}) belongs to {municipality.successor} "
                f"after {municipality.valid_to}: draft with that"
            )
    if terms.ends_on and terms.ends_on <= today:
        raise TooShort(f"agreement {id} cannot end on {terms.ends_on}: today is {today}")


def _values(id: str, municipalities: Sequence[Municipality], parties: Sequence[str], terms: Terms) -> dict[str, str]:
    refs = [municipality.ref for municipality in municipalities]
    chosen = {field for municipality in municipalities for field in municipality.action_fields}
    months = f"mit einer Frist von {terms.notice_months} Monaten"
    return {
        "aktenzeichen": id,
        "kommunen": listed([ref.name for ref in refs]),
        "vertragsparteien": "\n".join(f"- {german(party, refs)}" for party in parties),
        "handlungsfelder": "\n".join(f"- {field}" for field in in_german(chosen)) or "- werden gemeinsam festgelegt",
        "laufzeit": f"bis zum {long_date(terms.ends_on)}" if terms.ends_on else "unbefristet",
        "kuendigung": {0: "jederzeit", 1: "mit einer Frist von einem Monat"}.get(terms.notice_months, months),
    }
