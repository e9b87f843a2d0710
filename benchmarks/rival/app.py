"""The application: API, relay, subscriber and mailer in one process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats
from litestar import Litestar

from benchmarks.rival.api import routes
from benchmarks.rival.mailer import Mailer
from benchmarks.rival.relay import relay, set_up_stream
from benchmarks.rival.store import JarFilled, Store
from benchmarks.rival.subscriber import connected
from services.notifications.settings import NotificationsSettings


def create(settings: NotificationsSettings) -> Litestar:
    """The application; its parts run for as long as its lifespan does."""
    store = Store(settings.mongo_uri)
    mailer = Mailer(settings.smtp_host, settings.smtp_port, settings.mail_from)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with _at_work(settings, store, mailer):
            yield

    return Litestar(routes(store, settings.token_public_key), lifespan=[lifespan], openapi_config=None)


@asynccontextmanager
async def _at_work(settings: NotificationsSettings, store: Store, mailer: Mailer) -> AsyncIterator[None]:
    async def react(event: JarFilled) -> None:
        if await store.react(event):
            await mailer.deliver(store, {"_id": event.id, "jar": event.jar, "amount": event.amount})

    client = await nats.connect(settings.nats_url, max_reconnect_attempts=-1)
    js = client.jetstream()
    await asyncio.gather(store.set_up(), set_up_stream(js))
    broker = connected(settings.nats_url, react)
    await broker.start()
    tasks = [asyncio.create_task(relay(store, js)), asyncio.create_task(mailer.sweep(store))]
    try:
        yield
    finally:
        await broker.stop()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await client.close()
        store.client.close()
