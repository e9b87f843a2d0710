"""The mail: each delivery is sent, or says why not; twice only where nobody can know of the first time."""

import functools
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import aiosmtplib
from hypothesis import strategies as st
from hypothesis.stateful import rule
from pymongo.errors import PyMongoError

from services.notifications.domain.contacts import Contact, Office, Role
from services.notifications.domain.deliveries import PAUSES, Delivery, State, delivery
from services.notifications.domain.emails import Email, Text
from services.notifications.domain.members import Member
from services.notifications.mailer import Mailer
from services.notifications.records import Records
from services.notifications.settings import NotificationsSettings
from services.notifications.use_cases import Postroom, _post
from shared.kernel.clock import Clock
from shared.kernel.errors import Stale
from shared.store.locks import SharedQuery
from shared.store.repository import Repository
from shared.store.store import Store
from tests.models.driver import Connected
from tests.models.schedule import REPLICAS, Held, Schedule
from tests.models.smtp import MailServer, Mood, Sender

EVENTS = ("e1", "e2", "e3")


@dataclass(frozen=True, kw_only=True, slots=True)
class Timed(NotificationsSettings):
    """Settings with a clock that a test holds."""

    timepiece: Clock

    @property
    def clock(self) -> Clock:
        return self.timepiece


async def _nobody(_: object) -> dict[Office, list[Contact]]:
    return {}


def _compose(*_: object) -> Delivery:
    raise AssertionError("deliveries are made here")


class Mailing(Schedule):
    """Replicas that store deliveries, and send them."""

    pauses = (PAUSES[-1].total_seconds() + 1,)

    def __init__(self, mailer: type[Mailer] = Mailer, *, sent_is_final: bool = True) -> None:
        self._mailer, self._sent_is_final = mailer, sent_is_final
        self._postrooms: dict[int, Postroom] = {}
        self._sent: set[str] = set()
        super().__init__()
        sender = lambda **_: Sender(self.mail_server)  # noqa: E731 -- short
        self.instead.setattr(aiosmtplib, "SMTP", sender)

    @functools.cached_property
    def mail_server(self) -> MailServer:
        return MailServer(self.wire)

    def jobs(self, replica: int) -> list[Callable[[], Awaitable[None]]]:
        database = Connected(self.mongo)
        store = Store(database)
        deliveries = Repository(store, "deliveries", Delivery, remembers=True)
        settings = Timed(mongo_uri="", nats_url="", token_public_key="", timepiece=lambda: self.now)
        mailer = self._mailer(deliveries, settings, Held(database, lambda: replica in self.holders))
        kept = Records(
            contacts=Repository(store, "contacts", Contact),
            members=Repository(store, "members", Member, key="ags"),
            deliveries=deliveries,
            offices=SharedQuery(_nobody),
        )
        self._postrooms[replica] = Postroom(kept, _compose, mailer)
        return [mailer.run]

    @rule(event=st.sampled_from(EVENTS), replica=st.integers(0, REPLICAS - 1))
    def tell(self, event: str, replica: int) -> None:
        """News arrive; they come again, to any replica, as often as the schedule likes."""
        post = self._postrooms[replica]

        async def react() -> None:
            with suppress(Stale, PyMongoError):
                await _post(post, [self._delivery(post, event, office) for office in "xy"], self.cause(event))

        self.wire.start(self.processes[replica], react)

    def _delivery(self, post: Postroom, event: str, office: str) -> Delivery:
        contact = Contact(id=office, office=office, email=f"{office}@z.example", role=Role.MINISTRY, area="")
        email = Email(template="t", role=Role.MINISTRY, area="", data={})
        text = Text(subject="", plain="", html="")
        made = delivery(email, text, contact, event_id=event, event_type="", domain="asskomm.example", now=self.now)
        return post.outbound.claim(made)

    @rule(mood=st.sampled_from(Mood))
    def mail_server_is(self, mood: Mood) -> None:
        self.mail_server.mood = mood

    @rule(seconds=st.sampled_from([9.0, 11.0, 31.0]))
    def claim_lapses(self, seconds: float) -> None:
        self.wait(seconds)

    def check(self) -> None:
        copies = Counter(one.message_id for one in self.mail_server.taken)
        assert len(set(self.mail_server.offered)) == len({id for id, _ in self.mail_server.offered}), "the same bytes"
        for one in self.mongo.all("deliveries"):
            taken = copies.pop(one["message_id"], 0)
            assert (one["state"] != State.SENT) or taken, "what is sent was taken"
            in_flight = one["state"] == State.SENDING
            assert taken <= 1 + one["unknown"] + in_flight, "a second copy only where the first may not have arrived"
            assert one["_id"] not in self._sent or one["state"] == State.SENT, "what is sent stays sent"
            if self._sent_is_final and one["state"] == State.SENT:
                self._sent.add(one["_id"])
        assert not copies, "nothing is sent that is not stored"

    def heal(self) -> None:
        self.mail_server.mood = Mood.WELL
        super().heal()

    def check_healed(self) -> None:
        copies = Counter(one.message_id for one in self.mail_server.taken)
        for one in self.mongo.all("deliveries"):
            assert one["state"] in {State.SENT, State.FAILED}, "it comes to an end"
            assert one["state"] == State.SENT or not copies[one["message_id"]] or one["unknown"], (
                "what was taken is sent"
            )
            assert copies[one["message_id"]] <= 1 + one["unknown"], "each second copy is accounted for"
