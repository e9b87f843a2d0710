"""Deliveries: one email to one recipient, from the event that caused it to the mail server's reply.

Deliveries publish no events, so the rules return the new state alone as their decision.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from services.notifications.domain.contacts import Contact
from services.notifications.domain.emails import Email, Text
from shared.kernel.decision import Decision
from shared.kernel.errors import Refused
from shared.kernel.value import value

PAUSES = (
    *(timedelta(seconds=seconds) for seconds in (5, 15, 30)),
    *(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 20, 40)),
    *[timedelta(hours=2)] * 35,
)
"""Pauses between attempts while the mail server refuses for now: quickly at first, for three days in all."""

UNREACHED_PAUSE = timedelta(seconds=5)
"""The pause after the mail server could not be reached at all, which says nothing about the email."""


class State(StrEnum):
    """The state of a delivery; sent is final, failed lasts until someone retries it."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class NotFailed(Refused):
    """Only an email that failed can be sent again."""

    code = "delivery_not_failed"


@value
class Delivery:
    """One email to one recipient about one event."""

    id: str
    event_id: str
    event_type: str
    template: str
    contact_id: str
    office: str
    to: str
    text: Text
    message_id: str
    created_at: datetime
    state: State = State.QUEUED
    due_at: datetime
    """The time of the next attempt; while sending, the time at which the claim lapses."""
    claim: str = ""
    """The id of the last claim."""
    attempts: int = 0
    unknown: int = 0
    """Attempts that ended without an answer: the email may have arrived, and was sent again."""
    reply: str | None = None
    """The last reply of the mail server."""
    finished_at: datetime | None = None


Outcome: TypeAlias = Callable[[Delivery], Delivery]
"""The effect of an attempt's outcome on its delivery."""


def delivery(
    email: Email, text: Text, contact: Contact, *, event_id: str, event_type: str, domain: str, now: datetime
) -> Delivery:
    """The one delivery of an email about an event to a contact; its id and Message-ID are always the same."""
    id = hashlib.sha256(f"{event_id}/{contact.id}/{email.template}".encode()).hexdigest()[:32]
    return Delivery(
        id=id,
        event_id=event_id,
        event_type=event_type,
        template=email.template,
        contact_id=contact.id,
        office=contact.office,
        to=contact.email,
        text=text,
        message_id=f"<{id}@{domain}>",
        created_at=now,
        due_at=now,
    )


def claim(delivery: Delivery, now: datetime, within: timedelta, id: str) -> Decision[Delivery]:
    """Claim a due delivery for one attempt, which ends `within` a time.

    A delivery that is still sending when its claim lapses was left behind by a crash, and its outcome is unknown. One
    that is not due, because another process has claimed it, stays as it is.
    """
    if delivery.state in {State.SENT, State.FAILED} or delivery.due_at > now:
        return delivery, []
    left_behind = delivery.state is State.SENDING
    claimed = replace(
        delivery,
        state=State.SENDING,
        due_at=now + within,
        claim=id,
        attempts=delivery.attempts + 1,
        unknown=delivery.unknown + left_behind,
    )
    return claimed, []


def settle(delivery: Delivery, claim: str, outcome: Outcome) -> Decision[Delivery]:
    """Record the outcome of a claimed attempt.

    Once the claim has lapsed, and another attempt may have been made, only one outcome counts: the email was accepted.
    """
    settled = outcome(delivery)
    if (delivery.state, delivery.claim) == (State.SENDING, claim):
        return settled, []
    accepted = settled.state is State.SENT and delivery.state is not State.SENT
    return (settled if accepted else delivery), []


def accepted(delivery: Delivery, reply: str, now: datetime) -> Delivery:
    """The mail server accepted the email."""
    return replace(delivery, state=State.SENT, reply=reply, finished_at=now)


def refused(delivery: Delivery, reply: str, now: datetime) -> Delivery:
    """The mail server refused the email for good."""
    return replace(delivery, state=State.FAILED, reply=reply, finished_at=now)


def postponed(delivery: Delivery, reply: str, now: datetime, *, unknown: bool = False) -> Delivery:
    """The mail server refused for now or did not answer; after the last pause the delivery fails."""
    later = replace(delivery, reply=reply, unknown=delivery.unknown + unknown)
    if delivery.attempts > len(PAUSES):
        return replace(later, state=State.FAILED, finished_at=now)
    return replace(later, state=State.QUEUED, due_at=now + PAUSES[delivery.attempts - 1])


def unreached(delivery: Delivery, reply: str, now: datetime) -> Delivery:
    """The mail server could not be reached: that was no attempt, and there is no last one."""
    return replace(
        delivery, state=State.QUEUED, reply=reply, attempts=delivery.attempts - 1, due_at=now + UNREACHED_PAUSE
    )


def retry(delivery: Delivery, to: str, now: datetime) -> Decision[Delivery]:
    """Send a failed email again, perhaps to a corrected address, under the same Message-ID."""
    if delivery.state is not State.FAILED:
        raise NotFailed(
            f"email {delivery.id} to {delivery.office} is {delivery.state}, only a failed one is sent again"
        )
    return replace(delivery, to=to, state=State.QUEUED, due_at=now, attempts=0, finished_at=None), []
