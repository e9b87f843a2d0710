"""Two hundred agreements signed by racing requests, each sent twice at the same time."""

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncIterator

import httpx
import pytest

from operations.demo.accessions import Staff, Town
from operations.demo.load import rows
from operations.running.local import System
from shared.alliance.districts import POLICE_DIRECTORATE_OF
from shared.store.mongo import Document
from shared.web.rights import Actor

pytestmark = pytest.mark.timeout(240)

ACCESSIONS = 200
AT_ONCE = 32


@pytest.fixture(scope="module")
def towns() -> list[Town]:
    """Municipalities without any dealings with the alliance, far from the other stories."""
    known = {row["ags"] for row in rows("alliance_2023-01.csv")}
    # The other stories use the districts of Görlitz and Meißen.
    districts = set(POLICE_DIRECTORATE_OF) - {"14626", "14627"}
    free = [row["ags"] for row in rows("municipalities.csv") if row["ags"] not in known and row["ags"][:5] in districts]
    # From all districts, because every new member is announced to all members of its district.
    return [Town(ags, POLICE_DIRECTORATE_OF[ags[:5]]) for ags in sorted(free, key=lambda ags: ags[5:])[:ACCESSIONS]]


@pytest.fixture(scope="module")
async def agreements(system: System, towns: list[Town]) -> AsyncIterator[dict[str, Town]]:
    """The agreements after the race, by file number."""
    # Every new member is announced to each town hall of its district; one in four is enough to detect duplicates.
    told = {f"municipality-{town.ags}" for town in towns[::4]}
    of_others = {"role": "municipality", "_id": {"$nin": sorted(told)}}
    await system.services[1].database["contacts"].update_many(of_others, {"$set": {"active": False}})
    async with httpx.AsyncClient(base_url=system.url, timeout=60, limits=httpx.Limits(max_connections=AT_ONCE)) as http:
        office = Staff(http, system.settings.token_private_key)
        ready = dict(zip(await asyncio.gather(*map(office.ready_agreement, towns)), towns, strict=True))
        signatures = [
            (who, agreement, party, f"{agreement}-{party}".replace(" ", "-").encode("ascii", "ignore").decode())
            for agreement, town in ready.items()
            for who, party in town.signatures
        ]
        race = signatures * 2
        random.Random(1).shuffle(race)  # noqa: S311 -- any order will do, but the same each time
        at_once = asyncio.Semaphore(AT_ONCE)

        async def sign(one: tuple[Actor, str, str, str]) -> httpx.Response:
            async with at_once:
                return await office.sign(*one)

        answers = await asyncio.gather(*map(sign, race))
        assert {answer.status_code for answer in answers} == {201}
        by_key: dict[str, set[str]] = {}
        for (_, _, _, key), answer in zip(race, answers, strict=True):
            by_key.setdefault(key, set()).add(answer.text)
        assert {len(texts) for texts in by_key.values()} == {1}, "twins got different answers"
        await system.quiet(within=180)
        yield ready
    await system.services[1].database["contacts"].update_many(of_others, {"$set": {"active": True}})


async def test_no_signature_is_lost_or_doubled(system: System, agreements: dict[str, Town]) -> None:
    stored = await _documents(system, 0, "agreements", {"_id": {"$in": list(agreements)}})
    assert len(stored) == ACCESSIONS
    for agreement in stored:
        assert agreement["stage"] == "in_force"
        assert sorted(one["party"] for one in agreement["signatures"]) == sorted(agreement["parties"])


async def test_every_fact_is_published_exactly_once(system: System, agreements: dict[str, Town]) -> None:
    of_race = {"subject": {"$in": [*agreements, *(town.ags for town in agreements.values())]}, "history": False}
    stored = await _documents(system, 0, "events", of_race)
    rows = [row for row in stored if row["type"].split(".")[1].startswith(("agreement_", "member_joined"))]
    assert not [row["_id"] for row in rows if "unpublished" in row]
    assert Counter(row["type"] for row in rows) == {
        "membership.agreement_drafted.v1": ACCESSIONS,
        "membership.agreement_ready.v1": ACCESSIONS,
        "membership.agreement_signed_by_party.v1": 4 * ACCESSIONS,
        "membership.agreement_signed.v1": ACCESSIONS,
        "membership.member_joined.v1": ACCESSIONS,
    }
    once = Counter((row["type"], row["subject"]) for row in rows if "by_party" not in row["type"])
    assert set(once.values()) == {1}


async def test_versions_of_every_agreement_are_contiguous(system: System, agreements: dict[str, Town]) -> None:
    for agreement in await _documents(system, 0, "agreements", {"_id": {"$in": list(agreements)}}):
        rows = await _documents(system, 0, "events", {"subject": agreement["_id"]})
        assert sorted(row["version"] for row in rows) == list(range(1, agreement["version"] + 1))
        assert [row["_id"] for row in sorted(rows, key=lambda row: row["version"])] == sorted(r["_id"] for r in rows)


async def test_each_recipient_gets_one_email_per_event(system: System, agreements: dict[str, Town]) -> None:
    deliveries = await _documents(system, 1, "deliveries", {})
    assert {one["state"] for one in deliveries} == {"sent"}
    assert set(Counter((one["event_id"], one["contact_id"]) for one in deliveries).values()) == {1}
    about = [one for one in deliveries if any(id in one["text"]["subject"] for id in agreements)]
    expected = {one["message_id"] for one in about}
    heads = [path.read_bytes().partition(b"\r\n\r\n")[0].decode() for path in system.maildir.glob("new/*")]
    arrived = Counter(id for head in heads for id in re.findall(r"^Message-ID: (.*)\r$", head, re.MULTILINE))
    assert {id for id in arrived if id in expected} == expected
    assert {arrived[id] for id in expected} == {1}
    assert Counter(one["template"] for one in about)["member_welcome"] == ACCESSIONS / 4


async def _documents(system: System, service: int, collection: str, where: Document) -> list[Document]:
    return [one async for one in system.services[service].database[collection].find(where)]
