"""Refusals: to whom, and in which words."""

from datetime import datetime
from typing import Any

import httpx
import pytest

from operations.demo.accessions import DAY, LPR, MINISTRY, Staff, Town, signature
from operations.demo.story import MAYOR, MAYOR_OF_GOERLITZ, POLICE
from operations.running.local import System
from shared.kernel.clock import berlin_day
from shared.web.rights import Actor, Role, actor

TOWN = Town("14627040", "PD Dresden")
MEMBER = "14626110"


@pytest.fixture
async def office(system: System, http: httpx.AsyncClient) -> Staff:
    return Staff(http, system.settings.token_private_key)


@pytest.fixture(scope="module")
async def ready(system: System, http: httpx.AsyncClient) -> str:
    """An agreement of TOWN that has been ready since 27 January 2023."""
    return await Staff(http, system.settings.token_private_key).ready_agreement(TOWN)


def refused(answer: httpx.Response, status: int, code: str, *words: str) -> None:
    """Check that the answer is a problem+json with this status and code, and these words in its message."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code), problem
    assert problem["type"] == f"urn:asskomm:problem:{code}"
    for word in words:
        assert word in problem["detail"], problem["detail"]


async def test_a_consultation_of_an_unknown_municipality_is_not_found(office: Staff) -> None:
    answer = await office.post(LPR, "/membership/v1/municipalities/14999999/consultations", held_on="2023-01-20")
    refused(answer, 404, "not_found", "14999999")


async def test_an_agreement_with_an_unknown_municipality_is_not_found(office: Staff) -> None:
    refused(
        await office.post(LPR, "/membership/v1/agreements", municipalities=["14999999"]), 404, "not_found", "14999999"
    )


async def test_private_data_in_free_text_is_refused_by_its_field(office: Staff) -> None:
    path = f"/membership/v1/municipalities/{TOWN.ags}/consultations"
    answer = await office.post(LPR, path, held_on="2023-01-20", topics=["Graffiti", "Rückruf 0170-1234567"])
    refused(answer, 400, "private_data", "topics holds a telephone number (01…7)", "leave it out")


@pytest.mark.parametrize("day", ["9999-12-01", "0001-01-01"])
async def test_a_day_at_an_end_of_the_calendar_is_refused_by_its_field(office: Staff, day: str) -> None:
    path = "/membership/v1/agreements/any/notices"
    answer = await office.post(LPR, path, party="lpr", given_on=day)
    refused(answer, 400, "invalid", f"given_on is {day}", "from 1800-01-01 to 2999-12-31")


async def test_a_member_gets_no_second_agreement(office: Staff) -> None:
    answer = await office.post(LPR, "/membership/v1/agreements", municipalities=[MEMBER])
    refused(answer, 409, "agreement_exists", MEMBER, "in_force")


async def test_a_municipality_with_a_draft_gets_no_second_one(office: Staff, ready: str) -> None:
    answer = await office.post(LPR, "/membership/v1/agreements", municipalities=["14627020", TOWN.ags])
    refused(answer, 409, "agreement_exists", TOWN.ags, ready)


@pytest.mark.parametrize(
    ("change", "status", "code", "words"),
    [
        ({"signed_on": "2023-01-28"}, 409, "signature_in_future", ["2023-01-28", "2023-01-27"]),
        ({"signed_on": "2023-01-26"}, 409, "signature_before_readiness", ["2023-01-26", "2023-01-27"]),
        ({"signed_on": "yesterday"}, 400, "invalid_request", ["signed_on"]),
        ({"stage": "in_force"}, 400, "invalid_request", ["stage"]),
        ({"person": "A\r\nBcc: x"}, 400, "invalid_request", ["person"]),
        ({"person": ""}, 400, "invalid_request", ["person"]),
        ({"person": {"$gt": ""}}, 400, "invalid_request", ["person"]),
        ({"form": "fax"}, 400, "invalid_request", ["form"]),
    ],
)
async def test_a_signature_that_cannot_be_is_refused(
    office: Staff, ready: str, change: dict[str, Any], status: int, code: str, words: list[str]
) -> None:
    body = signature(f"municipality:{TOWN.ags}") | change
    answer = await office.post(TOWN.office, f"/membership/v1/agreements/{ready}/signatures", **body)
    refused(answer, status, code, *words)


async def test_a_draft_cannot_be_signed(office: Staff) -> None:
    drafted = (await office.post(LPR, "/membership/v1/agreements", municipalities=["14627030"])).json()
    town = Town("14627030", "PD Dresden")
    refused(
        await office.sign(town.office, drafted["id"], "municipality:14627030"),
        409,
        "agreement_not_ready",
        drafted["id"],
    )


async def test_nobody_signs_twice(office: Staff) -> None:
    town = Town("14627050", "PD Dresden")
    agreement = await office.ready_agreement(town)
    assert (await office.sign(LPR, agreement, "lpr")).status_code == 201
    refused(await office.sign(LPR, agreement, "lpr"), 409, "already_signed", agreement, "2023-01-27")


DRESDEN = actor("pd-dresden", Role.POLICE, "PD Dresden")
AUDITOR = actor("auditor", Role.AUDITOR)


@pytest.mark.parametrize(
    ("who", "party", "status", "code"),
    [
        (TOWN.office, "police_directorate:PD Dresden", 403, "not_allowed"),
        (TOWN.office, "lpr", 403, "not_allowed"),
        (DRESDEN, f"municipality:{TOWN.ags}", 403, "not_allowed"),
        (LPR, "ministry", 403, "not_allowed"),
        (MINISTRY, "lpr", 403, "not_allowed"),
        (AUDITOR, "lpr", 403, "not_allowed"),
        (MAYOR, f"municipality:{TOWN.ags}", 404, "not_found"),
        (MAYOR_OF_GOERLITZ, f"municipality:{TOWN.ags}", 404, "not_found"),
        (POLICE, "police_directorate:PD Görlitz", 404, "not_found"),
    ],
)
async def test_nobody_signs_for_another(
    office: Staff, ready: str, who: Actor, party: str, status: int, code: str
) -> None:
    refused(await office.sign(who, ready, party), status, code)


async def test_who_may_sign_but_is_no_party_is_told_so(office: Staff) -> None:
    answer = await office.post(
        LPR, "/membership/v1/agreements",
        municipalities=["14627070"], required_parties=["municipality", "police_directorate", "lpr"],
    )  # fmt: skip
    agreement = answer.json()["id"]
    await office.post(LPR, f"/membership/v1/agreements/{agreement}/readiness", ready_on="2023-01-27")
    refused(await office.sign(MINISTRY, agreement, "ministry"), 409, "not_a_party", "ministry", agreement)


@pytest.mark.parametrize("who", [MAYOR, POLICE, MINISTRY, AUDITOR])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"/membership/v1/municipalities/{TOWN.ags}/consultations", {"held_on": "2023-01-20"}),
        (f"/membership/v1/municipalities/{TOWN.ags}/cooperation", {"began_on": "2023-01-20"}),
        ("/membership/v1/agreements", {"municipalities": ["14627040"]}),
        ("/membership/v1/agreements/KV-2023-000000/readiness", {"ready_on": "2023-01-20"}),
        ("/notifications/v1/deliveries/none/attempts", {}),
    ],
)
async def test_only_the_lpr_records(office: Staff, who: Actor, path: str, body: dict[str, Any]) -> None:
    refused(await office.post(who, path, **body), 403, "not_allowed", "lpr")


async def test_a_foreign_municipality_looks_like_one_that_does_not_exist(office: Staff) -> None:
    foreign = await office.get(MAYOR, "/membership/v1/municipalities/14627040")
    missing = await office.get(MAYOR, "/membership/v1/municipalities/14999999")
    refused(foreign, 404, "not_found")
    assert foreign.text.replace("14627040", "14999999") == missing.text


async def test_everybody_lists_only_what_is_theirs(office: Staff, ready: str) -> None:
    async def listed(who: Actor, what: str) -> set[str]:
        found = (await office.get(who, f"/membership/v1/{what}")).json()
        return {one.get("ags") or one["id"] for one in found["items"]}

    assert await listed(MAYOR, "municipalities") == {"14626480"}
    assert all(ags.startswith(("14625", "14626")) for ags in await listed(POLICE, "municipalities?limit=200"))
    assert await listed(TOWN.office, "agreements") == {ready}
    assert ready in await listed(AUDITOR, f"agreements?ags={TOWN.ags}")


async def test_one_key_for_two_requests_is_refused(office: Staff) -> None:
    path = f"/membership/v1/municipalities/{TOWN.ags}/consultations"
    first = await office.post(LPR, path, "one-key", held_on="2023-01-20")
    again = await office.post(LPR, path, "one-key", held_on="2023-01-20")
    other = await office.post(LPR, path, "one-key", held_on="2023-01-21")
    assert (first.status_code, again.status_code, first.text) == (201, 201, again.text)
    refused(other, 422, "idempotency_key_reused")


async def test_a_consultation_in_the_future_is_refused(office: Staff) -> None:
    answer = await office.post(LPR, f"/membership/v1/municipalities/{TOWN.ags}/consultations", held_on="2023-02-01")
    refused(answer, 409, "dated_in_future", "2023-02-01", "2023-01-27", TOWN.ags)


async def test_history_tells_who_when_and_why(office: Staff, ready: str) -> None:
    rows = (await office.get(TOWN.office, f"/membership/v1/agreements/{ready}/history")).json()["items"]
    assert [(row["type"], row["version"], row["actor"]) for row in rows] == [
        ("membership.agreement_drafted.v1", 1, LPR.subject),
        ("membership.agreement_ready.v1", 2, LPR.subject),
    ]
    assert all(row["cause"] and row["trace"] and berlin_day(datetime.fromisoformat(row["at"])) == DAY for row in rows)
    refused(await office.get(MAYOR, f"/membership/v1/agreements/{ready}/history"), 404, "not_found")
