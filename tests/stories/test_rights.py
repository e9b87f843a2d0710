"""Rights: every route of membership, asked by everybody."""

from typing import Any

import pytest
from litestar.routes import HTTPRoute

from operations.demo.accessions import DAY, LPR, MINISTRY, Staff, Town, accepted, signature
from operations.demo.story import MAYOR_OF_GOERLITZ
from operations.demo.story import POLICE as POLICE_OF_GOERLITZ
from operations.running.local import System
from operations.services import SERVICES
from shared.web.rights import Actor, Role, actor

TOWN = Town("14627270", "PD Dresden")
AUDITOR = actor("rechnungshof", Role.AUDITOR)
EVERYBODY = {
    "its municipality": TOWN.office,
    "its police": TOWN.police,
    "the ministry": MINISTRY,
    "an auditor": AUDITOR,
    "its municipality and another police": Actor(subject="zwei", grants=TOWN.office.grants | POLICE_OF_GOERLITZ.grants),
    "another municipality": MAYOR_OF_GOERLITZ,
    "another police": POLICE_OF_GOERLITZ,
    "another municipality and its police": Actor(
        subject="zwei andere", grants=MAYOR_OF_GOERLITZ.grants | POLICE_OF_GOERLITZ.grants
    ),
    "a council": actor("praeventionsrat", Role.COUNCIL, "KPR-2023-7QX4M2"),
}
"""Those who ask, besides the LPR."""

FOREIGN = {"another municipality", "another police", "another municipality and its police", "a council"}
SEEING = EVERYBODY.keys() - FOREIGN
ALL = EVERYBODY.keys()
NOBODY: set[str] = set()
OWN = {"its municipality", "its municipality and another police"}

TODAY = str(DAY)
M, A, S = "/municipalities/{ags:str}", "/agreements/{id:str}", "/security-analyses/{id:str}"
BY_LPR = signature("lpr")

READING = {
    "/alliance": ALL,
    "/alliance/steps": ALL,
    "/board": ALL,
    "/municipalities": ALL,
    "/municipalities.csv": ALL,
    "/municipalities.geojson": ALL,
    "/agreements": ALL,
    "/security-analyses": ALL,
    "/templates": ALL,
    "/templates/{id:str}": ALL,
    "/certificate-keys": ALL,
    M: SEEING,
    f"{M}/history": SEEING,
    f"{M}/journey": SEEING,
    f"{M}/offices": SEEING,
    A: SEEING,
    f"{A}/history": SEEING,
    f"{A}/document": SEEING,
    f"{A}/certificate": SEEING,
    f"{A}/certificate/document": SEEING,
    S: SEEING,
}
"""Those who may read each route; lists are for all, and show each what is theirs."""

WRITING: dict[str, tuple[set[str], dict[str, Any]]] = {
    f"POST {M}/interests": (OWN, {"shown_on": TODAY}),
    f"POST {M}/consultations": (NOBODY, {"held_on": TODAY}),
    f"POST {M}/cooperation": (NOBODY, {"began_on": TODAY}),
    f"POST {M}/cooperation/end": (NOBODY, {"ended_on": TODAY}),
    f"POST {M}/dormancy": (NOBODY, {"since": TODAY}),
    f"POST {M}/dormancy/end": (NOBODY, {"resumed_on": TODAY}),
    f"POST {M}/council-decisions": (OWN, {"decided_on": TODAY, "number": "1", "approved": True}),
    f"POST {M}/prevention-council": (NOBODY, {"meets": True, "noted_on": TODAY}),
    f"PUT {M}/action-fields": (NOBODY, {"action_fields": ["youth"]}),
    f"POST {M}/coachings": (OWN, {"requested_on": TODAY, "topic": "Jugend"}),
    f"POST {M}/coachings/{{number:int}}/coach": (NOBODY, {"coach": "Verein", "matched_on": TODAY}),
    f"POST {M}/coachings/{{number:int}}/end": (NOBODY, {"finished_on": TODAY}),
    f"POST {M}/offices": (OWN, {"office": "Amt", "function": "Leitung", "since": TODAY, "person": "K. Muster"}),
    f"POST {M}/offices/{{contact_id:str}}/end": (OWN, {"until": TODAY}),
    "POST /security-analyses": (NOBODY, {"municipalities": [TOWN.ags], "started_on": TODAY}),
    f"POST {S}/end": (NOBODY, {"finished_on": TODAY}),
    "POST /templates/{id:str}/versions": (NOBODY, {"text": "Ein Text"}),
    "POST /agreements": (NOBODY, {"municipalities": [TOWN.ags]}),
    f"PUT {A}/text": (NOBODY, {"text": "Ein Text"}),
    f"POST {A}/readiness": (NOBODY, {"ready_on": TODAY}),
    f"POST {A}/withdrawal": (NOBODY, {"reason": "anders"}),
    f"POST {A}/signatures": (NOBODY, BY_LPR),
    f"POST {A}/corrections": (NOBODY, BY_LPR | {"reason": "verschrieben"}),
    f"POST {A}/declines": (NOBODY, {"party": "lpr", "declined_on": TODAY, "reason": "nein"}),
    f"POST {A}/renewals": (NOBODY, {"ends_on": None}),
    f"POST {A}/notices": (NOBODY, {"party": "lpr", "given_on": TODAY}),
}
"""Those who may write, besides the LPR, and the body that the others try; all is TOWN's, or the LPR's own part."""

LISTS = {"POST /municipality-lists", "POST /municipality-lists/preview"}
"""These take a CSV file; tests/stories/test_municipality_lists.py tests who may send one."""


@pytest.fixture(scope="module")
async def ids(staff: Staff) -> dict[str, str]:
    """An agreement and an analysis of TOWN, under the names in the paths."""
    agreement = accepted(await staff.post(LPR, "/membership/v1/agreements", municipalities=[TOWN.ags]))["id"]
    analysis = accepted(
        await staff.post(LPR, "/membership/v1/security-analyses", municipalities=[TOWN.ags], started_on=TODAY)
    )
    return {"/agreements": agreement, "/security-analyses": analysis["id"], "/templates": "kooperation"}


def address(path: str, ids: dict[str, str]) -> str:
    """Return the path of a route, for TOWN and its items."""
    named = path.replace("{id:str}", next((id for start, id in ids.items() if path.startswith(start)), ""))
    for parameter, value in (("{ags:str}", TOWN.ags), ("{number:int}", "1"), ("{contact_id:str}", "nobody")):
        named = named.replace(parameter, value)
    return f"/membership/v1{named}"


def test_every_route_is_in_the_tables(system: System) -> None:
    routes = {
        f"{method} {route.path.removeprefix('/membership/v1')}"
        for route in SERVICES["membership"](system.environ).routes
        if isinstance(route, HTTPRoute) and route.path.startswith("/membership/v1")
        for method in route.methods - {"OPTIONS"}
    }
    open_to_all = {"GET /events/{file:str}"}
    assert routes == {f"GET {path}" for path in READING} | set(WRITING) | LISTS | open_to_all


@pytest.mark.parametrize("who", EVERYBODY)
async def test_everybody_reads_what_is_theirs_and_finds_nothing_else(
    staff: Staff, ids: dict[str, str], who: str
) -> None:
    for path, seeing in READING.items():
        answer = await staff.get(EVERYBODY[who], address(path, ids))
        # A draft has no certificate yet, but a caller who may not see it gets "no such agreement".
        allowed = 409 if "certificate" in path and path.startswith(A) else 200
        assert answer.status_code == (allowed if who in seeing else 404), (path, answer.text)


@pytest.mark.parametrize("who", EVERYBODY)
async def test_nobody_changes_what_is_not_theirs(staff: Staff, ids: dict[str, str], system: System, who: str) -> None:
    events = system.services[0].database["events"]
    before = await events.count_documents({"actor": EVERYBODY[who].subject})
    for route, (allowed, body) in WRITING.items():
        if who not in allowed:
            method, path = route.split(" ")
            answer = await staff.post(EVERYBODY[who], address(path, ids), method=method, **body)
            assert answer.status_code in ({403, 404} if who in FOREIGN else {403}), (route, answer.text)
    assert await events.count_documents({"actor": EVERYBODY[who].subject}) == before


async def seen(staff: Staff, who: Actor, path: str) -> set[str]:
    """Return the municipalities in a list, as this caller sees it."""
    return {one["ags"] for one in accepted(await staff.get(who, f"/membership/v1{path}"))["items"]}


async def test_the_board_shows_each_what_is_theirs(staff: Staff, ids: dict[str, str]) -> None:
    assert ids
    assert await seen(staff, TOWN.office, "/board?limit=200") == {TOWN.ags}
    assert TOWN.ags not in await seen(staff, POLICE_OF_GOERLITZ, "/board?limit=200")


async def test_a_list_shows_what_any_grant_allows(staff: Staff) -> None:
    police = await seen(staff, POLICE_OF_GOERLITZ, "/municipalities?limit=200")
    both = EVERYBODY["its municipality and another police"]
    assert await seen(staff, both, "/municipalities?limit=200") == police | {TOWN.ags}
    assert await seen(staff, EVERYBODY["a council"], "/municipalities?limit=200") == set()


@pytest.mark.parametrize("who", sorted(FOREIGN))
async def test_what_is_hidden_is_answered_as_what_does_not_exist(staff: Staff, ids: dict[str, str], who: str) -> None:
    nothing = dict.fromkeys(ids, "nothing")
    for path in (M, A, S):
        hidden = await staff.get(EVERYBODY[who], address(path, ids))
        absent = await staff.get(EVERYBODY[who], address(path, nothing).replace(TOWN.ags, "nothing"))
        id = hidden.json()["detail"].split(" ")[-1]
        assert hidden.json() == absent.json() | {"detail": absent.json()["detail"].replace("nothing", id)}
