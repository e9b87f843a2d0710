"""The story of Rothenburg/O.L., from the consultation to the last email."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import nats
import pytest
from nats.aio.msg import Msg

from operations.demo.story import ROTHENBURG, Told, play
from operations.embedded.servers import EmbeddedServers
from operations.running.local import System
from tests.conftest import loaded_system
from tests.stories.binding import violations


@pytest.fixture(scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """A system in which nothing else has happened."""
    with EmbeddedServers(tmp_path_factory.mktemp("rothenburg")) as servers:
        async with loaded_system(servers) as running:
            yield running


@pytest.fixture(scope="module")
async def told(system: System) -> Told:
    return await play(system, lambda _: None)


@pytest.fixture(scope="module")
async def messages(system: System, told: Told) -> list[Msg]:
    """All messages of the stream, as anybody reads them."""
    assert told.events
    client = await nats.connect(system.settings.nats_url)
    try:
        reading = await client.jetstream().subscribe("membership.>", stream="MEMBERSHIP", ordered_consumer=True)
        stored = (await client.jetstream().stream_info("MEMBERSHIP")).state.messages
        return [await reading.next_msg(timeout=5) for _ in range(stored)]
    finally:
        await asyncio.wait_for(client.close(), 5)


async def test_every_message_keeps_the_rules_of_cloudevents_and_its_schema(messages: list[Msg]) -> None:
    assert len(messages) > 700
    assert {message.subject: broken for message in messages if (broken := violations(message))} == {}


async def test_every_schema_that_a_message_names_is_served(messages: list[Msg]) -> None:
    uris = {(message.headers or {})["ce-dataschema"] for message in messages}
    async with httpx.AsyncClient() as stranger:
        assert {uri: (await stranger.get(uri)).status_code for uri in uris} == dict.fromkeys(uris, 200)


async def test_the_alliance_has_one_member_more(told: Told) -> None:
    before, after = told.figures_before, told.figures_after
    assert [before[figure] for figure in ("on", "advised", "working_closely", "members")] == ["2023-01-27", 134, 58, 46]
    assert [after[figure] for figure in ("on", "advised", "working_closely", "members")] == ["2023-01-27", 134, 58, 47]


async def test_the_figures_by_police_directorate_and_size_class_add_up(told: Told) -> None:
    for figures in (told.figures_before, told.figures_after):
        for part in ("by_police_directorate", "by_size_class"):
            for figure in ("advised", "working_closely", "members"):
                assert sum(one[figure] for one in figures[part].values()) == figures[figure]
    goerlitz = [figures["by_police_directorate"]["PD Görlitz"] for figures in (told.figures_before, told.figures_after)]
    assert goerlitz[1]["members"] - goerlitz[0]["members"] == 1


async def test_every_fact_is_published_once_and_in_order(told: Told) -> None:
    agreement = told.agreement_id
    assert [(event["type"].split(".")[1], event["subject"]) for event in told.events] == [
        ("consultation_held", ROTHENBURG),
        ("action_fields_chosen", ROTHENBURG),
        ("agreement_drafted", agreement),
        ("agreement_ready", agreement),
        *[("agreement_signed_by_party", agreement)] * 4,
        ("agreement_signed", agreement),
        ("member_joined", ROTHENBURG),
    ]


async def test_all_who_are_to_be_told_of_the_new_member_are_told_once(told: Told) -> None:
    news = ("In Kraft", "Für die Presse", "Willkommen", "Neues Mitglied")
    assert sorted(mail.to for mail in told.emails if mail.subject.startswith(news)) == [
        "geschaeftsfuehrung@lpr-sachsen.example",
        "leitung@pd-goerlitz.example",
        "presse@smi-sachsen.example",
        "rathaus@bad-muskau.example",
        "rathaus@goerlitz.example",
        "rathaus@krauschwitz-i-d-o-l.example",
        "rathaus@loebau.example",
        "rathaus@rothenburg-o-l.example",
        "rathaus@seifhennersdorf.example",
        "rathaus@weisswasser-o-l.example",
        "rathaus@zittau.example",
    ]


async def test_no_email_comes_twice(told: Told) -> None:
    assert len({mail.message_id for mail in told.emails}) == len(told.emails) == 25


async def test_every_email_names_the_file_and_carries_the_headers_of_an_automatic_one(told: Told) -> None:
    for mail in told.emails:
        assert told.agreement_id in mail.subject or ROTHENBURG in mail.subject
        assert mail.message["Auto-Submitted"] == "auto-generated"
        assert mail.message["X-Auto-Response-Suppress"] == "All"
        assert [part.get_content_type() for part in mail.message.iter_parts()] == ["text/plain", "text/html"]
        assert not mail.message.defects


async def test_nobody_is_told_of_history(told: Told, system: System) -> None:
    deliveries = await system.services[1].database["deliveries"].distinct("event_id")
    assert set(deliveries) <= {event["id"] for event in told.events}
