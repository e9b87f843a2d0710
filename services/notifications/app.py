"""Puts notifications together."""

from functools import partial

from litestar import Litestar

from services.notifications.api import routes
from services.notifications.domain import Contact, Delivery, Member
from services.notifications.mailer import Mailer
from services.notifications.subscribers import subscribers
from services.notifications.templates import renderer
from services.notifications.use_cases import Mailroom, active_contacts
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.store.repository import Index
from shared.store.turns import Gathered


def create_app(settings: Settings) -> Litestar:
    """The service, which lives as long as its HTTP API does."""
    service = Service("notifications", settings)
    contacts = service.repository("contacts", Contact, indexes=[Index(("role", "area"))])
    members = service.repository("members", Member, key="ags", indexes=[Index(("district_key",))])
    indexes = [Index(("state", "due_at")), Index(("event_id",))]
    deliveries = service.repository("deliveries", Delivery, indexes=indexes, remembers=True)
    mailer = Mailer(deliveries, settings, service.lease)
    mailroom = Mailroom(
        offices=Gathered(partial(active_contacts, contacts)),
        members=members,
        deliveries=deliveries,
        render=renderer(settings.public_url),
        domain=settings.mail_from.rpartition("@")[2],
        claim=mailer.claim,
        send=mailer.send,
    )
    service.subscribe(subscribers(mailroom))
    service.in_background(mailer.run)
    return service.application(routes(contacts, deliveries, service.clock))
