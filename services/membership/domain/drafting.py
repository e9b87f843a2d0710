"""How an agreement begins: drafted from a template, or entered because it was signed before this system existed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.membership.domain.agreement import Agreement, Decided
from services.membership.domain.municipality import Dissolved, Municipality
from services.membership.domain.parties import DEFAULT_PARTIES, PartyKind, german, parties_of
from services.membership.domain.template import Template, filled
from services.membership.domain.term import TooShort
from shared.alliance.action_fields import in_german
from shared.alliance.german import listed, long_date
from shared.events.membership.agreements import AgreementDrafted, AgreementRecorded, AgreementSigned
from shared.kernel.clock import berlin_day
from shared.kernel.errors import Invalid
from shared.kernel.facts import told

NOTICE_MONTHS = 3
"""How long before the end a party gives notice, unless an agreement says otherwise."""


class NoParty(Invalid):
    """The agreement needs somebody who signs."""

    code = "no_party"


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What is agreed on, besides the text."""

    required: tuple[PartyKind, ...] = DEFAULT_PARTIES
    """The kinds of parties that must sign, each municipality and police directorate among them."""
    ordered: bool = False
    """They sign in the order in which `required` names them."""
    witnesses: tuple[str, ...] = ()
    """Who is present and signs nothing, by function."""
    ends_on: date | None = None
    """The last day of the term; None where it has none."""
    notice_months: int = NOTICE_MONTHS


def draft(
    id: str, municipalities: Sequence[Municipality], terms: Terms, now: datetime, template: Template | None = None
) -> Decided:
    """Draft an agreement for one or several municipalities, with the text of a template."""
    ordered = sorted(municipalities, key=lambda one: one.ags)
    refs = tuple(one.ref for one in ordered)
    if not refs or not terms.required:
        raise NoParty(f"agreement {id} needs at least one municipality and one party that signs")
    _refuse_what_is_over(id, ordered, terms, berlin_day(now))
    kinds = terms.required if terms.ordered else tuple(kind for kind in PartyKind if kind in terms.required)
    parties = parties_of(refs, kinds)
    fields = tuple(sorted({field for one in municipalities for field in one.action_fields}))
    drafted = AgreementDrafted(
        agreement_id=id, municipalities=refs, parties=parties, action_fields=fields, drafted_on=berlin_day(now),
        witnesses=terms.witnesses, ordered=terms.ordered, ends_on=terms.ends_on, notice_months=terms.notice_months,
        template=template.id if template else None,
        template_version=template.current.number if template else None,
        text=filled(template.current.text, _values(id, ordered, parties, terms)) if template else "",
    )  # fmt: skip
    return Agreement.begun(drafted), [drafted]


def record(id: str, municipality: Municipality, in_force_since: date) -> Decided:
    """Enter an agreement that is in force since before this system existed, its signatures left out."""
    refs = (municipality.ref,)
    parties = parties_of(refs, DEFAULT_PARTIES)
    recorded = AgreementRecorded(
        agreement_id=id, municipalities=refs, parties=parties, in_force_since=in_force_since
    )  # fmt: skip
    signed = AgreementSigned(agreement_id=id, municipalities=refs, parties=parties, in_force_since=in_force_since)
    return told(Agreement.begun(recorded), signed)[0], [recorded, signed]


def _refuse_what_is_over(id: str, municipalities: Sequence[Municipality], terms: Terms, today: date) -> None:
    for one in municipalities:
        if one.valid_to and one.valid_to < today:
            raise Dissolved(f"{one.name} ({one.ags}) belongs to {one.successor} after {one.valid_to}: draft with that")
    if terms.ends_on and terms.ends_on <= today:
        raise TooShort(f"agreement {id} cannot end on {terms.ends_on}: today is {today}")


def _values(id: str, municipalities: Sequence[Municipality], parties: Sequence[str], terms: Terms) -> dict[str, str]:
    refs = [one.ref for one in municipalities]
    chosen = {field for one in municipalities for field in one.action_fields}
    months = f"mit einer Frist von {terms.notice_months} Monaten"
    return {
        "aktenzeichen": id,
        "kommunen": listed([ref.name for ref in refs]),
        "vertragsparteien": "\n".join(f"- {german(party, refs)}" for party in parties),
        "handlungsfelder": "\n".join(f"- {field}" for field in in_german(chosen)) or "- werden gemeinsam festgelegt",
        "laufzeit": f"bis zum {long_date(terms.ends_on)}" if terms.ends_on else "unbefristet",
        "kuendigung": {0: "jederzeit", 1: "mit einer Frist von einem Monat"}.get(terms.notice_months, months),
    }
