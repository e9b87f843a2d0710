"""A small domain to try the mechanisms on: jars that are filled and sealed, of which each label exists once."""

import asyncio
import secrets
from dataclasses import replace
from typing import Any, ClassVar

from operations.embedded.servers import EmbeddedServers
from operations.running.setup import set_up_database
from shared.kernel.cause import Cause
from shared.kernel.clock import system_clock
from shared.kernel.decision import Decision, Evolve
from shared.kernel.errors import Refused
from shared.kernel.ids import new_id, new_trace
from shared.kernel.value import value
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.store.mongo import Document
from shared.store.repository import Index, Repository
from shared.store.rows import EVENTS
from shared.store.store import Store


@value
class JarFilled:
    """Something was put into a jar; the first time the jar is put on the shelf."""

    type: ClassVar[str] = "kitchen.jar_filled.v1"

    jar: str
    amount: int


@value
class JarSealed:
    """A jar was closed for good."""

    type: ClassVar[str] = "kitchen.jar_sealed.v1"

    jar: str


class Sealed(Refused):
    """Nothing goes into a jar that is sealed."""

    code = "jar_sealed"


@value
class Jar:
    """A jar on the shelf."""

    id: str
    label: str
    content: int = 0
    sealed: bool = False


evolve = Evolve[Jar](
    creates={JarFilled: lambda event: Jar(id=event.jar, label=event.jar, content=event.amount)},
    changes={
        JarFilled: lambda jar, event: replace(jar, content=jar.content + event.amount),
        JarSealed: lambda jar, _: replace(jar, sealed=True),
    },
)


def fill_jar(jar: Jar, amount: int) -> Decision[Jar]:
    """Put something in; nothing at all changes nothing."""
    if jar.sealed:
        raise Sealed(f"jar {jar.id} is sealed with {jar.content}")
    if amount == 0:
        return jar, []
    return evolve.decision(jar, JarFilled(jar=jar.id, amount=amount))


def seal_jar(jar: Jar) -> Decision[Jar]:
    """Close it for good."""
    if jar.sealed:
        raise Sealed(f"jar {jar.id} is sealed already")
    return evolve.decision(jar, JarSealed(jar=jar.id))


class Kitchen:
    """One service with a database of its own, set up as in production."""

    def __init__(self, servers: EmbeddedServers) -> None:
        name = f"kitchen_{secrets.token_hex(6)}"
        settings = Settings(mongo_uri=servers.mongo_uri, nats_url=servers.nats_url, token_public_key="")
        self.service = Service(name, settings)
        self.database = self.service.database
        self.store = self.service.store
        self.jars: Repository[Jar] = self.service.repository(
            "jars", Jar, evolve=evolve, indexes=[Index(("label",), unique=True)]
        )

    async def open(self) -> None:
        await set_up_database(self.service)
        self.database.open()

    async def empty(self) -> None:
        """Leave nothing but collections and indexes."""
        names = await self.database.database.list_collection_names()
        await asyncio.gather(*(self.database[name].delete_many({}) for name in names))

    async def close(self) -> None:
        await self.database.client.drop_database(self.service.name)
        await self.database.close()

    async def add(self, id: str, content: int = 0) -> Jar:
        """A new jar, without events."""
        return await self.jars.add(Jar(id=id, label=f"Label {id}", content=content), [], cause())

    async def fill(self, id: str, amount: int = 1, why: Cause | None = None) -> Jar:
        return await self.jars.change(id, lambda jar: fill_jar(jar, amount), why or cause())

    def replica(self) -> Repository[Jar]:
        """The jars, as another process on the same database changes them."""
        return Repository(Store(self.database), "jars", Jar, evolve=evolve)

    async def rows(self, **where: Any) -> list[Document]:
        """The event rows, as they are stored, in the order of their ids."""
        return [row async for row in self.database[EVENTS].find(where).sort("_id")]


def cause(once: str | None = None, digest: str = "", **more: Any) -> Cause:
    """Why something changes; each time for another reason, unless `once` names it."""
    given: dict[str, Any] = {"actor": "cook", "at": system_clock(), "id": new_id(), "trace": new_trace()} | more
    return Cause(once=once, digest=digest, **given)
