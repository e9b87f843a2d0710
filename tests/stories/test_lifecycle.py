"""Agreements from draft to end over HTTP, on real servers: joint, in order, reminded, ended, and re-accession."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec
import pytest

from operations.demo.accessions import DAY, LPR, MINISTRY, Staff, Town, accepted, signature
from operations.running.local import System
from services.membership.certificate import check, read_keys
from services.membership.deadlines import deadlines
from services.membership.domain.agreement import Agreement
from services.membership.domain.template import sha256
from shared.runtime.schedule import Schedule
from shared.runtime.service import Service
from shared.store.mongo import Document

MORITZBURG, NIEDERAU, NOSSEN = (Town(ags, "PD Dresden") for ags in ("14627150", "14627170", "14627180"))
NUENCHRITZ, PRIESTEWITZ, ROEDERAUE = (Town(ags, "PD Dresden") for ags in ("14627190", "14627200", "14627240"))
AGREEMENTS = "/membership/v1/agreements"


@pytest.fixture
def membership(system: System) -> Service:
    return next(service for service in system.services if service.name == "membership")


class Calendar:
    """Advances time: everything due until a day happens, and every service reacts."""

    def __init__(self, system: System, membership: Service) -> None:
        self._system, self._service = system, membership

    async def turn_to(self, day: date) -> None:
        agreements = next(one for one in self._service.repositories if one.kind is Agreement)
        clock = lambda: datetime.combine(day, time(12), UTC)  # noqa: E731 -- the current time
        await Schedule("membership", deadlines(agreements), self._service.lease, clock).sweep()
        await self._system.quiet()


@pytest.fixture
def calendar(system: System, membership: Service) -> Calendar:
    return Calendar(system, membership)


async def rows(service: Service, subject: str, fact: str) -> list[Document]:
    """Return an aggregate's events of this type, oldest first."""
    where = {"subject": subject, "type": f"membership.{fact}.v1"}
    return [row async for row in service.database["events"].find(where).sort("version")]


async def emails(system: System, event: Document, template: str) -> set[str]:
    """Return the recipients of an event's email with this template."""
    where = {"event_id": event["_id"], "template": template, "state": "sent"}
    return {one["contact_id"] async for one in system.services[1].database["deliveries"].find(where)}


async def drafted(staff: Staff, *towns: Town, **terms: Any) -> str:
    body = {"municipalities": [town.ags for town in towns]} | terms
    return str(accepted(await staff.post(LPR, AGREEMENTS, **body))["id"])


async def ready(staff: Staff, *towns: Town, sign_by: date | None = None, **terms: Any) -> str:
    id = await drafted(staff, *towns, **terms)
    body = {"ready_on": str(DAY)} | ({"sign_by": str(sign_by)} if sign_by else {})
    accepted(await staff.post(LPR, f"{AGREEMENTS}/{id}/readiness", **body))
    return id


async def in_force(staff: Staff, *towns: Town, **terms: Any) -> str:
    id = await ready(staff, *towns, **terms)
    for who, party in dict.fromkeys(one for town in towns for one in town.signatures):
        accepted(await staff.sign(who, id, party))
    return id


async def stage(staff: Staff, town: Town) -> str:
    return str(accepted(await staff.get(LPR, f"/membership/v1/municipalities/{town.ags}"))["stage"])


async def test_who_has_not_signed_is_reminded_once_per_fortnight_also_after_a_downtime(
    system: System, membership: Service, staff: Staff, calendar: Calendar
) -> None:
    id = await ready(staff, MORITZBURG)
    await system.quiet()
    accepted(await staff.sign(LPR, id, "lpr"))
    for days in (13, 14, 14, 20, 31, 31):
        await calendar.turn_to(DAY + timedelta(days=days))
    overdue = await rows(membership, id, "signature_overdue")
    assert [row["data"]["due_on"] for row in overdue] == ["2023-02-10", "2023-02-24"]
    assert "lpr" not in overdue[0]["data"]["missing"]
    assert await emails(system, overdue[0], "signature_reminder") == {
        "municipality-14627150", "police-directorate-dresden", "ministry",
    }  # fmt: skip
    accepted(await staff.post(LPR, f"{AGREEMENTS}/{id}/withdrawal", reason="Der Stadtrat hat anders entschieden"))
    await calendar.turn_to(DAY + timedelta(days=60))
    assert len(await rows(membership, id, "signature_overdue")) == 2


async def test_a_request_for_signature_lapses_and_another_agreement_can_be_drafted(
    staff: Staff, calendar: Calendar
) -> None:
    id = await ready(staff, NUENCHRITZ, sign_by=DAY + timedelta(days=7))
    await calendar.turn_to(DAY + timedelta(days=7))
    assert accepted(await staff.get(LPR, f"{AGREEMENTS}/{id}"))["stage"] == "ready"
    await calendar.turn_to(DAY + timedelta(days=8))
    assert accepted(await staff.get(LPR, f"{AGREEMENTS}/{id}"))["stage"] == "lapsed"
    again = await drafted(staff, NUENCHRITZ)
    accepted(await staff.post(LPR, f"{AGREEMENTS}/{again}/withdrawal", reason="nur ein Versuch"))


async def test_a_joint_agreement_is_signed_in_order_with_its_text_fixed(staff: Staff) -> None:
    id = await drafted(
        staff, NIEDERAU, NOSSEN, required_parties=["lpr", "police_directorate", "municipality"], ordered=True,
        witnesses=["Staatsminister des Innern"],
    )  # fmt: skip
    path = f"{AGREEMENTS}/{id}"
    text = accepted(await staff.get(LPR, path))["text"]
    assert "Niederau und Nossen" in text
    assert "- Polizeidirektion Dresden" in text
    adapted = accepted(await staff.post(LPR, f"{path}/text", method="PUT", text=f"{text}\n\n§ 6 Besonderes"))
    accepted(await staff.post(LPR, f"{path}/readiness", ready_on=str(DAY)))
    await refused(await staff.post(LPR, f"{path}/text", method="PUT", text="anders"), "agreement_already_ready")
    await refused(await staff.sign(NIEDERAU.office, id, f"municipality:{NIEDERAU.ags}"), "out_of_turn")
    other = signature("lpr") | {"text_sha256": "0" * 64}
    await refused(await staff.post(LPR, f"{path}/signatures", **other), "other_text")
    right = signature("lpr") | {"text_sha256": sha256(adapted["text"])}
    accepted(await staff.post(LPR, f"{path}/signatures", **right))
    police = signature("police_directorate:PD Dresden")
    assert (await staff.post(NOSSEN.police, f"{path}/signatures", **police, deputy="wrong")).status_code == 400
    accepted(await staff.post(NOSSEN.police, f"{path}/signatures", **police, deputy=True, form="remote"))
    declined = {"party": f"municipality:{NOSSEN.ags}", "declined_on": str(DAY), "reason": "Es fehlt der Beschluss."}
    accepted(await staff.post(NOSSEN.office, f"{path}/declines", **declined))
    corrected = signature("lpr") | {"place": "Meißen", "reason": "Ort verschrieben"}
    accepted(await staff.post(LPR, f"{path}/corrections", **corrected))
    for town in (NOSSEN, NIEDERAU):
        last = accepted(await staff.sign(town.office, id, f"municipality:{town.ags}"))
    assert (last["stage"], last["declines"]) == ("in_force", [])
    assert {one["place"] for one in last["signatures"] if one["party"] == "lpr"} == {"Meißen"}
    await refused(await staff.post(LPR, f"{path}/corrections", **corrected), "agreement_in_force")


async def test_notice_of_one_town_ends_it_for_that_one_alone_and_it_may_join_again(
    system: System, membership: Service, staff: Staff, calendar: Calendar
) -> None:
    id = await in_force(staff, PRIESTEWITZ, ROEDERAUE, notice_months=0)
    await system.quiet()
    party = f"municipality:{PRIESTEWITZ.ags}"
    given = {"party": party, "given_on": str(DAY), "reason": "Haushalt"}
    await refused(await staff.post(ROEDERAUE.office, f"{AGREEMENTS}/{id}/notices", **given), "not_allowed")
    accepted(await staff.post(PRIESTEWITZ.office, f"{AGREEMENTS}/{id}/notices", **given))
    assert await stage(staff, PRIESTEWITZ) == "member"
    for _ in range(2):
        await calendar.turn_to(DAY + timedelta(days=1))
    assert [await stage(staff, town) for town in (PRIESTEWITZ, ROEDERAUE)] == ["left", "member"]
    [left] = await rows(membership, PRIESTEWITZ.ags, "member_left")
    assert (left["data"]["left_on"], left["data"]["how"]) == (str(DAY), "terminated")
    assert "municipality-14627200" in await emails(system, left, "member_farewell")
    again = await in_force(staff, PRIESTEWITZ)
    await system.quiet()
    assert await stage(staff, PRIESTEWITZ) == "member"
    joined = await rows(membership, PRIESTEWITZ.ags, "member_joined")
    assert [row["data"]["agreement_id"] for row in joined] == [id, again]


async def test_a_term_is_told_before_its_end_and_ends_the_membership(
    membership: Service, staff: Staff, calendar: Calendar
) -> None:
    id = await in_force(staff, MORITZBURG, ends_on=str(DAY + timedelta(days=60)))
    for days in (1, 29, 30, 31, 60, 61, 62):
        await calendar.turn_to(DAY + timedelta(days=days))
    assert [row["data"]["days"] for row in await rows(membership, id, "agreement_ends_soon")] == [90, 30]
    [ended] = await rows(membership, id, "agreement_ended")
    assert (ended["data"]["ended_on"], ended["data"]["how"]) == ("2023-03-28", "expired")
    assert len(await rows(membership, MORITZBURG.ags, "member_left")) == 1
    assert accepted(await staff.get(LPR, f"{AGREEMENTS}/{id}"))["stage"] == "expired"


async def test_a_certificate_is_checked_with_the_public_keys_alone(staff: Staff) -> None:
    id = await in_force(staff, Town("14627250", "PD Dresden"))
    document = (await staff.get(MINISTRY, f"{AGREEMENTS}/{id}/certificate")).content
    keys = read_keys((await staff.get(LPR, "/membership/v1/certificate-keys")).text)
    assert check(document, keys) == []
    assert (await staff.get(LPR, f"{AGREEMENTS}/{id}/certificate")).content == document
    assert [found.code for found in check(document.replace(b"2023-01-27", b"2023-01-26", 1), keys)] != []
    assert len(msgspec.json.decode(document)["steps"]) == 7


@pytest.mark.parametrize("document", ["document", "certificate/document"])
async def test_agreement_and_certificate_are_read_as_pdf(staff: Staff, document: str) -> None:
    found = accepted(await staff.get(LPR, f"{AGREEMENTS}?ags=14627250"))["items"]
    id = found[0]["id"] if found else await in_force(staff, Town("14627250", "PD Dresden"))
    answer = await staff.get(Town("14627250", "PD Dresden").office, f"{AGREEMENTS}/{id}/{document}")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")
    assert (await staff.get(MORITZBURG.office, f"{AGREEMENTS}/{id}/{document}")).status_code == 404


async def test_before_it_is_in_force_there_is_no_certificate(staff: Staff) -> None:
    id = await drafted(staff, Town("14627260", "PD Dresden"))
    await refused(await staff.get(LPR, f"{AGREEMENTS}/{id}/certificate"), "agreement_not_in_force")
    assert (await staff.get(LPR, f"{AGREEMENTS}/{id}/document")).content.startswith(b"%PDF")


async def refused(answer: Any, code: str) -> None:
    assert answer.json().get("code") == code, answer.text
