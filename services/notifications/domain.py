"""Whom we write to, what we write, and what became of each email."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from shared.kernel.errors import Refused

SAXONY = "Sachsen"
"""The area of an office that is responsible for all of Saxony."""


class Role(StrEnum):
    """What an office is to the alliance."""

    LPR_CONTACT = "lpr_contact"
    LPR_HEAD = "lpr_head"
    MINISTRY = "ministry"
    PRESS_OFFICE = "press_office"
    POLICE_DIRECTORATE = "police_directorate"
    MUNICIPALITY = "municipality"


@dataclass(frozen=True, kw_only=True, slots=True)
class Contact:
    """An office that is told; its area is `Sachsen`, a police directorate (`PD Görlitz`) or a municipality (AGS)."""

    id: str
    office: str
    email: str
    role: Role
    area: str
    active: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A municipality that is or was a member, as far as its neighbours are told of it."""

    ags: str
    name: str
    district_key: str
    agreement_id: str
    joined_on: date
    left_on: date | None = None
    """The last day of a membership that is over."""

    def after(self, news: "Member") -> "Member":
        """What holds after news of joining or leaving: it may come late, but a membership ends for good."""
        if news.agreement_id == self.agreement_id:
            return self if self.left_on else news
        return news if news.joined_on > self.joined_on else self

    def renamed(self, name: str) -> "Member":
        """It is called something else now; news of one municipality come in their order."""
        return replace(self, name=name)


@dataclass(frozen=True, kw_only=True, slots=True)
class Email:
    """What is to be told to the offices of a role in an area: the template's name and what it is filled with."""

    template: str
    role: Role
    area: str
    data: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """An email in words: its subject, and its body as plain text and as HTML."""

    subject: str
    plain: str
    html: str


class State(StrEnum):
    """What became of a delivery; sent is final, and failed until somebody has it sent again."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class NotFailed(Refused):
    """Only an email that failed can be sent again."""

    code = "delivery_not_failed"


PAUSES = (
    *(timedelta(seconds=seconds) for seconds in (5, 15, 30)),
    *(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 20, 40)),
    *[timedelta(hours=2)] * 35,
)
"""Between attempts while the mail server refuses for the time being: quickly at first, for three days in all."""

UNREACHED_PAUSE = timedelta(seconds=5)
"""Until the next try when the mail server could not be reached at all, which says nothing about the email."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """One email to one recipient, from the event that caused it to what the mail server said."""

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
    """When the next attempt may be made; while sending, when the attempt counts as left behind."""
    claim: str = ""
    """Whose attempt the last one is: a new id for each claim."""
    attempts: int = 0
    unknown: int = 0
    """Attempts that ended without an answer: the email may have arrived, and was sent again."""
    reply: str | None = None
    """What the mail server said last."""
    finished_at: datetime | None = None

    def begin(self, now: datetime, within: timedelta, claim: str) -> "Delivery":
        """One more attempt, which ends within a time; what is "sending" for longer was left behind, and is unknown.

        What is not due, because somebody else has begun with it, stays as it is.
        """
        if self.state in {State.SENT, State.FAILED} or self.due_at > now:
            return self
        left_behind = self.state is State.SENDING
        return replace(
            self,
            state=State.SENDING,
            due_at=now + within,
            claim=claim,
            attempts=self.attempts + 1,
            unknown=self.unknown + left_behind,
        )

    def ended(self, claim: str, outcome: "Callable[[Delivery], Delivery]") -> "Delivery":
        """How the attempt of a claim ended.

        Of one that was left behind, and may have been made again since, only this counts: that the email was taken.
        """
        after = outcome(self)
        if (self.state, self.claim) == (State.SENDING, claim):
            return after
        return after if after.state is State.SENT and self.state is not State.SENT else self

    def accepted(self, reply: str, now: datetime) -> "Delivery":
        """The mail server took it."""
        return replace(self, state=State.SENT, reply=reply, finished_at=now)

    def refused(self, reply: str, now: datetime) -> "Delivery":
        """The mail server refused for good."""
        return replace(self, state=State.FAILED, reply=reply, finished_at=now)

    def postponed(self, reply: str, now: datetime, *, unknown: bool = False) -> "Delivery":
        """The mail server refused for now, or did not answer; after the last pause it has failed."""
        later = replace(self, reply=reply, unknown=self.unknown + unknown)
        if self.attempts > len(PAUSES):
            return replace(later, state=State.FAILED, finished_at=now)
        return replace(later, state=State.QUEUED, due_at=now + PAUSES[self.attempts - 1])

    def unreached(self, reply: str, now: datetime) -> "Delivery":
        """The mail server could not be reached: that was no attempt, and there is no last one."""
        return replace(self, state=State.QUEUED, reply=reply, attempts=self.attempts - 1, due_at=now + UNREACHED_PAUSE)

    def again(self, to: str, now: datetime) -> "Delivery":
        """Staff mended what was wrong; it is sent once more, under the same Message-ID."""
        if self.state is not State.FAILED:
            raise NotFailed(f"email {self.id} to {self.office} is {self.state}, only a failed one is sent again")
        return replace(self, to=to, state=State.QUEUED, due_at=now, attempts=0, finished_at=None)


def delivery(
    email: Email, text: Text, contact: Contact, *, event_id: str, event_type: str, domain: str, now: datetime
) -> Delivery:
    """The one delivery of this email about this event to this contact, always with the same id and Message-ID."""
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
