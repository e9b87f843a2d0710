"""How an agreement in force goes on or ends, and what becomes due by itself as time passes."""

from datetime import date, datetime, timedelta

from dateutil.relativedelta import relativedelta

from services.membership.domain.agreement import Agreement, Decided
from services.membership.domain.parties import party_of
from services.membership.domain.signatures import NotAParty
from services.membership.domain.term import (
    OPEN,
    REMINDER_DAYS,
    AlreadyGivenNotice,
    Notice,
    NoticeInFuture,
    NotInForce,
    Stage,
    TooShort,
    end_told_now,
    next_reminder,
)
from shared.events.membership.agreements import (
    AgreementEnded,
    AgreementEndsSoon,
    AgreementLapsed,
    AgreementPassedOn,
    AgreementRenewed,
    NoticeGiven,
    SignatureOverdue,
)
from shared.events.membership.refs import MunicipalityRef
from shared.kernel.clock import berlin_day
from shared.kernel.facts import told


def renew(one: Agreement, ends_on: date | None, now: datetime) -> Decided:
    """Let it go on until a later day, or without a term; the same day again changes nothing."""
    _refuse_unless_in_force(one)
    if ends_on == one.ends_on:
        return one, []
    if one.ends_on and one.ends_on < berlin_day(now):
        raise NotInForce(f"agreement {one.id} held until {one.ends_on}: draft another one")
    if one.ends_on is None or (ends_on and ends_on < one.ends_on):
        raise TooShort(f"agreement {one.id} holds until {one.ends_on or 'further notice'}, which is after {ends_on}")
    return told(
        one,
        one.fact(
            AgreementRenewed,
            municipalities=one.remaining, parties=_parties(one), renewed_on=berlin_day(now), ends_on=ends_on,
        ),
    )  # fmt: skip


def earliest_end(one: Agreement, given_on: date) -> date:
    """The earliest last day when notice is given on a day."""
    end: date = given_on + relativedelta(months=one.notice_months)
    return end


def give_notice(one: Agreement, notice: Notice, now: datetime) -> Decided:
    """A party gives notice: a municipality for itself, any other party for all of them."""
    _refuse_unless_in_force(one)
    _refuse_notice(one, notice, berlin_day(now))
    concerned = notice.concerned(one.remaining)
    return told(
        one,
        one.fact(
            NoticeGiven,
            municipalities=concerned, remaining=tuple(ref for ref in one.remaining if ref not in concerned),
            parties=_parties(one), party=notice.party, given_on=notice.given_on, ends_on=notice.ends_on,
            reason=notice.reason,
        ),
    )  # fmt: skip


def end(one: Agreement, leaving: tuple[MunicipalityRef, ...], ended_on: date, how: str) -> Decided:
    """It is in force no longer for these; the same news may arrive twice."""
    left = tuple(ref for ref in one.remaining if ref in leaving)
    if not left or one.stage is not Stage.IN_FORCE:
        return one, []
    remaining = tuple(ref for ref in one.remaining if ref not in left)
    return told(
        one, one.fact(AgreementEnded, municipalities=left, remaining=remaining, ended_on=ended_on, how=how)
    )  # fmt: skip


def pass_on(one: Agreement, ags: str, successor: MunicipalityRef, passed_on: date) -> Decided:
    """A municipality was merged into another one, which takes its place; the same news may arrive twice."""
    merged = next((ref for ref in one.remaining if ref.ags == ags), None)
    if merged is None or one.stage is not Stage.IN_FORCE:
        return one, []
    if any(last < passed_on and merged in leaving for last, leaving, _ in _ends(one)):
        # It is over for this one before the successor's first day, and ends as soon as that falls due.
        return one, []
    if successor.ags in {ref.ags for ref in one.municipalities} - set(one.covered):
        # The successor has left this agreement before, and does not come back into it by a merger.
        return end(one, (merged,), passed_on - timedelta(days=1), "merged")
    return told(
        one,
        AgreementPassedOn(agreement_id=one.id, municipality=merged, successor=successor, passed_on=passed_on),
    )


def fall_due(one: Agreement, now: datetime) -> Decided:
    """What becomes due by itself until today: a reminder, the last day for signing, the end; often nothing."""
    today = berlin_day(now)
    if one.due_on is None or today < one.due_on:
        return one, []
    return _while_open(one, today) if one.stage in OPEN else _while_in_force(one, today)


def _while_open(one: Agreement, today: date) -> Decided:
    last = one.signable_until
    if last and today > last:
        return told(one, one.fact(AgreementLapsed, parties=one.parties, missing=one.missing, sign_by=last))
    assert one.ready_on is not None
    following = next_reminder(one.ready_on, today)
    return told(
        one,
        one.fact(
            SignatureOverdue,
            missing=one.awaited, ready_on=one.ready_on, due_on=following - timedelta(days=REMINDER_DAYS),
            remind_on=following, sign_by=last,
        ),
    )  # fmt: skip


def _while_in_force(one: Agreement, today: date) -> Decided:
    over = [(last, leaving, how) for last, leaving, how in _ends(one) if last < today and leaving]
    if over:
        last, leaving, how = min(over, key=lambda each: each[0])
        ended, facts = end(one, leaving, last, how)
        more, further = _while_in_force(ended, today) if ended.remaining else (ended, [])
        return more, [*facts, *further]
    days = end_told_now(one.ends_on, one.end_told, today) if one.ends_on else None
    if days is None or one.ends_on is None:
        return one, []
    return told(
        one,
        one.fact(
            AgreementEndsSoon,
            municipalities=one.remaining, parties=_parties(one), ends_on=one.ends_on, days=days,
        ),
    )  # fmt: skip


def _ends(one: Agreement) -> list[tuple[date, tuple[MunicipalityRef, ...], str]]:
    """The last days that are known, by notice or by the term, for whom they are, and how it ends then."""
    ends = [(notice.ends_on, notice.concerned(one.remaining), "terminated") for notice in one.notices]
    return [*ends, (one.ends_on, one.remaining, "expired")] if one.ends_on else ends


def _parties(one: Agreement) -> tuple[str, ...]:
    """The parties that it still has: without the municipalities that have left."""
    left = {party_of(ref) for ref in one.municipalities if ref not in one.remaining}
    return tuple(party for party in one.parties if party not in left)


def _refuse_unless_in_force(one: Agreement) -> None:
    if one.stage is not Stage.IN_FORCE:
        raise NotInForce(f"agreement {one.id} is {one.stage}, not in force")


def _refuse_notice(one: Agreement, notice: Notice, today: date) -> None:
    if notice.party not in one.parties:
        raise NotAParty(f"{notice.party} is no party of agreement {one.id}; these are {', '.join(one.parties)}")
    if not notice.concerned(one.remaining) or notice.party in {each.party for each in one.notices}:
        raise AlreadyGivenNotice(f"{notice.party} has given notice of agreement {one.id} before")
    if notice.given_on > today:
        raise NoticeInFuture(f"notice of {notice.party} on {notice.given_on} is in the future: today is {today}")
    if one.in_force_since and notice.given_on < one.in_force_since:
        raise TooShort(f"agreement {one.id} is in force since {one.in_force_since}, after {notice.given_on}")
    if notice.ends_on < (earliest := earliest_end(one, notice.given_on)):
        raise TooShort(
            f"agreement {one.id} has {one.notice_months} months of notice: given on {notice.given_on}, "
            f"it ends on {earliest} or later, not on {notice.ends_on}"
        )
