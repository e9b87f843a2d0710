"""What notifications does: one function per reaction or command."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.notifications.domain import Contact, Delivery, Email, Member, Text, delivery
from services.notifications.emails import emails_about
from shared.cause import Cause
from shared.events import Event
from shared.events.membership import MemberJoined
from shared.repository import Repository, Step

Contacts = Repository[Contact]
Members = Repository[Member]
Deliveries = Repository[Delivery]


@dataclass(frozen=True)
class Mailroom:
    """All that it takes to tell somebody something."""

    contacts: Contacts
    members: Members
    deliveries: Deliveries
    render: Callable[[Email, str], Text]
    domain: str
    """The right side of every Message-ID."""
    claim: Callable[[Delivery], Delivery]
    """Makes a new delivery ours to send, if we can do so at once."""
    send: Callable[[Delivery], None]
    """Sends it, once it is stored."""


async def tell(mailroom: Mailroom, fact: Event, cause: Cause) -> None:
    """Tell of an event whoever is to be told, unless it is history."""
    if not cause.history:
        await _post(mailroom, await _deliveries(mailroom, fact, [], cause), cause)


async def welcome(mailroom: Mailroom, fact: MemberJoined, cause: Cause) -> None:
    """Remember a new member, and tell it and its neighbours, unless it is history."""
    member = Member(
        ags=fact.ags,
        name=fact.name,
        district_key=fact.district_key,
        agreement_id=fact.agreement_id,
        joined_on=fact.joined_on,
    )
    neighbours = await mailroom.members.all({"district_key": fact.district_key})
    deliveries = [] if cause.history else await _deliveries(mailroom, fact, neighbours, cause)
    await _post(mailroom, deliveries, cause, mailroom.members.putting(member))


async def send_again(deliveries: Deliveries, contacts: Contacts, id: str, cause: Cause) -> Delivery:
    """Send an email once more that had failed, to the address that the office has by now."""
    contact = await contacts.get((await deliveries.get(id)).contact_id)
    return await deliveries.change(id, lambda one: (one.again(contact.email, cause.at), []), cause)


async def keep_contact(contacts: Contacts, contact: Contact, cause: Cause) -> Contact:
    """Enter an office, or change what is known of it."""
    await contacts.store.commit(cause, contacts.putting(contact))
    return contact


async def _post(mailroom: Mailroom, deliveries: Sequence[Delivery], cause: Cause, *more: Step[Member]) -> None:
    """Store deliveries in one transaction with the mark that this event was told, and send what is ours to send."""
    steps = [mailroom.deliveries.adding(one) for one in deliveries]
    if await mailroom.deliveries.store.commit(cause, *steps, *more):
        for one in deliveries:
            mailroom.send(one)


async def _deliveries(mailroom: Mailroom, fact: Event, members: Sequence[Member], cause: Cause) -> list[Delivery]:
    """One delivery for each recipient of each email about this event."""
    emails = emails_about(fact, members)
    told = await mailroom.contacts.all(
        {
            "active": True,
            "role": {"$in": sorted({email.role for email in emails})},
            "area": {"$in": sorted({email.area for email in emails})},
        }
    )
    return [
        mailroom.claim(
            delivery(
                email,
                mailroom.render(email, contact.office),
                contact,
                event_id=cause.id,
                event_type=fact.type,
                domain=mailroom.domain,
                now=cause.at,
            )
        )
        for email in emails
        for contact in told
        if (contact.role, contact.area) == (email.role, email.area)
    ]
