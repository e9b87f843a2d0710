"""Members: a projection of membership's events for emails to neighbours."""

from dataclasses import replace
from datetime import date

from shared.events.membership.members import MemberJoined, MemberLeft
from shared.kernel.copying import copy_as
from shared.kernel.decision import Decision
from shared.kernel.value import value


@value
class Member:
    """A municipality that is or was a member."""

    ags: str
    name: str
    district_key: str
    agreement_id: str
    joined_on: date
    left_on: date | None = None
    """The last day of a membership that is over."""


def member_of(event: MemberJoined | MemberLeft) -> Member:
    """The member as this event alone describes it."""
    return copy_as(Member, event)


def update(member: Member, news: Member) -> Decision[Member]:
    """Take over newer knowledge; events may come late, but a membership ends for good."""
    if news.agreement_id == member.agreement_id:
        return (member if member.left_on else news), []
    return (news if news.joined_on > member.joined_on else member), []


def rename(member: Member, name: str) -> Decision[Member]:
    """Take over a new name; the events of one municipality come in their order."""
    return replace(member, name=name), []
