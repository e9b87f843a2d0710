"""`asskomm replay` republishes what NATS has lost, in order, and nobody is notified twice."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import nats
import pytest
from typer.testing import CliRunner

from operations.care import replay as replaying
from operations.care.replay import NotReplayed, Replayed, replay, replayable, until_published
from operations.cli import app
from operations.demo import load as loading
from operations.demo.accessions import DAY, LPR, Staff, Town
from operations.embedded.mail_sink import read_mails
from operations.embedded.servers import EmbeddedServers
from operations.running.local import System, running_system
from operations.running.setup import set_up
from operations.services import create_services
from shared.kernel.errors import NotFound
from shared.store import lease
from shared.store.rows import EVENTS, row_envelope
from tests.lifespan import in_a_task_of_its_own
from tests.shared.pantry import Pantry, running_pantry
from tests.waiting import until

TOWN = Town("14625080", "PD Görlitz")
OTHER = Town("14625060", "PD Görlitz")


@pytest.fixture(scope="module", autouse=True)
def short_lease() -> Iterator[None]:
    """Shorten the wait for a lease to expire, which is tested elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lease, "LEASE_SECONDS", 0.3)
        yield


@pytest.fixture
async def pantry(servers: EmbeddedServers, tmp_path: Path) -> AsyncIterator[Pantry]:
    """A service that has published four events."""
    async with running_pantry(servers, tmp_path) as running:
        await running.fill("jam", "jam", "honey", "jam")
        await running.all_is_published()
        yield running


async def lose_the_end(pantry: Pantry) -> None:
    """Publish two more events, then restart NATS without them."""
    pantry.copy("older")
    await pantry.fill("jam", "plums")
    await pantry.all_is_published()
    pantry.lose(back_to="older")
    await pantry.is_found_lost()


async def stream_is_whole(pantry: Pantry) -> None:
    """Check that every event is in the stream once, with the same body, in order within its jar."""
    found = await pantry.published()
    assert sorted(found) == sorted((row.id, row.subject, row.version, row.body) for row in await pantry.rows())
    for jar in {jar for _, jar, _, _ in found}:
        versions = [version for _, one, version, _ in found if one == jar]
        assert versions == list(range(1, len(versions) + 1))


async def test_all_that_was_lost_is_published_again_before_what_came_later(pantry: Pantry) -> None:
    pantry.lose()
    await pantry.is_found_lost()
    await pantry.fill("jam", "plums")
    await pantry.set_up()
    assert await replay(pantry.service, pantry.server.url) == Replayed(events=6, missing=4)
    await until_published(pantry.service)
    await pantry.all_is_published()
    await stream_is_whole(pantry)
    assert (await pantry.service.ready())["stream"]


async def test_only_the_lost_end_of_a_stream_is_published_again(pantry: Pantry) -> None:
    await lose_the_end(pantry)
    assert await replay(pantry.service, pantry.server.url) == Replayed(events=6, missing=2)
    await until_published(pantry.service)
    await stream_is_whole(pantry)
    await pantry.fill("jam")
    await pantry.all_is_published()
    await stream_is_whole(pantry)


async def test_a_replay_that_breaks_off_holds_the_relay_back_until_the_next_one(
    pantry: Pantry, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: object) -> None:
        raise ConnectionError("broken off")

    await lose_the_end(pantry)
    with monkeypatch.context() as patch:
        patch.setattr(replaying, "note_stream", breaks)
        with pytest.raises(ConnectionError, match="broken off"):
            await replay(pantry.service, pantry.server.url)
    await pantry.has_swept()
    assert len(await pantry.published()) == 4
    assert await pantry.waiting() == 2
    await replay(pantry.service, pantry.server.url)
    await pantry.all_is_published()
    await stream_is_whole(pantry)


async def test_where_nothing_is_missing_nothing_is_done(pantry: Pantry) -> None:
    before = await pantry.published()
    assert await replay(pantry.service, pantry.server.url) == Replayed(events=4, missing=0)
    assert await pantry.waiting() == 0
    assert await pantry.published() == before


async def test_a_stream_with_a_later_event_but_not_the_earlier_one_is_refused(pantry: Pantry) -> None:
    pantry.lose()
    await pantry.is_found_lost()
    await pantry.set_up()
    later = (await pantry.rows())[-1]
    async with pantry.jetstream() as js:
        await js.publish(later.address, later.body, stream="KITCHEN", headers=later.headers())
    with pytest.raises(NotReplayed, match=r"has event 3 of jam and has lost event 1.*delete its data"):
        await replay(pantry.service, pantry.server.url)
    assert await pantry.waiting() == 0
    assert not await pantry.service.stream.whole()


async def test_a_stream_that_is_missing_is_set_up_first(pantry: Pantry) -> None:
    pantry.lose()
    with pytest.raises(NotReplayed, match="no stream KITCHEN: first run `asskomm setup`"):
        await replay(pantry.service, pantry.server.url)


async def test_a_service_that_does_not_publish_is_named(pantry: Pantry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "STANDS_STILL_SECONDS", 0.2)
    pantry.server.kill()
    await pantry.fill("jam")
    with pytest.raises(TimeoutError, match="kitchen has published nothing for 0 s, 1 events wait: does it run"):
        await until_published(pantry.service)


class Lossy:
    """The whole system, with few municipalities, on its own servers, which may be taken away."""

    def __init__(self, servers: EmbeddedServers, system: System) -> None:
        self.servers, self.system = servers, system
        self.membership = system.services[0]

    async def stored(self) -> list[tuple[str, bytes]]:
        """Return the id and body of each stored event, by aggregate and version."""
        found = self.membership.database[EVENTS].find().sort([("subject", 1), ("version", 1)])
        return [(row["_id"], row_envelope(row).body) async for row in found]

    async def published(self) -> list[tuple[str, bytes]]:
        """Return the same from the stream, where the order between aggregates may differ."""
        async with await nats.connect(self.servers.nats_url) as client:
            js = client.jetstream()
            count = (await js.stream_info("MEMBERSHIP")).state.messages
            found = [await js.get_msg("MEMBERSHIP", number) for number in range(1, count + 1)]
        found.sort(key=lambda one: (one.headers or {})["ce-subject"])
        return [((one.headers or {})["ce-id"], one.data or b"") for one in found]

    async def asskomm(self, *words: str) -> str:
        """Return the output of a command that runs beside the services."""
        told = await asyncio.to_thread(CliRunner().invoke, app, words, env={"ASSKOMM_VAR": str(self.servers.folder)})
        assert told.exit_code == 0, told.output
        return told.stdout

    def emails(self) -> list[tuple[str, str]]:
        return sorted((mail.to, mail.message_id) for mail in read_mails(self.servers.maildir))


@asynccontextmanager
async def two_towns(folder: Path) -> AsyncIterator[Lossy]:
    """The whole system, on its own servers, with two municipalities."""
    few, rows = {TOWN.ags, OTHER.ags, None}, loading.rows
    with EmbeddedServers(folder) as servers:
        async with running_system(servers, as_of=DAY) as system:
            with pytest.MonkeyPatch.context() as instead:
                instead.setattr(loading, "rows", lambda name: [row for row in rows(name) if row.get("ags") in few])
                await loading.load(system.environ)
            yield Lossy(servers, system)


@pytest.fixture(scope="module")
async def lossy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lossy]:
    async with in_a_task_of_its_own(two_towns(tmp_path_factory.mktemp("lossy"))) as lossy:
        yield lossy


async def test_after_all_was_lost_the_stream_is_filled_again_and_nobody_is_told_twice(lossy: Lossy) -> None:
    async with httpx.AsyncClient(base_url=lossy.system.url, timeout=30) as http:
        staff = Staff(http, lossy.system.settings.token_private_key)
        await staff.accession(TOWN)
        await lossy.system.quiet()
        emails = lossy.emails()
        assert emails

        lossy.servers.nats.destroy()
        lossy.servers.nats.start()
        await until(lossy.membership.stream.whole, lambda whole: not whole)
        assert (await http.get("/membership/health/ready")).json()["stream"] is False
        answer = await staff.post(LPR, f"/membership/v1/municipalities/{OTHER.ags}/interests", shown_on="2023-01-20")
    assert answer.status_code == 201, answer.text

    await set_up(create_services(lossy.system.environ), lossy.system.settings.nats_url)
    told = json.loads(await lossy.asskomm("replay", "--json"))
    events = len(await lossy.stored())
    assert told == {"membership": {"events": events, "missing": events - 1}}
    await lossy.system.quiet()
    assert await lossy.published() == await lossy.stored()
    now = lossy.emails()
    assert [one for one in emails if now.count(one) != 1] == []
    assert all((await lossy.membership.ready()).values())
    assert "none of them missing in the stream: nothing to do" in await lossy.asskomm("replay", "membership")


def test_a_service_without_events_has_nothing_to_publish_again(lossy: Lossy) -> None:
    assert [service.name for service in replayable(lossy.system.services, "")] == ["membership"]
    with pytest.raises(NotFound, match="notifications has no events; these have: membership"):
        replayable(lossy.system.services, "notifications")
