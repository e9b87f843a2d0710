"""What the running system answers to who asks something that cannot be."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from operations.demo.accessions import LPR
from operations.demo.story import MAYOR
from operations.running.local import System
from shared.web.rights import Actor
from shared.web.tokens import issue_token

TOWN = "/membership/v1/municipalities/14521010"
AGREEMENTS = "/membership/v1/agreements"
KIB = 1024


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A request that is answered with a problem, and which one."""

    status: int
    code: str
    who: Actor | None = LPR
    method: str = "GET"
    path: str = TOWN
    json: Any = None
    content: bytes | None = None
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()


def body(content: bytes, code: str = "bad_request", status: int = 400) -> Fault:
    return Fault(status=status, code=code, method="POST", path=f"{TOWN}/cooperation", content=content)


def cooperation(**fields: Any) -> Fault:
    return Fault(status=400, code="invalid_request", method="POST", path=f"{TOWN}/cooperation", json=fields)


def query(text: str, code: str = "invalid_request") -> Fault:
    return Fault(status=400, code=code, path="/membership/v1/municipalities", query=text)


def contact(**changed: str) -> Fault:
    fields = {"office": "Rathaus", "email": "rathaus@amtsberg.example", "role": "municipality", "area": "00000000"}
    return Fault(
        status=400, code="invalid_request", method="PUT", path="/notifications/v1/contacts/x", json=fields | changed
    )


def fields_if(match: str, status: int, code: str) -> Fault:
    return Fault(
        status=status, code=code, method="PUT", path=f"{TOWN}/action-fields", json={"action_fields": []},
        headers=(("If-Match", match),),
    )  # fmt: skip


def post(path: str, status: int, code: str, who: Actor = LPR, **json: Any) -> Fault:
    return Fault(status=status, code=code, method="POST", path=path, json=json, who=who)


FAULTS = {
    "no token": Fault(status=401, code="token_refused", who=None),
    "no right": post(f"{TOWN}/cooperation", 403, "not_allowed", who=MAYOR, began_on="2023-01-27"),
    "not there": Fault(status=404, code="not_found", path="/membership/v1/municipalities/00000000"),
    "not in the area": Fault(status=404, code="not_found", who=MAYOR),
    "no such page": Fault(status=404, code="not_found", path="/membership/v1/nonsense"),
    "no such page below": Fault(status=404, code="not_found", path=f"{TOWN}/history/nonsense"),
    # A bug once: the router of the OpenAPI description answers with a page in HTML.
    "no such service": Fault(status=404, code="not_found", path="/nonsense"),
    "no such page of a service": Fault(status=404, code="not_found", path="/membership/nonsense"),
    "wrong method": Fault(status=405, code="method_not_allowed", method="DELETE"),
    "a rule": post(f"{TOWN}/cooperation", 409, "dated_in_future", began_on="2023-01-28"),
    "unknown version": fields_if('"999"', 412, "stale"),
    "no version": fields_if("3", 400, "invalid"),
    "a weak version": fields_if('W/"3"', 400, "invalid"),
    "unknown field": cooperation(began_on="2023-01-27", stage="member"),
    "missing field": cooperation(),
    "wrong type": cooperation(began_on=20230127),
    "no such day": cooperation(began_on="2023-02-30"),
    "unknown action field": Fault(
        status=400, code="invalid_request", method="PUT", path=f"{TOWN}/action-fields", json={"action_fields": ["war"]}
    ),
    "no body": body(b"", "invalid_request"),
    "no object": body(b"null", "invalid_request"),
    "no JSON": body(b"began_on=2023-01-27"),
    "cut off": body(b'{"began_on": "2023-'),
    "something behind": body(b'{"began_on": "2023-01-27"} {}'),
    "no UTF-8": body(b'{"began_on": "\xff"}'),  # A bug once: 500
    "nested too deeply": body(b"[" * 60_000, "invalid_request"),
    "nested much too deeply": body(b"[" * 100_000, "request_entity_too_large", 413),
    "too large": body(b" " * 65 * KIB, "request_entity_too_large", 413),
    "key with a blank": Fault(
        status=400, code="invalid", method="PUT", path=f"{TOWN}/action-fields", json={"action_fields": []},
        headers=(("Idempotency-Key", "a b"),),
    ),
    "unknown stage": query("stage=king"),
    "limit no number": query("limit=ten"),
    # A bug once: the bounds of `Limit` are not checked; -1 is a 500, and a million is answered.
    "limit -1": query("limit=-1"),
    "limit 0": query("limit=0"),
    "limit 201": query("limit=201"),
    # A bug once: what is no base64 is left out, and the list begins anew.
    "cursor with odd characters": query("cursor=%21%21%21%21", "invalid"),
    "cursor that is no ASCII": query("cursor=%C3%BC", "invalid"),
    "cursor cut off": query("cursor=MTQ1MjEwMT", "invalid"),
    "cursor that is no text": query("cursor=____", "invalid"),
    # A bug once: `$` in a pattern lets a line break at the end pass.
    "municipality with a line break": post(AGREEMENTS, 400, "invalid_request", municipalities=["14521010\n"]),
    # A bug once: `\d` lets the digits of all scripts pass.
    "municipality in Arabic digits": post(AGREEMENTS, 400, "invalid_request", municipalities=["١٤٥٢١٠١٠"]),
    "municipality with nine digits": post(AGREEMENTS, 400, "invalid_request", municipalities=["145210100"]),
    "agreement of nobody": post(AGREEMENTS, 400, "invalid_request", municipalities=[]),
    "address with a line break": contact(email="rathaus@amtsberg.example\n"),  # BUG, as above
    "address with a command": contact(email='"a\r\nRCPT TO:<x@y>"@z.example'),
    "area with a line break": contact(area="00000000\n"),  # BUG, as above
    "office with a line break": contact(office="Rathaus\nBcc: x@y.example"),
    # A bug once: U+0085 is a line break as well; an email whose subject has one cannot be made.
    "office with a next line": contact(office="Rathaus\u0085Bcc: x@y.example"),
    "person with a next line": post(
        f"{AGREEMENTS}/KV-2023-000000/signatures", 400, "invalid_request", party="lpr", person="K.\u0085Muster",
        function="Amtsleitung", signed_on="2023-01-27", place="Dresden",
    ),
}  # fmt: skip


async def answer(http: httpx.AsyncClient, system: System, fault: Fault) -> httpx.Response:
    headers = dict(fault.headers)
    if fault.who:
        headers["Authorization"] = f"Bearer {issue_token(fault.who, system.settings.token_private_key)}"
    return await http.request(
        fault.method, f"{fault.path}?{fault.query}", json=fault.json, content=fault.content, headers=headers
    )


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_fault_is_answered_as_a_problem_with_its_code(
    http: httpx.AsyncClient, system: System, fault: Fault
) -> None:
    problem = await answer(http, system, fault)
    assert (problem.status_code, problem.headers["content-type"]) == (fault.status, "application/problem+json")
    said = problem.json()
    assert said["code"] == fault.code
    assert said["type"] == f"urn:asskomm:problem:{fault.code}"
    assert said["status"] == fault.status
    assert said["title"]
    assert said["detail"]


ONE_OF_EACH = {name: FAULTS[name] for name in (
    "no token", "no right", "not there", "no such page", "wrong method", "a rule", "unknown version", "unknown field",
    "cut off", "nested too deeply", "too large",
)}  # fmt: skip


# A bug once: the handlers of 401, and of 404 and 405 for pages that are not there, run outside of the middleware.
@pytest.mark.parametrize("fault", ONE_OF_EACH.values(), ids=ONE_OF_EACH)
async def test_no_problem_is_cached_or_guessed_at(http: httpx.AsyncClient, system: System, fault: Fault) -> None:
    headers = (await answer(http, system, fault)).headers
    assert headers.get("cache-control") == "no-store"
    assert headers.get("x-content-type-options") == "nosniff"
    assert headers.get("content-security-policy") == "default-src 'none'; frame-ancestors 'none'"


async def test_an_unknown_field_is_named(http: httpx.AsyncClient, system: System) -> None:
    assert "stage" in (await answer(http, system, FAULTS["unknown field"])).json()["detail"]


async def test_a_field_that_is_wrong_is_named_for_programs(http: httpx.AsyncClient, system: System) -> None:
    errors = (await answer(http, system, FAULTS["no such day"])).json()["errors"]
    assert [error["field"] for error in errors] == ["began_on"]


async def test_a_wrong_method_is_answered_with_those_that_are_right(http: httpx.AsyncClient, system: System) -> None:
    allowed = (await answer(http, system, FAULTS["wrong method"])).headers["allow"]
    assert "GET" in allowed.split(", ")


async def test_a_body_that_is_too_large_is_refused_whether_or_not_it_says_how_large_it_is(
    http: httpx.AsyncClient, system: System
) -> None:
    token = issue_token(LPR, system.settings.token_private_key)

    async def parts() -> Any:
        for _ in range(65):
            yield b" " * KIB

    refused = await http.post(f"{TOWN}/cooperation", content=parts(), headers={"Authorization": f"Bearer {token}"})
    assert refused.status_code == 413


async def test_nothing_of_all_this_has_changed_anything(http: httpx.AsyncClient, system: System) -> None:
    before = await answer(http, system, Fault(status=200, code=""))
    for fault in FAULTS.values():
        await answer(http, system, fault)
    after = await answer(http, system, Fault(status=200, code=""))
    assert (before.json(), before.headers["etag"]) == (after.json(), after.headers["etag"])
