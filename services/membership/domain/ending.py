"""Rules for continuing or ending an agreement: withdrawal, renewal, notice, merger and deadlines."""

from datetime import date, datetime, timedelta
from typing import TypeAlias

from dateutil.relativedelta import relativedelta

from services.membership.domain.agreement import Agreement, evolve, refuse_final
from services.membership.domain.parties import party_of
from services.membership.domain.signatures import AlreadyInForce, NotAParty
from services.membership.domain.term import (
    OPEN,
    REMINDER_DAYS,
    AlreadyGivenNotice,
    Notice,
    NoticeInFuture,
    NotInForce,
    Stage,
    TooShort,
    next_reminder,
    warning_due,
)
from shared.events.membership.agreements import (
    AgreementEnded,
    AgreementEndsSoon,
    AgreementLapsed,
    AgreementPassedOn,
    AgreementRenewed,
    AgreementWithdrawn,
    NoticeGiven,
    SignatureOverdue,
)
from shared.events.membership.refs import MunicipalityRef
from shared.kernel.clock import berlin_day
from shared.kernel.decision import Decision

Municipalities: TypeAlias = tuple[MunicipalityRef, ...]

ONE_DAY = timedelta(days=1)


def withdraw(agreement: Agreement, reason: str, now: datetime) -> Decision[Agreement]:
    """Abandon an agreement that is not in force yet."""
    if agreement.stage is Stage.IN_FORCE:
        raise AlreadyInForce(
            f"agreement {agreement.id} is in force since {agreement.in_force_since}: give notice instead"
        )
    refuse_final(agreement)
    return evolve.decision(
        agreement,
        AgreementWithdrawn(
            agreement_id=agreement.id,
            municipalities=agreement.municipalities,
            parties=agreement.parties,
            ready_on=agreement.ready_on,
            withdrawn_on=berlin_day(now),
            reason=reason,
        ),
    )


def renew(agreement: Agreement, ends_on: date | None, now: datetime) -> Decision[Agreement]:
    """Extend the term to a later day, or remove it; renewing to the same day changes nothing."""
    _refuse_unless_in_force(agreement)
    if ends_on == agreement.ends_on:
        return agreement, []
    if agreement.ends_on and agreement.ends_on < berlin_day(now):
        raise NotInForce(f"agreement {agreement.id} held until {agreement.ends_on}: draft another one")
    if agreement.ends_on is None or (ends_on and ends_on < agreement.ends_on):
        raise TooShort(
            f"agreement {agreement.id} holds until {agreement.ends_on or 'further notice'}, which is after {ends_on}"
        )
    return evolve.decision(
        agreement,
        AgreementRenewed(
            agreement_id=agreement.id,
            municipalities=agreement.remaining,
            parties=_remaining_parties(agreement),
            renewed_on=berlin_day(now),
            ends_on=ends_on,
        ),
    )


def earliest_end(agreement: Agreement, given_on: date) -> date:
    """The earliest last day of the agreement if notice is given on a day."""
    earliest: date = given_on + relativedelta(months=agreement.notice_months)
    return earliest


def give_notice(agreement: Agreement, notice: Notice, now: datetime) -> Decision[Agreement]:
    """Record a party's notice: a municipality leaves alone, any other party ends the agreement for all."""
    _refuse_unless_in_force(agreement)
    _refuse_notice(agreement, notice, berlin_day(now))
    concerned = notice.concerned(agreement.remaining)
    return evolve.decision(
        agreement,
        NoticeGiven(
            agreement_id=agreement.id,
            municipalities=concerned,
            remaining=tuple(ref for ref in agreement.remaining if ref not in concerned),
            parties=_remaining_parties(agreement),
            party=notice.party,
            given_on=notice.given_on,
            ends_on=notice.ends_on,
            reason=notice.reason,
        ),
    )


def end(agreement: Agreement, leaving: Municipalities, ended_on: date, how: str) -> Decision[Agreement]:
    """End the agreement for these municipalities; the cause may arrive twice."""
    left = tuple(ref for ref in agreement.remaining if ref in leaving)
    if not left or agreement.stage is not Stage.IN_FORCE:
        return agreement, []
    return evolve.decision(
        agreement,
        AgreementEnded(
            agreement_id=agreement.id,
            municipalities=left,
            remaining=tuple(ref for ref in agreement.remaining if ref not in left),
            ended_on=ended_on,
            how=how,
        ),
    )


def pass_on(agreement: Agreement, ags: str, successor: MunicipalityRef, passed_on: date) -> Decision[Agreement]:
    """Let the successor of a merged municipality take its place; the cause may arrive twice."""
    merged = next((ref for ref in agreement.remaining if ref.ags == ags), None)
    if merged is None or agreement.stage is not Stage.IN_FORCE:
        return agreement, []
    if any(last < passed_on and merged in leaving for last, leaving, _ in _ends(agreement)):
        # For the merged one it ends before the successor's first day, as soon as that end falls due.
        return agreement, []
    if successor.ags in {ref.ags for ref in agreement.municipalities} - set(agreement.covered):
        # The successor left this agreement earlier; a merger does not bring it back.
        return end(agreement, (merged,), passed_on - ONE_DAY, "merged")
    return evolve.decision(
        agreement,
        AgreementPassedOn(agreement_id=agreement.id, municipality=merged, successor=successor, passed_on=passed_on),
    )


def fall_due(agreement: Agreement, now: datetime) -> Decision[Agreement]:
    """Decide what is due by today: a reminder, a lapse, a warning of the end, the end, or nothing."""
    today = berlin_day(now)
    if agreement.due_on is None or today < agreement.due_on:
        return agreement, []
    return _due_while_open(agreement, today) if agreement.stage in OPEN else _due_in_force(agreement, today)


def _due_while_open(agreement: Agreement, today: date) -> Decision[Agreement]:
    last = agreement.signable_until
    if last and today > last:
        return evolve.decision(
            agreement,
            AgreementLapsed(
                agreement_id=agreement.id,
                municipalities=agreement.municipalities,
                parties=agreement.parties,
                missing=agreement.missing,
                sign_by=last,
            ),
        )
    assert agreement.ready_on is not None
    following = next_reminder(agreement.ready_on, today)
    return evolve.decision(
        agreement,
        SignatureOverdue(
            agreement_id=agreement.id,
            municipalities=agreement.municipalities,
            missing=agreement.awaited,
            ready_on=agreement.ready_on,
            due_on=following - timedelta(days=REMINDER_DAYS),
            remind_on=following,
            sign_by=last,
        ),
    )


def _due_in_force(agreement: Agreement, today: date) -> Decision[Agreement]:
    over = [(last, leaving, how) for last, leaving, how in _ends(agreement) if last < today and leaving]
    if over:
        last, leaving, how = min(over, key=lambda passed: passed[0])
        ended, events = end(agreement, leaving, last, how)
        rest, more = _due_in_force(ended, today) if ended.remaining else (ended, [])
        return rest, [*events, *more]
    days = warning_due(agreement.ends_on, agreement.end_told, today) if agreement.ends_on else None
    if days is None or agreement.ends_on is None:
        return agreement, []
    return evolve.decision(
        agreement,
        AgreementEndsSoon(
            agreement_id=agreement.id,
            municipalities=agreement.remaining,
            parties=_remaining_parties(agreement),
            ends_on=agreement.ends_on,
            days=days,
        ),
    )


def _ends(agreement: Agreement) -> list[tuple[date, Municipalities, str]]:
    """The known last days, by notice or by the term: each with the municipalities concerned and the manner."""
    ends = [(notice.ends_on, notice.concerned(agreement.remaining), "terminated") for notice in agreement.notices]
    return [*ends, (agreement.ends_on, agreement.remaining, "expired")] if agreement.ends_on else ends


def _remaining_parties(agreement: Agreement) -> tuple[str, ...]:
    """Its parties without the municipalities that have left."""
    left = {party_of(ref) for ref in agreement.municipalities if ref not in agreement.remaining}
    return tuple(party for party in agreement.parties if party not in left)


def _refuse_unless_in_force(agreement: Agreement) -> None:
    if agreement.stage is not Stage.IN_FORCE:
        raise NotInForce(f"agreement {agreement.id} is {agreement.stage}, not in force")


def _refuse_notice(agreement: Agreement, notice: Notice, today: date) -> None:
    if notice.party not in agreement.parties:
        raise NotAParty(
            f"{notice.party} is no party of agreement {agreement.id}; these are {', '.join(agreement.parties)}"
        )
    if not notice.concerned(agreement.remaining) or notice.party in {given.party for given in agreement.notices}:
        raise AlreadyGivenNotice(f"{notice.party} has given notice of agreement {agreement.id} before")
    if notice.given_on > today:
        raise NoticeInFuture(f"notice of {notice.party} on {notice.given_on} is in the future: today is {today}")
    if agreement.in_force_since and notice.given_on < agreement.in_force_since:
        raise TooShort(
            f"agreement {agreement.id} is in force since {agreement.in_force_since}, after {notice.given_on}"
        )
    if notice.ends_on < (earliest := earliest_end(agreement, notice.given_on)):
        raise TooShort(
            f"agreement {agreement.id} has {agreement.notice_months} months of notice: given on {notice.given_on}, "
            f"it ends on {earliest} or later, not on {notice.ends_on}"
        )
