"""The records of membership in a database of their own, for the tests of what is read from them."""

import secrets

from operations.embedded.servers import EmbeddedServers
from operations.running.setup import set_up_database
from services.membership.domain.agreement import Agreement
from services.membership.domain.analysis import SecurityAnalysis
from services.membership.domain.municipality import Municipality
from services.membership.records import records
from shared.kernel.cause import Cause
from shared.kernel.clock import system_clock
from shared.kernel.ids import new_id, new_trace
from shared.runtime.service import Service
from shared.runtime.settings import Settings


class Archive:
    """Membership without its HTTP API, set up as in production."""

    def __init__(self, servers: EmbeddedServers) -> None:
        settings = Settings(mongo_uri=servers.mongo_uri, nats_url=servers.nats_url, token_public_key="")
        self.service = Service(f"archive_{secrets.token_hex(6)}", settings)
        self.database = self.service.database
        self.records = records(self.service)

    async def open(self) -> None:
        await set_up_database(self.service)
        self.database.open()

    async def close(self) -> None:
        await self.database.client.drop_database(self.service.name)
        await self.database.close()

    async def keep(self, *states: Municipality | Agreement | SecurityAnalysis) -> None:
        """Store states as they are, without events."""
        cause = Cause(actor="archive", at=system_clock(), id=new_id(), trace=new_trace())
        repositories = {repository.kind: repository for repository in self.service.repositories}
        await self.service.store.commit(cause, *(repositories[type(state)].putting(state) for state in states))
