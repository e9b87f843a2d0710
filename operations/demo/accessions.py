"""Accessions, played over HTTP by their staff, with patience for services that are away for a while."""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx

from shared.web.rights import Actor, Role, actor
from shared.web.tokens import issue_token

DAY = date(2023, 1, 27)
"""The day of the story, and of every accession here."""
PATIENCE_SECONDS = 30.0

LPR = actor("lpr/geschaeftsstelle", Role.LPR)
MINISTRY = actor("smi/ministerbuero", Role.MINISTRY)


@dataclass(frozen=True)
class Town:
    """A municipality without an agreement."""

    ags: str
    police_directorate: str

    @property
    def office(self) -> Actor:
        """The mayor's office."""
        return actor(f"office/{self.ags}", Role.MUNICIPALITY, self.ags)

    @property
    def police(self) -> Actor:
        """The police directorate that it belongs to."""
        return actor("police", Role.POLICE, self.police_directorate)

    @property
    def signatures(self) -> list[tuple[Actor, str]]:
        """The signing actor of each party."""
        return [
            (self.office, f"municipality:{self.ags}"),
            (self.police, f"police_directorate:{self.police_directorate}"),
            (LPR, "lpr"),
            (MINISTRY, "ministry"),
        ]


class Staff:
    """Sends requests as somebody, each under an Idempotency-Key, and again until there is an answer."""

    def __init__(self, http: httpx.AsyncClient, private_key: str, revive: Callable[[], None] = lambda: None) -> None:
        self._http, self._key, self._revive = http, private_key, revive
        self._tokens: dict[Actor, str] = {}

    async def post(
        self, who: Actor, path: str, key: str | None = None, *, method: str = "POST", **body: Any
    ) -> httpx.Response:
        """The answer to a request; the same request is sent again, under the same key, while there is none."""
        headers = {"Authorization": f"Bearer {self.token(who)}", "Idempotency-Key": key or secrets.token_hex(8)}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = await self._http.request(method, path, json=body, headers=headers)
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
                self._revive()
                await asyncio.sleep(0.05)
            else:
                if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
                    return answer

    async def get(self, who: Actor, path: str) -> httpx.Response:
        """The answer to a question."""
        return await self._http.get(path, headers={"Authorization": f"Bearer {self.token(who)}"})

    def token(self, who: Actor) -> str:
        """A bearer token, the same one each time."""
        if who not in self._tokens:
            self._tokens[who] = issue_token(who, self._key)
        return self._tokens[who]

    async def ready_agreement(self, town: Town) -> str:
        """Draft an agreement and open it for signature; its file number."""
        drafted = accepted(await self.post(LPR, "/membership/v1/agreements", municipalities=[town.ags]))
        id = str(drafted["id"])
        accepted(await self.post(LPR, f"/membership/v1/agreements/{id}/readiness", ready_on=str(DAY)))
        return id

    async def sign(self, who: Actor, agreement: str, party: str, key: str | None = None) -> httpx.Response:
        """The answer to one party's signature."""
        path = f"/membership/v1/agreements/{agreement}/signatures"
        return await self.post(who, path, key, **signature(party))

    async def accession(self, town: Town) -> str:
        """A whole accession; the file number of its agreement."""
        agreement = await self.ready_agreement(town)
        for who, party in town.signatures:
            accepted(await self.sign(who, agreement, party))
        return agreement


def accepted(answer: httpx.Response) -> dict[str, Any]:
    """Return the body of a response that must be a success."""
    if not answer.is_success:
        raise RuntimeError(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}")
    found: dict[str, Any] = answer.json()
    return found


def signature(party: str) -> dict[str, str]:
    """A signature as it is sent."""
    return {
        "party": party,
        "person": "Amtsinhaberin oder Amtsinhaber",
        "function": "Leitung",
        "signed_on": str(DAY),
        "place": "Dresden",
    }
