"""Accessions, played over HTTP by whoever a test needs, with patience for processes that die in between."""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from operations.story import LPR, MINISTRY
from shared.auth import Actor, Role, actor, issue_token

DAY = "2023-01-27"
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Town:
    """A municipality without an agreement."""

    ags: str
    police_directorate: str

    @property
    def office(self) -> Actor:
        return actor(f"office/{self.ags}", Role.MUNICIPALITY, ags=frozenset({self.ags}))

    @property
    def police(self) -> Actor:
        return actor("police", Role.POLICE, police_directorate=self.police_directorate)

    @property
    def signatures(self) -> list[tuple[Actor, str]]:
        """Who signs for which party."""
        return [
            (self.office, f"municipality:{self.ags}"),
            (self.police, f"police_directorate:{self.police_directorate}"),
            (LPR, "lpr"),
            (MINISTRY, "ministry"),
        ]


class Office:
    """Sends requests as somebody, each under an Idempotency-Key, and again until there is an answer."""

    def __init__(self, http: httpx.AsyncClient, private_key: str, revive: Callable[[], None] = lambda: None) -> None:
        self._http, self._key, self._revive = http, private_key, revive
        self._tokens: dict[Actor, str] = {}

    async def post(self, who: Actor, path: str, key: str | None = None, **body: Any) -> httpx.Response:
        """The answer to a request; the same request is sent again, under the same key, while there is none."""
        headers = {"Authorization": f"Bearer {self.token(who)}", "Idempotency-Key": key or secrets.token_hex(8)}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = await self._http.post(path, json=body, headers=headers)
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
                self._revive()
                await asyncio.sleep(0.05)
            else:
                if answer.status_code != 503 or time.monotonic() > deadline:
                    return answer

    async def get(self, who: Actor, path: str) -> httpx.Response:
        return await self._http.get(path, headers={"Authorization": f"Bearer {self.token(who)}"})

    def token(self, who: Actor) -> str:
        if who not in self._tokens:
            self._tokens[who] = issue_token(who, self._key)
        return self._tokens[who]

    async def ready_agreement(self, town: Town) -> str:
        """Draft an agreement and open it for signature; its file number."""
        drafted = await self.post(LPR, "/membership/v1/agreements", municipalities=[town.ags])
        assert drafted.status_code == 201, drafted.text
        id = drafted.json()["id"]
        ready = await self.post(LPR, f"/membership/v1/agreements/{id}/readiness", ready_on=DAY)
        assert ready.status_code == 201, ready.text
        return str(id)

    async def sign(self, who: Actor, agreement: str, party: str, key: str | None = None) -> httpx.Response:
        path = f"/membership/v1/agreements/{agreement}/signatures"
        return await self.post(who, path, key, **signature(party))

    async def accession(self, town: Town) -> str:
        """A whole accession; the file number of its agreement."""
        agreement = await self.ready_agreement(town)
        for who, party in town.signatures:
            answer = await self.sign(who, agreement, party)
            assert answer.status_code == 201, answer.text
        return agreement


def signature(party: str) -> dict[str, str]:
    return {
        "party": party,
        "person": "Amtsinhaberin oder Amtsinhaber",
        "function": "Leitung",
        "signed_on": DAY,
        "place": "Dresden",
    }
