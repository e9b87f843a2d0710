from collections.abc import Iterator

import pytest

from services.notifications.domain.deliveries import State
from services.notifications.mailer import CONNECTIONS
from tests.models.mail import EVENTS, Mailing
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


def states(mailing: Mailing) -> set[str]:
    return {one["state"] for one in mailing.mongo.all("deliveries")}


def tell_all(mailing: Mailing) -> None:
    """Six emails are stored, and the first of them are on their way."""
    for event in EVENTS:
        mailing.tell(event, 0)
    answer_all_but(mailing, "MAIL")


def test_emails_are_sent_while_others_are_recorded(mailing: Mailing) -> None:
    tell_all(mailing)
    answer_all_but(mailing, "write deliveries")
    assert len(mailing.mail_server.taken) == 2 * len(EVENTS) > CONNECTIONS
    assert states(mailing) == {State.SENDING}
    mailing.answer_all()
    assert states(mailing) == {State.SENT}


def test_what_was_taken_is_recorded_before_a_stop(mailing: Mailing) -> None:
    tell_all(mailing)
    answer_all_but(mailing, "write deliveries")
    mailing.wire.stop(mailing.processes[0])
    mailing.answer_all()
    assert states(mailing) == {State.SENT}


def test_while_mongodb_is_away_few_emails_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.notifications.mailer.UNRECORDED", 1)
    mailing = Mailing()
    try:
        tell_all(mailing)
        mailing.mongodb_goes_or_comes(away=True)
        for _ in range(5):
            mailing.wait(1.0)
            mailing.answer_all()
        assert len(mailing.mail_server.taken) == CONNECTIONS + 1 < 2 * len(EVENTS)
        mailing.mongodb_goes_or_comes(away=False)
        mailing.wait(1.0)
        mailing.answer_all()
        assert len(mailing.mail_server.taken) == 2 * len(EVENTS)
        assert states(mailing) == {State.SENT}
    finally:
        mailing.teardown()


def test_what_is_sent_stays_sent_when_somebody_late_has_had_no_luck(mailing: Mailing) -> None:
    mailing.mail_server_is(Mood.BUSY)
    mailing.tell("e1", 0)
    answer_all_but(mailing, "DATA")
    answer_all_but(mailing, "write deliveries")
    mailing.mail_server_is(Mood.WELL)
    mailing.stand_still(late=0)
    assert states(mailing) == {State.SENT}
    for _ in range(3):
        mailing.wait(0.02)
        mailing.answer_all()
    assert states(mailing) == {State.SENT}


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
