"""An event that a service cannot process waits with its reason and blocks its aggregate, while others flow on."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import msgspec
import nats
import pytest

from operations.demo.accessions import LPR, Staff, Town
from operations.running.local import System
from shared.events.membership.agreements import AgreementReady
from shared.events.membership.refs import MunicipalityRef
from shared.inbox.parking import Parked
from shared.kernel.cloudevents import Envelope
from shared.kernel.ids import new_id, new_trace
from tests.waiting import until

TOWN = Town("14521010", "PD Chemnitz")
OTHER = Town("14521110", "PD Chemnitz")


@pytest.fixture
async def office(system: System, http: httpx.AsyncClient) -> Staff:
    return Staff(http, system.settings.token_private_key)


@pytest.fixture
async def poison(system: System) -> AsyncIterator[Parked]:
    """Publish an event about TOWN that has one of our types but no valid data; return it as parked by notifications."""
    await publish(system, envelope("membership.member_joined.v1", TOWN.ags, b'{"ags": 1}'))
    found = await until(lambda: _parked(system, TOWN.ags), lambda found: found is not None)
    assert found is not None
    yield found
    for one in await system.services[1].parking.list():
        await system.services[1].parking.drop(one.id, "test", datetime.now(UTC))


async def test_poison_is_parked_with_its_reason(poison: Parked) -> None:
    assert "ags" in poison.reason
    assert poison.address == f"membership.member_joined.v1.{TOWN.ags}"
    assert poison.body == b'{"ags": 1}'


async def test_later_events_of_the_aggregate_wait_and_others_flow(
    system: System, office: Staff, poison: Parked
) -> None:
    assert poison.tries >= 1
    await office.post(LPR, f"/membership/v1/municipalities/{TOWN.ags}/consultations", held_on="2023-01-20")
    await office.post(LPR, f"/membership/v1/municipalities/{OTHER.ags}/consultations", held_on="2023-01-20")
    await until(lambda: _emails(system, OTHER.ags), lambda count: count == 1)
    waiting = [one for one in await system.services[1].parking.list() if one.aggregate.endswith(TOWN.ags)]
    assert [one.address.split(".")[1] for one in waiting] == ["member_joined", "consultation_held"]
    assert await _emails(system, TOWN.ags) == 0

    # Once operators have dropped the first event, the other takes effect.
    asskomm(system, "parked", "drop", "notifications", waiting[0].id, "--yes")
    await until(lambda: _emails(system, TOWN.ags), lambda count: count == 1)
    await until(lambda: _parked(system, TOWN.ags), lambda found: found is None)


async def test_what_is_mended_has_its_effect_when_an_operator_retries(system: System) -> None:
    ref = MunicipalityRef(ags="14521120", name="Crottendorf", police_directorate="PD Chemnitz")
    parties, today = ("lpr", "nobody"), datetime.now(UTC).date()
    fact = AgreementReady(agreement_id="KV-2023-MENDED", municipalities=(ref,), parties=parties, ready_on=today)
    await publish(system, envelope(AgreementReady.type, "KV-2023-MENDED", msgspec.json.encode(fact)))
    await until(lambda: _parked(system, "KV-2023-MENDED"), lambda found: found is not None and found.tries > 1)
    [parked] = [one for one in await system.services[1].parking.list() if one.aggregate.endswith("MENDED")]
    assert "nobody" in parked.reason

    mended = {"body": parked.body.replace(b"nobody", b"ministry"), "state": "stuck"}
    await system.services[1].database["parked"].update_one({"_id": parked.id}, {"$set": mended})
    listed = json.loads(asskomm(system, "parked", "list", "--json"))
    assert [(one["service"], one["id"], one["state"]) for one in listed] == [("notifications", parked.id, "stuck")]
    asskomm(system, "parked", "retry", "notifications", parked.id)
    await until(lambda: _emails(system, "KV-2023-MENDED"), lambda count: count == 3)
    await until(lambda: _parked(system, "KV-2023-MENDED"), lambda found: found is None)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "membership.member_joined.v9"}, "no reaction to membership.member_joined.v9"),
        ({"body": b"no json"}, "JSON"),
        ({"body": b"[" * 100_000}, "array"),
        ({"publisher": "notifications"}, "does not belong"),
    ],
)
async def test_what_nobody_understands_is_parked_and_never_dropped(
    system: System, change: dict[str, object], reason: str
) -> None:
    subject = new_id()
    good = envelope("membership.member_joined.v1", subject, b"{}")
    bad = replace(good, **change)  # type: ignore[arg-type]
    await publish(system, bad)
    found = await until(lambda: _parked(system, subject), lambda found: found is not None)
    assert found is not None
    assert reason.lower() in found.reason.lower()
    await system.services[1].parking.drop(found.id, "test", datetime.now(UTC))


async def test_an_unknown_parked_id_is_told_in_words(system: System) -> None:
    said = asskomm(system, "parked", "retry", "notifications", "membership-0", status=1)
    assert "no event is parked under membership-0" in said


def envelope(type: str, subject: str, body: bytes) -> Envelope:
    return Envelope(
        id=new_id(),
        publisher="membership",
        type=type,
        subject=subject,
        time=datetime.now(UTC),
        version=1,
        actor="test",
        cause="test",
        trace=new_trace(),
        history=False,
        body=body,
    )


async def publish(system: System, event: Envelope) -> None:
    client = await nats.connect(system.settings.nats_url)
    await client.jetstream().publish(event.address, event.body, headers=event.headers())
    await client.close()


def asskomm(system: System, *words: str, status: int = 0) -> str:
    """Return the command's output."""
    command = [sys.executable, "-m", "operations.cli", *words]
    environ = {"ASSKOMM_VAR": str(system.maildir.parent), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


async def _parked(system: System, aggregate: str) -> Parked | None:
    found = [one for one in await system.services[1].parking.list() if one.aggregate.endswith(aggregate)]
    return found[0] if found else None


async def _emails(system: System, word: str) -> int:
    return await system.services[1].database["deliveries"].count_documents({"text.subject": {"$regex": word}})
