from dataclasses import replace
from datetime import timedelta

import pytest

from services.notifications.domain.deliveries import (
    PAUSES,
    NotFailed,
    State,
    accepted,
    claim,
    postponed,
    refused,
    retry,
    settle,
    unreached,
)
from tests.notifications.deliveries import DELIVERY, NOW


def test_pauses_grow_and_the_last_attempt_fails() -> None:
    assert list(PAUSES) == sorted(PAUSES)
    assert timedelta(days=2) < sum(PAUSES, timedelta()) < timedelta(days=4)
    last = replace(DELIVERY, state=State.SENDING, attempts=len(PAUSES) + 1)
    assert postponed(last, "451 later", NOW).state is State.FAILED
    assert postponed(replace(last, attempts=len(PAUSES)), "451 later", NOW).state is State.QUEUED


def test_what_is_not_due_is_not_claimed() -> None:
    claimed = claim(DELIVERY, NOW, timedelta(seconds=20), "claim")[0]
    assert (claimed.state, claimed.attempts) == (State.SENDING, 1)
    assert claim(claimed, NOW + timedelta(seconds=19), timedelta(seconds=20), "claim")[0] is claimed


def test_what_was_left_behind_counts_as_unknown() -> None:
    claimed = claim(DELIVERY, NOW, timedelta(seconds=20), "claim")[0]
    again = claim(claimed, NOW + timedelta(seconds=20), timedelta(seconds=20), "claim")[0]
    assert (again.attempts, again.unknown) == (2, 1)


def test_a_server_that_is_not_reached_costs_no_attempt() -> None:
    claimed = claim(DELIVERY, NOW, timedelta(seconds=20), "claim")[0]
    assert unreached(claimed, "no connection", NOW).attempts == 0


def test_an_attempt_that_was_left_behind_and_made_again_tells_nothing() -> None:
    again = replace(DELIVERY, state=State.SENDING, attempts=2, claim="later")
    assert settle(again, "earlier", lambda attempt: postponed(attempt, "451 later", NOW))[0] is again
    assert settle(again, "later", lambda attempt: postponed(attempt, "451 later", NOW))[0].state is State.QUEUED


def test_an_email_that_was_taken_is_sent_whoever_sent_it() -> None:
    again = replace(DELIVERY, state=State.SENDING, attempts=2, claim="later")
    sent = settle(again, "earlier", lambda attempt: accepted(attempt, "250 ok", NOW))[0]
    assert sent.state is State.SENT
    assert settle(sent, "later", lambda attempt: refused(attempt, "550 no", NOW))[0] is sent


def test_only_a_failed_email_is_sent_again() -> None:
    with pytest.raises(NotFailed, match="queued"):
        retry(DELIVERY, DELIVERY.to, NOW)
