"""The clients of the system: offices that sign agreements, with each request recorded in the journal."""

import asyncio
import csv
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import eq
from pathlib import Path
from typing import Any

import httpx
import jwt

from tests.chaos.journal import Attempt, Outcome
from tests.chaos.process import Process
from tests.chaos.world import EVE, World

PATIENCE_SECONDS = 45.0
REQUEST_SECONDS = 8.0
ROLES = {"lpr": {"role": "lpr"}, "ministry": {"role": "ministry"}}
DATA = Path(__file__).resolve().parents[2] / "operations" / "demo" / "data"


@dataclass(frozen=True)
class Town:
    """A municipality without an agreement."""

    ags: str
    police: str

    @property
    def parties(self) -> dict[str, str]:
        """The signing parties, with the subject of each one's token."""
        return {
            f"municipality:{self.ags}": f"town/{self.ags}",
            f"police_directorate:{self.police}": f"police/{self.police}",
            "lpr": "lpr",
            "ministry": "ministry",
        }


def towns() -> list[Town]:
    """Return all municipalities that had no agreement in January 2023."""
    with (DATA / "alliance_2023-01.csv").open(encoding="utf-8") as file:
        known = {row["ags"] for row in csv.DictReader(file) if row["stage"] in {"member", "cooperating"}}
    with (DATA / "municipalities.csv").open(encoding="utf-8") as file:
        return [Town(row["ags"], row["police_directorate"]) for row in csv.DictReader(file) if row["ags"] not in known]


def agree(one: Any, other: Any) -> bool:
    """Tell whether two answers are equal in all fields that both versions of the service know."""
    match one, other:
        case dict(), dict():
            return all(agree(one[name], other[name]) for name in one.keys() & other.keys())
        case (list(), list()) | (tuple(), tuple()):
            return len(one) == len(other) and all(map(agree, one, other))
        case _:
            return bool(one == other)


class Offices:
    """All offices of one world; they retry while the system is down."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.random = world, random.Random(seed)
        self._towns = towns()
        self.random.shuffle(self._towns)
        self._private = (world.folder / "keys" / "token-private.pem").read_text()
        self._tokens: dict[str, str] = {}
        self._clients: dict[str, httpx.AsyncClient] = {}
        self.patience = PATIENCE_SECONDS
        self.pause = 0.05
        self.finished = 0
        """Accessions completed, as far as their offices know."""

    @property
    def towns_left(self) -> int:
        return len(self._towns)

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()

    @asynccontextmanager
    async def at_work(self, workers: int = 3) -> AsyncIterator[None]:
        """Run accessions concurrently until the end of `with`, and complete those that have started."""
        ended = asyncio.Event()

        async def work() -> None:
            while not ended.is_set() and self._towns:
                await self.accession()

        async with asyncio.TaskGroup() as tasks:
            for _ in range(workers):
                tasks.create_task(work())
            try:
                yield
            finally:
                ended.set()

    async def accessions(self, number: int, workers: int = 3) -> None:
        """Run so many accessions, several at a time."""
        left = iter(range(number))

        async def work() -> None:
            for _ in left:
                await self.accession()

        await asyncio.gather(*(work() for _ in range(workers)))

    def next_town(self) -> Town:
        """Return a municipality without an agreement that nobody else is working on."""
        return self._towns.pop()

    async def accession(self) -> None:
        """Play one municipality from interest to last signature; the parties sign in random order."""
        agreement, town = await self.ready_agreement()
        if agreement:
            await self.sign_all(agreement, town)

    async def ready_agreement(self) -> tuple[str, Town]:
        """Return an agreement awaiting signatures; an empty id if it is unknown whether it was drafted."""
        town = self.next_town()
        place, own = f"/membership/v1/municipalities/{town.ags}", f"town/{town.ags}"
        await self._ask(own, town.ags, "interest_shown", f"{place}/interests", shown_on=EVE)
        await self._ask("lpr", town.ags, "consultation_held", f"{place}/consultations", held_on=EVE)
        agreements = "/membership/v1/agreements"
        drafted = await self._ask("lpr", town.ags, "agreement_drafted", agreements, municipalities=[town.ags])
        if drafted.outcome is not Outcome.OK:
            return "", town
        agreement = str(drafted.answer["id"])
        await self._ask("lpr", agreement, "agreement_ready", f"{agreements}/{agreement}/readiness", ready_on=EVE)
        return agreement, town

    async def sign_all(self, agreement: str, town: Town) -> None:
        """Let every party sign."""
        parties = list(town.parties.items())
        self.random.shuffle(parties)
        signed = [await self._sign(who, agreement, party) for party, who in parties]
        self.finished += all(one.outcome is Outcome.OK for one in signed)

    async def _sign(self, who: str, agreement: str, party: str) -> Attempt:
        body = {"party": party, "person": "N. N.", "function": "Leitung", "signed_on": EVE, "place": "Dresden"}
        path = f"/membership/v1/agreements/{agreement}"
        attempt = await self._ask(who, agreement, "agreement_signed_by_party", f"{path}/signatures", **body)
        if attempt.outcome is Outcome.OK:
            await self._must_show(who, path, lambda seen: any(one["party"] == party for one in seen["signatures"]))
        return attempt

    async def _ask(self, who: str, about: str, event: str, path: str, **body: Any) -> Attempt:
        attempt = Attempt(who, path.rpartition("/")[2], about, expects={f"membership.{event}.v1": 1})
        await self.send(attempt, path, body)
        await asyncio.sleep(self.random.uniform(0, 2 * self.pause))
        return attempt

    async def send(self, attempt: Attempt, path: str, body: dict[str, Any], service: str = "membership") -> None:
        """Send until there is an answer or patience runs out; sometimes twice at once, like an impatient client."""
        deadline = time.monotonic() + self.patience
        twins = 2 if self.random.random() < 0.15 else 1
        while True:
            answers = await asyncio.gather(*(self._once(attempt, path, body, service) for _ in range(twins)))
            good = [answer for answer in answers if answer is not None and answer[0] < 300]
            same = agree if self.world.allowance.versions_differ else eq
            if not all(same(answer, good[0]) for answer in good):
                self.world.journal.complain(f"{attempt.what} {attempt.about}: one key, two answers: {good}")
            if attempt.outcome in {Outcome.OK, Outcome.FAILED} or time.monotonic() > deadline:
                return
            await asyncio.sleep(self.random.uniform(0.02, 0.2))

    async def _once(self, attempt: Attempt, path: str, body: dict[str, Any], service: str) -> tuple[int, Any] | None:
        journal, process = self.world.journal, self.random.choice(self.world.replicas(service))
        headers = self.headers(attempt)
        journal.invoked(attempt)
        try:
            answer = await self._client(process).post(path, json=body, headers=headers)
        except httpx.TransportError as error:
            journal.unanswered(attempt, repr(error))
            return None
        if answer.status_code >= 500:
            journal.unanswered(attempt, f"{answer.status_code} {answer.text}")
            return None
        journal.answered(attempt, answer.status_code, answer.json())
        return answer.status_code, answer.json()

    async def _must_show(self, who: str, path: str, holds: Callable[[Any], bool]) -> None:
        """Check that an accepted change can be read at once, from every replica that answers."""
        for process in self.world.replicas("membership"):
            try:
                answer = await self._client(process).get(path, headers=self._headers(who))
            except httpx.TransportError:
                continue
            if answer.is_success and not holds(answer.json()):
                self.world.journal.complain(f"{process.name} does not show what was accepted of {path}")

    def _client(self, process: Process) -> httpx.AsyncClient:
        if process.url not in self._clients:
            limits = httpx.Limits(keepalive_expiry=1.0)
            self._clients[process.url] = httpx.AsyncClient(
                base_url=process.url,
                timeout=REQUEST_SECONDS,
                limits=limits,
                verify=False,  # noqa: S501 -- there is no TLS here, and loading all certificates takes 50 ms
            )
        return self._clients[process.url]

    def headers(self, attempt: Attempt) -> dict[str, str]:
        """Return the headers of a request."""
        return self._headers(attempt.who) | {"Idempotency-Key": attempt.key, "traceparent": attempt.trace}

    def _headers(self, who: str) -> dict[str, str]:
        if who not in self._tokens:
            self._tokens[who] = self._token(who)
        return {"Authorization": f"Bearer {self._tokens[who]}"}

    def _token(self, who: str) -> str:
        role, _, area = who.partition("/")
        claims: dict[str, Any] = {"role": {"town": "municipality"}.get(role, role), "ags": [], "sub": who}
        if role == "town":
            claims["ags"] = [area]
        if role == "police":
            claims["police_directorate"] = area
        # Valid also for a service whose clock is an hour behind.
        now = datetime.now(UTC) - timedelta(hours=2)
        claims |= {"iss": "asskomm", "aud": "asskomm-services", "iat": now, "exp": now + timedelta(hours=12)}
        return jwt.encode(claims, self._private, algorithm="EdDSA")
