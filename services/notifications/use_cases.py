"""Use cases of notifications: one function per reaction or command."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeAlias

from services.notifications.domain import deliveries, members
from services.notifications.domain.contacts import Contact
from services.notifications.domain.deliveries import Delivery
from services.notifications.domain.emails import Email
from services.notifications.domain.members import Member, member_of
from services.notifications.emails import emails_about
from services.notifications.records import Contacts, Deliveries, Members, Records
from shared.events.membership.members import MemberJoined, MemberLeft
from shared.events.membership.municipalities import MunicipalityRenamed
from shared.kernel.cause import Cause
from shared.kernel.event import Event
from shared.store.unit_of_work import Change

Compose: TypeAlias = Callable[[Email, Contact, Event, Cause], Delivery]
"""Renders an email to a contact."""


class Outbound(Protocol):
    """Sends deliveries in the background; the mailer does."""

    def claim(self, delivery: Delivery) -> Delivery:
        """Claim a new delivery before it is stored, if it can be sent at once."""

    def send(self, delivery: Delivery) -> None:
        """Send a delivery that has been stored, if it was claimed."""


@dataclass(frozen=True)
class Postroom:
    """The collaborators for sending emails: records, templates and a mailer."""

    records: Records
    compose: Compose
    outbound: Outbound


async def notify(post: Postroom, event: Event, cause: Cause) -> None:
    """Email the offices concerned about an event, unless it is history."""
    composed = [] if cause.history else await _compose(post, event, [], cause)
    await _post(post, composed, cause)


async def notify_of_member(post: Postroom, event: MemberJoined | MemberLeft, cause: Cause) -> None:
    """Remember that a member joined or left; email it and its neighbours, unless it is history.

    Outdated events send no emails: the event that a member left may arrive after it has rejoined.
    """
    news, kept = member_of(event), post.records.members
    async with post.records.districts.of(event.district_key):
        known = await kept.all({"district_key": event.district_key})
        holds = all(members.update(member, news)[0] == news for member in known if member.ags == event.ags)
        current = [member for member in known if member.left_on is None]
        composed = await _compose(post, event, current, cause) if holds and not cause.history else []
        await _post(post, composed, cause, kept.changing(event.ags, partial(members.update, news=news), new=news))


async def rename(kept: Members, event: MunicipalityRenamed, cause: Cause) -> None:
    """Call a member by its new name; municipalities that never were members are not known here."""
    known = await kept.ids({"_id": event.ags})
    await kept.store.commit(cause, *(kept.changing(ags, partial(members.rename, name=event.name)) for ags in known))


async def retry_delivery(kept: Deliveries, contacts: Contacts, id: str, cause: Cause) -> Delivery:
    """Send a failed email again, to the address that the office has by now."""
    contact = await contacts.get((await kept.get(id)).contact_id)
    return await kept.change(id, lambda delivery: deliveries.retry(delivery, contact.email, cause.at), cause)


async def keep_contact(contacts: Contacts, contact: Contact, cause: Cause) -> Contact:
    """Enter an office, or change it."""
    await contacts.store.commit(cause, contacts.putting(contact))
    return contact


async def _compose(post: Postroom, event: Event, neighbours: Sequence[Member], cause: Cause) -> list[Delivery]:
    """One delivery for each recipient of each email about an event."""
    emails = emails_about(event, neighbours)
    contacts = await post.records.offices.get({(email.role, email.area) for email in emails})
    return [
        post.outbound.claim(post.compose(email, contact, event, cause))
        for email in emails
        for contact in contacts.get((email.role, email.area), ())
    ]


async def _post(post: Postroom, composed: Sequence[Delivery], cause: Cause, *more: Change[Member]) -> None:
    """Store deliveries in one transaction with the cause, then send those that were claimed."""
    kept = post.records.deliveries
    if await kept.store.commit(cause, *map(kept.adding, composed), *more):
        for delivery in composed:
            post.outbound.send(delivery)
