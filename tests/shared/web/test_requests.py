"""What the running system answers to those who change something."""

import pytest

from operations.demo.accessions import LPR
from shared.kernel.ids import new_id, new_trace
from tests.shared.web.client import TOWN, Client


async def test_who_refers_to_what_is_stored_may_change_it(lpr: Client) -> None:
    seen = (await lpr.get(TOWN)).headers["etag"]
    assert (await lpr.choose("graffiti", "seniors", If_Match=seen)).status_code == 200


async def test_who_refers_to_an_older_version_is_refused(lpr: Client) -> None:
    await lpr.choose("graffiti")
    seen = (await lpr.get(TOWN)).headers["etag"]
    await lpr.choose("drugs")
    refused = await lpr.choose("violence", If_Match=seen)
    assert (refused.status_code, refused.json()["code"]) == (412, "stale")
    assert (await lpr.get(TOWN)).json()["action_fields"] == ["drugs"]


async def test_the_version_changes_with_the_state_and_only_with_it(lpr: Client) -> None:
    await lpr.choose("traffic")
    first = (await lpr.get(TOWN)).headers["etag"]
    await lpr.choose("traffic")
    same = (await lpr.get(TOWN)).headers["etag"]
    await lpr.choose("burglary")
    other = (await lpr.get(TOWN)).headers["etag"]
    assert (first == same, first == other) == (True, False)


async def test_the_same_request_under_one_key_has_one_effect_and_one_answer(lpr: Client) -> None:
    key = new_id()
    first = await lpr.choose("youth", Idempotency_Key=key)
    await lpr.choose("other")
    again = await lpr.choose("youth", Idempotency_Key=key)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert (await lpr.get(TOWN)).json()["action_fields"] == ["other"]


async def test_another_request_under_the_same_key_is_refused(lpr: Client) -> None:
    key = new_id()
    await lpr.choose("youth", Idempotency_Key=key)
    refused = await lpr.choose("drugs", Idempotency_Key=key)
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")


async def test_the_trace_of_a_request_is_kept_with_what_follows_from_it(lpr: Client) -> None:
    trace = new_trace()
    await lpr.choose("graffiti")
    answer = await lpr.choose("littering", traceparent=trace)
    row = (await lpr.get(f"{TOWN}/history")).json()["items"][-1]
    assert (row["data"]["action_fields"], row["trace"], row["actor"]) == (["littering"], trace, LPR.subject)
    assert answer.headers["traceparent"] == trace


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize("given", ["", "nonsense", "00-" + "0" * 32, f"{TRACE}\tx", "ff" + TRACE[2:]])
async def test_a_trace_that_is_none_is_replaced(lpr: Client, given: str) -> None:
    assert (await lpr.choose("drugs", traceparent=given)).headers["traceparent"] != given
