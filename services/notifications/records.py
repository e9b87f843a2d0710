"""All that notifications keeps."""

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from services.notifications.domain.contacts import Contact, Office
from services.notifications.domain.deliveries import Delivery
from services.notifications.domain.members import Member
from shared.runtime.service import Service
from shared.store.locks import KeyedLocks, SharedQuery
from shared.store.repository import Index, Repository

Contacts: TypeAlias = Repository[Contact]
Members: TypeAlias = Repository[Member]
Deliveries: TypeAlias = Repository[Delivery]


@dataclass(frozen=True)
class Records:
    """The repositories of notifications."""

    contacts: Contacts
    members: Members
    deliveries: Deliveries
    offices: SharedQuery[Office, list[Contact]]
    """The active contacts of offices; events that are processed at the same time share a query."""
    districts: KeyedLocks = field(default_factory=KeyedLocks)
    """Serialise events by district, so that municipalities that join together are informed of each other."""


def records(service: Service) -> Records:
    """The repositories of a service, with their indexes."""
    contacts = service.repository("contacts", Contact, indexes=[Index(("role", "area"))])
    return Records(
        contacts=contacts,
        members=service.repository("members", Member, key="ags", indexes=[Index(("district_key",))]),
        deliveries=service.repository(
            "deliveries", Delivery, indexes=[Index(("state", "due_at")), Index(("event_id",))], remembers=True
        ),
        offices=SharedQuery(partial(_active_contacts, contacts)),
    )


async def _active_contacts(contacts: Contacts, offices: Collection[Office]) -> dict[Office, list[Contact]]:
    """The active contacts of these offices, and possibly of others."""
    found: dict[Office, list[Contact]] = {}
    roles, areas = sorted({role for role, _ in offices}), sorted({area for _, area in offices})
    for contact in await contacts.all({"active": True, "role": {"$in": roles}, "area": {"$in": areas}}):
        found.setdefault((contact.role, contact.area), []).append(contact)
    return found
