"""While NATS or the mail server is down, requests are accepted; everything else follows on its return."""

from collections.abc import AsyncIterator

import httpx
import pytest

from operations.demo.accessions import LPR, Staff, Town
from operations.demo.story import published
from operations.embedded.mail_sink import set_faults
from shared.store.mongo import Document
from tests.stories.processes import World
from tests.waiting import until


@pytest.fixture
async def office(world: World) -> AsyncIterator[Staff]:
    world.start()
    async with httpx.AsyncClient(base_url=world.processes["membership"].url, timeout=10) as http:
        yield Staff(http, world.system.settings.token_private_key)


async def test_signatures_are_accepted_while_nats_is_away_and_all_follows_when_it_is_back(
    world: World, office: Staff
) -> None:
    town = Town("14625010", "PD Görlitz")
    agreement = await office.ready_agreement(town)
    await world.system.quiet()
    world.servers.nats.kill()
    answers = [await office.sign(who, agreement, party) for who, party in town.signatures]
    assert [answer.status_code for answer in answers] == [201] * 4
    assert not any(mail.subject.startswith("In Kraft") for mail in world.emails_about(agreement))

    world.servers.nats.start()
    await until(lambda: _subjects(world, agreement), lambda subjects: sum("In Kraft" in one for one in subjects) == 2)
    await world.system.quiet()
    events = [event["type"] for event in await published(world.system, {agreement, town.ags})]
    assert events[-2:] == ["membership.agreement_signed.v1", "membership.member_joined.v1"]
    assert len(events) == 8


async def test_a_service_is_alive_but_not_ready_while_nats_is_away(world: World) -> None:
    url = world.processes["membership"].url
    world.servers.nats.kill()
    try:
        async with httpx.AsyncClient(base_url=url) as http:
            assert (await http.get("/health/ready")).status_code == 503
            assert (await http.get("/health/live")).status_code == 200
    finally:
        world.servers.nats.start()
    for process in world.processes.values():
        process.wait_ready()


async def test_emails_wait_while_the_mail_server_is_away(world: World, office: Staff) -> None:
    world.servers.mail.kill()
    agreement = await office.accession(Town("14625030", "PD Görlitz"))
    await until(lambda: _deliveries(world, agreement), lambda found: len(found) >= 15 and {"queued"} == _states(found))

    world.servers.mail.start()
    sent = await until(lambda: _deliveries(world, agreement), lambda found: _states(found) == {"sent"})
    mails = world.emails_about(agreement)
    assert sorted(mail.message_id for mail in mails) == sorted(one["message_id"] for one in sent)


async def test_what_is_refused_for_good_fails_at_once_and_can_be_sent_again(world: World, office: Staff) -> None:
    set_faults(world.servers.maildir, {"refuse": {"leitung@pd-goerlitz.example": "550 5.1.1 no such user"}})
    agreement = await office.accession(Town("14625040", "PD Görlitz"))
    await world.system.quiet()
    set_faults(world.servers.maildir, {})
    failed = [one for one in await _deliveries(world, agreement) if one["state"] == "failed"]
    assert {(one["to"], one["attempts"]) for one in failed} == {("leitung@pd-goerlitz.example", 1)}
    assert all("550" in one["reply"] for one in failed)

    path = f"/notifications/v1/deliveries/{failed[0]['_id']}/attempts"
    async with httpx.AsyncClient(base_url=world.processes["notifications"].url, timeout=10) as http:
        lpr = Staff(http, world.system.settings.token_private_key)
        again = await lpr.post(LPR, path)
        assert again.status_code == 201, again.text
        await world.system.quiet()
        refused = await lpr.post(LPR, path)
    assert (refused.status_code, refused.json()["code"]) == (409, "delivery_not_failed")
    assert any(mail.message_id == failed[0]["message_id"] for mail in world.emails_about(agreement))


async def test_what_is_refused_for_now_is_sent_after_a_pause(world: World, office: Staff) -> None:
    press = "presse@smi-sachsen.example"
    set_faults(world.servers.maildir, {"refuse": {press: "451 4.3.0 later"}})
    agreement = await office.accession(Town("14625060", "PD Görlitz"))
    waiting = await until(
        lambda: _delivery(world, agreement, press, "agreement_for_press"),
        lambda one: one["state"] == "queued" and one["attempts"] == 1,
    )
    assert "451" in waiting["reply"]
    set_faults(world.servers.maildir, {})
    sent = await until(
        lambda: _delivery(world, agreement, press, "agreement_for_press"), lambda one: one["state"] == "sent"
    )
    assert sent["attempts"] == 2
    assert sent["message_id"] == waiting["message_id"]


async def test_a_cut_after_the_final_dot_sends_again_under_the_same_message_id(world: World, office: Staff) -> None:
    town, to = Town("14625080", "PD Görlitz"), "rathaus@crostwitz.example"
    agreement = await office.ready_agreement(town)
    await world.system.quiet()
    set_faults(world.servers.maildir, {"cut_after_dot": {"to": to, "times": 1}})
    who, party = town.signatures[0]
    assert (await office.sign(who, agreement, party)).status_code == 201
    sent = await until(lambda: _delivery(world, agreement, to, "signature_receipt"), lambda one: one["state"] == "sent")
    assert (sent["attempts"], sent["unknown"]) == (2, 1)
    twice = [mail for mail in world.emails_about(agreement) if mail.message_id == sent["message_id"]]
    assert len(twice) == 2
    assert len({mail.message.get_content_type() + str(mail.message["Date"]) for mail in twice}) == 1


async def _deliveries(world: World, agreement: str) -> list[Document]:
    about = {"text.subject": {"$regex": agreement}}
    return [one async for one in world.system.services[1].database["deliveries"].find(about)]


async def _delivery(world: World, agreement: str, to: str, template: str) -> Document:
    found = [one for one in await _deliveries(world, agreement) if (one["to"], one["template"]) == (to, template)]
    return found[0] if found else {"state": None}


async def _subjects(world: World, agreement: str) -> list[str]:
    return [mail.subject for mail in world.emails_about(agreement)]


def _states(deliveries: list[Document]) -> set[str]:
    return {one["state"] for one in deliveries}
