"""What each fact changes of an agreement."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from services.membership.domain.parties import party_of
from services.membership.domain.signatures import Decline, Form, Signature
from services.membership.domain.term import Notice, Stage, end_told_next
from shared.alliance.action_fields import ActionField
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

if TYPE_CHECKING:
    from services.membership.domain.agreement import Agreement

Change = dict[str, Any]


def begun(fact: Any) -> Change:
    """What an agreement begins with; raises TypeError for a fact that begins none."""
    if isinstance(fact, AgreementRecorded):
        since = fact.in_force_since
        return _municipalities(fact) | {"id": fact.agreement_id, "parties": fact.parties, "drafted_on": since}
    if not isinstance(fact, AgreementDrafted):
        raise TypeError(f"{type(fact).__name__} begins no agreement")
    same = ("parties", "drafted_on", "witnesses", "ordered", "ends_on", "notice_months", "text", "template_version")
    return (
        _municipalities(fact)
        | {name: getattr(fact, name) for name in same}
        | {
            "id": fact.agreement_id,
            "template": fact.template,
            "action_fields": tuple(map(ActionField, fact.action_fields)),
        }
    )


def changed(one: "Agreement", fact: Any) -> "Agreement":
    """The agreement after a fact; raises TypeError for one that is none of its own."""
    if type(fact) not in _CHANGES:
        raise TypeError(f"{type(fact).__name__} is no fact about an agreement")
    after = replace(one, **_CHANGES[type(fact)](one, fact))
    due_on = _due_on(after)
    return after if due_on == after.due_on else replace(after, due_on=due_on)


def _due_on(one: "Agreement") -> date | None:
    """The next day on which something becomes due by itself."""
    match one.stage:
        case Stage.READY | Stage.PARTIALLY_SIGNED:
            return _first(one.remind_on if one.awaited else None, _day_after(one.signable_until))
        case Stage.IN_FORCE:
            told = end_told_next(one.ends_on, one.end_told) if one.ends_on else None
            open_notices = [notice for notice in one.notices if notice.concerned(one.remaining)]
            return _first(told, _day_after(one.ends_on), *(_day_after(notice.ends_on) for notice in open_notices))
        case _:
            return None


def _first(*days: date | None) -> date | None:
    return min((day for day in days if day), default=None)


def _day_after(day: date | None) -> date | None:
    return day + timedelta(days=1) if day else None


def _municipalities(fact: AgreementDrafted | AgreementRecorded) -> Change:
    return {"municipalities": fact.municipalities, "covered": tuple(ref.ags for ref in fact.municipalities)}


def _signature(fact: AgreementSignedByParty | SignatureCorrected) -> Signature:
    return Signature(
        party=fact.party, person=fact.person, function=fact.function, deputy=fact.deputy,
        signed_on=fact.signed_on, place=fact.place, form=Form(fact.form),
    )  # fmt: skip


def _ready(_: "Agreement", fact: AgreementReady) -> Change:
    same = ("ready_on", "text", "text_sha256", "sign_by", "remind_on")
    return {name: getattr(fact, name) for name in same} | {"stage": Stage.READY}


def _signed_by_party(one: "Agreement", fact: AgreementSignedByParty) -> Change:
    return {
        "stage": Stage.PARTIALLY_SIGNED,
        "signatures": (*one.signatures, _signature(fact)),
        "declines": tuple(decline for decline in one.declines if decline.party != fact.party),
    }


def _corrected(one: "Agreement", fact: SignatureCorrected) -> Change:
    new = _signature(fact)
    return {"signatures": tuple(new if old.party == new.party else old for old in one.signatures)}


def _declined(one: "Agreement", fact: SignatureDeclined) -> Change:
    decline = Decline(party=fact.party, declined_on=fact.declined_on, reason=fact.reason)
    return {"declines": (*one.declines, decline)}


def _signed(one: "Agreement", fact: AgreementSigned) -> Change:
    return {
        "stage": Stage.IN_FORCE,
        "in_force_since": fact.in_force_since,
        "ready_on": one.ready_on or fact.in_force_since,
        "ends_on": fact.ends_on,
        "remind_on": None,
    }


def _notice_given(one: "Agreement", fact: NoticeGiven) -> Change:
    notice = Notice(party=fact.party, given_on=fact.given_on, ends_on=fact.ends_on, reason=fact.reason)
    return {"notices": (*one.notices, notice)}


def _ended(_: "Agreement", fact: AgreementEnded) -> Change:
    over = {"stage": Stage.EXPIRED if fact.how == "expired" else Stage.TERMINATED, "ended_on": fact.ended_on}
    return {"covered": tuple(ref.ags for ref in fact.remaining)} | ({} if fact.remaining else over)


def _passed_on(one: "Agreement", fact: AgreementPassedOn) -> Change:
    """The successor takes the place, and the notice, of the old one; unless it has a place of its own."""
    new = fact.successor
    party = {party_of(fact.municipality): party_of(new)}
    known = {ref.ags for ref in one.municipalities}
    notices = one.notices
    if new.ags not in one.covered:
        notices = tuple(replace(notice, party=party.get(notice.party, notice.party)) for notice in notices)
    return {
        "municipalities": one.municipalities if new.ags in known else (*one.municipalities, new),
        "covered": tuple(dict.fromkeys(new.ags if ags == fact.municipality.ags else ags for ags in one.covered)),
        "parties": tuple(dict.fromkeys(party.get(each, each) for each in one.parties)),
        "notices": notices,
    }


_CHANGES: Mapping[type, Callable[["Agreement", Any], Change]] = {
    AgreementTextAdapted: lambda _, fact: {"text": fact.text},
    AgreementReady: _ready,
    AgreementSignedByParty: _signed_by_party,
    SignatureCorrected: _corrected,
    SignatureDeclined: _declined,
    SignatureOverdue: lambda _, fact: {"remind_on": fact.remind_on},
    AgreementWithdrawn: lambda _, fact: {
        "stage": Stage.WITHDRAWN, "ended_on": fact.withdrawn_on, "reason": fact.reason, "covered": (),
    },
    AgreementLapsed: lambda _, fact: {"stage": Stage.LAPSED, "ended_on": fact.sign_by, "covered": ()},
    AgreementSigned: _signed,
    AgreementEndsSoon: lambda _, fact: {"end_told": fact.days},
    AgreementRenewed: lambda _, fact: {"ends_on": fact.ends_on, "end_told": None},
    NoticeGiven: _notice_given,
    AgreementEnded: _ended,
    AgreementPassedOn: _passed_on,
}  # fmt: skip
