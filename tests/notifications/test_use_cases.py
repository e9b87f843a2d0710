import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date

import pytest

from operations.embedded.servers import EmbeddedServers
from operations.running.setup import set_up_database
from services.notifications.domain.contacts import Contact, Role
from services.notifications.domain.deliveries import Delivery
from services.notifications.emails.membership import EMAILS
from services.notifications.records import Records, records
from services.notifications.subscribers import subscribers
from services.notifications.templates import composer
from services.notifications.use_cases import Postroom, keep_contact, notify_of_member, rename
from shared.events.membership.members import MemberJoined, MemberLeft
from shared.events.membership.municipalities import MunicipalityRenamed
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from tests.notifications.examples import JOINED, LEFT
from tests.shared.kitchen import cause

ZITTAU_JOINED = replace(JOINED, ags="14626610", name="Zittau", agreement_id="KV-2021-000000")
RENAMED = MunicipalityRenamed(
    ags="14626610",
    name="Zittau/Žitawa",
    police_directorate="PD Görlitz",
    former_name="Zittau",
    valid_from=date(2023, 1, 1),
)
JOINED_ANEW = replace(JOINED, agreement_id="KV-2026-8RY5N3", joined_on=date(2026, 1, 1))


@dataclass(frozen=True)
class Post:
    """A post room over the real MongoDB, whose emails stay in the house."""

    room: Postroom
    sent: list[Delivery]

    async def joined(self, event: MemberJoined, *, history: bool = False, once: str | None = None) -> list[str]:
        """Which templates are sent because of this accession."""
        before = len(self.sent)
        await notify_of_member(self.room, event, cause(once or f"event:{secrets.token_hex(6)}", history=history))
        return sorted(delivery.template for delivery in self.sent[before:])

    async def left(self, event: MemberLeft, *, history: bool = False, once: str | None = None) -> list[str]:
        """Which templates are sent because a member left."""
        before = len(self.sent)
        await notify_of_member(self.room, event, cause(once or f"event:{secrets.token_hex(6)}", history=history))
        return sorted(delivery.template for delivery in self.sent[before:])


class Drawer:
    """Where emails end up that are never sent."""

    def __init__(self) -> None:
        self.sent: list[Delivery] = []

    def claim(self, delivery: Delivery) -> Delivery:
        return delivery

    def send(self, delivery: Delivery) -> None:
        self.sent.append(delivery)


@pytest.fixture(scope="module")
async def kept(servers: EmbeddedServers) -> AsyncIterator[Records]:
    settings = Settings(mongo_uri=servers.mongo_uri, nats_url=servers.nats_url, token_public_key="")
    service = Service(f"postroom_{secrets.token_hex(6)}", settings)
    kept = records(service)
    await set_up_database(service)
    service.database.open()
    for area in ("14626480", "14626610"):
        office = Contact(id=area, office="Rathaus", email=f"rathaus@{area}.example", role=Role.MUNICIPALITY, area=area)
        await keep_contact(kept.contacts, office, cause())
    yield kept
    await service.database.client.drop_database(service.name)
    await service.database.close()


@pytest.fixture
async def post(kept: Records) -> Post:
    """No municipality is a member yet."""
    await kept.members.store.database["members"].delete_many({})
    drawer = Drawer()
    return Post(Postroom(kept, composer("https://asskomm.example", "post@asskomm.example"), drawer), drawer.sent)


async def test_who_left_is_no_neighbour_any_more(post: Post) -> None:
    await post.joined(ZITTAU_JOINED, history=True)
    await post.left(replace(LEFT, ags="14626610", agreement_id="KV-2021-000000"))
    assert await post.joined(JOINED) == ["member_welcome"]


async def test_the_neighbours_hear_who_left(post: Post) -> None:
    await post.joined(ZITTAU_JOINED, history=True)
    await post.joined(JOINED, history=True)
    assert await post.left(LEFT) == ["member_farewell", "neighbour_left"]


async def test_who_left_before_its_neighbour_does_is_not_emailed(post: Post) -> None:
    await post.joined(ZITTAU_JOINED, history=True)
    await post.joined(JOINED, history=True)
    await post.left(replace(LEFT, ags="14626610", agreement_id="KV-2021-000000"), history=True)
    assert await post.left(LEFT) == ["member_farewell"]


async def test_news_that_comes_twice_is_emailed_once(post: Post) -> None:
    assert await post.joined(JOINED, once="event:joined") == ["member_welcome"]
    assert await post.left(LEFT, once="event:left") == ["member_farewell"]
    assert await post.joined(JOINED, once="event:joined") == []
    assert await post.left(LEFT, once="event:left") == []
    assert (await post.room.records.members.get("14626480")).left_on == LEFT.left_on


async def test_history_is_remembered_and_emailed_to_nobody(post: Post) -> None:
    assert await post.joined(ZITTAU_JOINED, history=True) == []
    assert await post.joined(JOINED, history=True) == []
    assert await post.left(LEFT, history=True) == []
    assert await post.joined(JOINED_ANEW) == ["member_welcome", "new_neighbour"]


async def test_late_news_of_leaving_does_not_remove_who_has_joined_anew_and_is_emailed_to_nobody(post: Post) -> None:
    await post.joined(ZITTAU_JOINED, history=True)
    await post.joined(JOINED)
    assert await post.joined(JOINED_ANEW) == ["member_welcome", "new_neighbour"]
    assert await post.left(LEFT) == []
    assert (await post.room.records.members.get("14626480")).agreement_id == JOINED_ANEW.agreement_id
    assert await post.joined(replace(ZITTAU_JOINED, agreement_id="KV-2027-1", joined_on=date(2027, 1, 1))) == [
        "member_welcome",
        "new_neighbour",
    ]


async def test_a_member_is_called_by_its_new_name(post: Post) -> None:
    await post.joined(ZITTAU_JOINED, history=True)
    await rename(post.room.records.members, RENAMED, cause())
    await post.joined(JOINED)
    (welcomed,) = (delivery for delivery in post.sent if delivery.template == "member_welcome")
    assert "Zittau/Žitawa" in welcomed.text.plain


async def test_a_new_name_that_comes_twice_is_taken_over_once(post: Post) -> None:
    await post.joined(ZITTAU_JOINED, history=True)
    await rename(post.room.records.members, RENAMED, cause("event:renamed"))
    later = replace(RENAMED, name="Zittau an der Mandau", former_name="Zittau/Žitawa")
    await rename(post.room.records.members, later, cause("event:renamed-again"))
    await rename(post.room.records.members, RENAMED, cause("event:renamed"))
    assert (await post.room.records.members.get("14626610")).name == "Zittau an der Mandau"


async def test_the_new_name_of_who_never_was_a_member_is_not_remembered(post: Post) -> None:
    await rename(post.room.records.members, RENAMED, cause())
    assert await post.room.records.members.all({}) == []


async def test_every_event_in_the_table_has_a_reaction(post: Post) -> None:
    assert set(subscribers(post.room).functions) == {*EMAILS, MunicipalityRenamed}
