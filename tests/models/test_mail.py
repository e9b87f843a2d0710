from collections.abc import Iterator

import pytest

from services.notifications.domain import State
from tests.models.mail import Mailing
from tests.models.schedule import STANDSTILL_SECONDS, patient, settings
from tests.models.smtp import Mood

TestMailing = patient(Mailing.TestCase)
TestMailing.settings = settings(40)


@pytest.fixture
def mailing() -> Iterator[Mailing]:
    made = Mailing()
    made.answer_all()
    yield made
    made.sound = False
    made.teardown()


def answer_all_but(mailing: Mailing, held_back: str) -> None:
    """Answer all requests but those of one name."""
    while any(map(mailing.wire.answer, [one for one in mailing.wire.requests if one.name != held_back])):
        pass


def test_what_is_sent_stays_sent_when_somebody_late_has_had_no_luck(mailing: Mailing) -> None:
    mailing.mail_server_is(Mood.BUSY)
    mailing.tell("e1", 0)
    answer_all_but(mailing, "DATA")
    answer_all_but(mailing, "write deliveries")
    mailing.mail_server_is(Mood.WELL)
    mailing.stand_still(late=0)
    assert {one["state"] for one in mailing.mongo.all("deliveries")} == {State.SENT}
    for _ in range(3):
        mailing.wait(0.02)
        mailing.answer_all()
    assert {one["state"] for one in mailing.mongo.all("deliveries")} == {State.SENT}


def test_two_who_claim_in_the_same_millisecond_send_once(mailing: Mailing) -> None:
    for process in mailing.processes:
        process.clock_ahead = 0.0
    mailing.mail_server_is(Mood.CLOSED)
    mailing.tell("e1", 0)
    mailing.answer_all()
    mailing.mail_server_is(Mood.WELL)
    mailing.lease_is_taken({0, 1})
    mailing.wait(STANDSTILL_SECONDS)
    mailing.answer_all()
    for _ in range(3):
        mailing.wait(0.02)
        mailing.answer_all()
    assert len(mailing.mail_server.taken) == len(mailing.mongo.all("deliveries"))
