"""Somebody who asks the running system, and an API of one's own to ask."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
from litestar import Litestar

from operations.demo.accessions import LPR
from shared.web.application import application
from shared.web.rights import Actor
from shared.web.tokens import Tokens, issue_token, new_keys

MUNICIPALITIES = "/membership/v1/municipalities"
TOWN = f"{MUNICIPALITIES}/14521010"
FIELDS = f"{TOWN}/action-fields"


class Client:
    """Asks as somebody."""

    def __init__(self, http: httpx.AsyncClient, private_key: str, who: Actor) -> None:
        self._http, self._token = http, issue_token(who, private_key)

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self._http.get(path, params=query, headers=self._headers())

    async def choose(self, *action_fields: str, **headers: str) -> httpx.Response:
        """Set the action fields of the town."""
        return await self._http.put(FIELDS, json={"action_fields": action_fields}, headers=self._headers(**headers))

    def _headers(self, **more: str) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return {"Authorization": f"Bearer {self._token}", **named}


@asynccontextmanager
async def an_api(*routes: Any, ready: bool = True, who: Actor = LPR) -> AsyncIterator[httpx.AsyncClient]:
    """An API of one's own, made as every service makes its own, and asked as somebody with a good token."""

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        yield

    async def state() -> dict[str, bool]:
        return {"mongodb": True, "nats": ready}

    private_key, public_key = new_keys()
    app = application("kitchen", routes, tokens=Tokens(public_key), ready=state, lifespan=lifespan)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(cast("Any", app)),
        base_url="http://kitchen",
        headers={"Authorization": f"Bearer {issue_token(who, private_key)}"},
    ) as client:
        yield client
