"""Each event that notifications reacts to, delivered to its subscriber."""

from collections import Counter
from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime

import msgspec
import pytest

from services.notifications.domain.contacts import Contact, Office
from services.notifications.domain.deliveries import Delivery
from services.notifications.domain.members import Member
from services.notifications.emails import emails_about
from services.notifications.records import Records
from services.notifications.subscribers import subscribers
from services.notifications.templates import composer
from services.notifications.use_cases import Postroom
from shared.events.membership.municipalities import MunicipalityRenamed
from shared.inbox.reactions import Reactions
from shared.kernel.cause import Cause
from shared.kernel.cloudevents import Envelope
from shared.kernel.event import Event
from shared.kernel.ids import new_id, new_trace
from shared.store.locks import SharedQuery
from tests.delivering import Deliver, delivering
from tests.membership.alliance.memory import Kept, Memory, run
from tests.notifications.examples import EVENTS, JOINED, LEFT, NEIGHBOURS

NOW = datetime(2023, 1, 27, 10, 30, tzinfo=UTC)
RENAMED = MunicipalityRenamed(
    ags=JOINED.ags,
    name="Rothenburg",
    police_directorate=JOINED.police_directorate,
    former_name=JOINED.name,
    valid_from=date(2023, 1, 1),
)
EXAMPLES = {type(event): event for event in [*EVENTS, RENAMED]}
"""An event of each type."""


async def everybody(offices: Collection[Office]) -> dict[Office, list[Contact]]:
    """A contact for every office."""
    return {
        (role, area): [Contact(id=f"{role} {area}", office="Amt", email="amt@asskomm.example", role=role, area=area)]
        for role, area in offices
    }


class House:
    """Notifications in a district of three members, whose emails stay in the house."""

    def __init__(self) -> None:
        self.memory = Memory(lambda _: None)
        self.records = Records(
            contacts=Kept(self.memory, "contacts", Contact),
            members=Kept(self.memory, "members", Member, key="ags"),
            deliveries=Kept(self.memory, "deliveries", Delivery),
            offices=SharedQuery(everybody),
        )
        self.sent: list[Delivery] = []
        for member in NEIGHBOURS:
            run(self.records.members.add(member, [], Cause(actor="", at=NOW, id="", trace="")))

    def claim(self, delivery: Delivery) -> Delivery:
        return delivery

    def send(self, delivery: Delivery) -> None:
        self.sent.append(delivery)

    @property
    def reactions(self) -> Reactions:
        return subscribers(Postroom(self.records, composer("https://asskomm.example", "a@asskomm.example"), self))

    @property
    def rothenburg(self) -> Member:
        return run(self.records.members.get(JOINED.ags))

    def delivering(self) -> AbstractAsyncContextManager[Deliver]:
        return delivering("notifications", self.reactions, self.memory, lambda: NOW)

    async def receives(self, *events: Envelope) -> None:
        async with self.delivering() as deliver:
            for event in events:
                await deliver(event)


def delivered(event: Event, *, history: bool = False) -> Envelope:
    """An event on its way."""
    return Envelope(
        id=new_id(), publisher="membership", type=event.type, subject="14626480", time=NOW, version=1, actor="lpr",
        cause="request", trace=new_trace(), history=history, body=msgspec.json.encode(event),
    )  # fmt: skip


@pytest.mark.parametrize("event", EXAMPLES.values(), ids=lambda event: event.type)
async def test_each_event_has_its_cause_and_one_effect_however_often_it_comes(event: Event) -> None:
    house, message = House(), delivered(event)
    emails = [] if event is RENAMED else emails_about(event, NEIGHBOURS)
    async with house.delivering() as deliver:
        await deliver(message)
        sent, stored = [*house.sent], deepcopy(house.memory.documents)
        await deliver(message)
    assert Counter(delivery.template for delivery in sent) == Counter(email.template for email in emails)
    assert {(delivery.event_id, delivery.created_at) for delivery in sent} == ({(message.id, NOW)} if emails else set())
    assert (house.sent, house.memory.documents) == (sent, stored)


async def test_nobody_is_emailed_about_history() -> None:
    house = House()
    await house.receives(*(delivered(event, history=True) for event in EXAMPLES.values()))
    assert house.sent == []


async def test_a_new_name_is_remembered() -> None:
    house = House()
    await house.receives(delivered(RENAMED))
    assert house.rothenburg.name == "Rothenburg"


async def test_a_new_agreement_of_a_member_is_remembered() -> None:
    house = House()
    await house.receives(delivered(replace(JOINED, agreement_id="KV-2026-8RY5N3", joined_on=date(2026, 1, 1))))
    assert house.rothenburg.agreement_id == "KV-2026-8RY5N3"


async def test_the_last_day_of_a_member_is_remembered() -> None:
    house = House()
    await house.receives(delivered(LEFT))
    assert house.rothenburg.left_on == LEFT.left_on


def test_every_reaction_is_tested() -> None:
    assert EXAMPLES.keys() == House().reactions.functions.keys()
