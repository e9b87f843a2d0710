"""What notifications does: one function per reaction or command."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date

from services.notifications.domain import Contact, Delivery, Email, Member, Role, Text, delivery
from services.notifications.emails import emails_about
from shared.events.membership.members import MemberJoined, MemberLeft
from shared.events.membership.municipalities import MunicipalityRenamed
from shared.kernel.cause import Cause
from shared.kernel.event import Event
from shared.store.repository import Repository, Step
from shared.store.turns import Gathered, Turns

Contacts = Repository[Contact]
Members = Repository[Member]
Deliveries = Repository[Delivery]
Office = tuple[Role, str]
"""Role and area."""


@dataclass(frozen=True)
class Mailroom:
    """All that it takes to tell somebody something."""

    offices: Gathered[Office, list[Contact]]
    members: Members
    deliveries: Deliveries
    render: Callable[[Email, str], Text]
    domain: str
    """The right side of every Message-ID."""
    claim: Callable[[Delivery], Delivery]
    """Makes a new delivery ours to send, if we can do so at once."""
    send: Callable[[Delivery], None]
    """Sends it, once it is stored."""
    districts: Turns = field(default_factory=Turns)
    """Those who join and leave in one district are told of each other."""


async def active_contacts(contacts: Contacts, offices: Collection[Office]) -> dict[Office, list[Contact]]:
    """Whom to write to at these offices, and maybe at others."""
    found: dict[Office, list[Contact]] = {}
    roles, areas = sorted({role for role, _ in offices}), sorted({area for _, area in offices})
    for contact in await contacts.all({"active": True, "role": {"$in": roles}, "area": {"$in": areas}}):
        found.setdefault((contact.role, contact.area), []).append(contact)
    return found


async def tell(mailroom: Mailroom, fact: Event, cause: Cause) -> None:
    """Tell of an event whoever is to be told, unless it is history."""
    if not cause.history:
        await _post(mailroom, await _deliveries(mailroom, fact, [], cause), cause)


async def welcome(mailroom: Mailroom, fact: MemberJoined, cause: Cause) -> None:
    """Remember a new member, and tell it and its neighbours, unless it is history."""
    await _tell_of_member(mailroom, fact, None, cause)


async def farewell(mailroom: Mailroom, fact: MemberLeft, cause: Cause) -> None:
    """Remember that a member has left, and tell it and its neighbours, unless it is history."""
    await _tell_of_member(mailroom, fact, fact.left_on, cause)


async def rename(members: Members, fact: MunicipalityRenamed, cause: Cause) -> None:
    """Call a member by its new name from now on; who never was one is not known here."""
    known = await members.ids({"_id": fact.ags})
    await members.store.commit(
        cause, *(members.changing(ags, lambda member: (member.renamed(fact.name), [])) for ags in known)
    )


async def send_again(deliveries: Deliveries, contacts: Contacts, id: str, cause: Cause) -> Delivery:
    """Send an email once more that had failed, to the address that the office has by now."""
    contact = await contacts.get((await deliveries.get(id)).contact_id)
    return await deliveries.change(id, lambda one: (one.again(contact.email, cause.at), []), cause)


async def keep_contact(contacts: Contacts, contact: Contact, cause: Cause) -> Contact:
    """Enter an office, or change what is known of it."""
    await contacts.store.commit(cause, contacts.putting(contact))
    return contact


async def _tell_of_member(
    mailroom: Mailroom, fact: MemberJoined | MemberLeft, left_on: date | None, cause: Cause
) -> None:
    """Nobody is told what holds no longer: the news that a member left may come after it has joined anew."""
    news = Member(
        ags=fact.ags,
        name=fact.name,
        district_key=fact.district_key,
        agreement_id=fact.agreement_id,
        joined_on=fact.joined_on,
        left_on=left_on,
    )
    async with mailroom.districts.of(fact.district_key):
        known = await mailroom.members.all({"district_key": fact.district_key})
        holds = all(one.after(news) == news for one in known if one.ags == fact.ags)
        members = [one for one in known if one.left_on is None]
        deliveries = await _deliveries(mailroom, fact, members, cause) if holds and not cause.history else []
        remembering = Step(mailroom.members, fact.ags, lambda member: (member.after(news), []), new=news)
        await _post(mailroom, deliveries, cause, remembering)


async def _post(mailroom: Mailroom, deliveries: Sequence[Delivery], cause: Cause, *more: Step[Member]) -> None:
    """Store deliveries in one transaction with the mark that this event was told, and send what is ours to send."""
    steps = [mailroom.deliveries.adding(one) for one in deliveries]
    if await mailroom.deliveries.store.commit(cause, *steps, *more):
        for one in deliveries:
            mailroom.send(one)


async def _deliveries(mailroom: Mailroom, fact: Event, members: Sequence[Member], cause: Cause) -> list[Delivery]:
    """One delivery for each recipient of each email about this event."""
    emails = emails_about(fact, members)
    told = await mailroom.offices.get({(email.role, email.area) for email in emails})
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
        for contact in told.get((email.role, email.area), ())
    ]
