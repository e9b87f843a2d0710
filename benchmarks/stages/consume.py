"""Reacting to events: each takes effect once, through an inbox; here the effect is one more document.

The floor reads, decodes and acknowledges the same messages without a database, using overlapping pull requests. The
rival has one transaction per message, with up to 100 messages at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import msgspec
import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig

from benchmarks.jar import JarFilled, Jars, bodies, forget, fresh, jetstream, shelf
from benchmarks.measure import Bench, Goal, Row, Sample, until
from benchmarks.rival import store as rivals
from benchmarks.rival.relay import set_up_stream
from benchmarks.rival.subscriber import DURABLE, connected
from benchmarks.stages.relay import publish_all
from shared.kernel.cloudevents import read_envelope

NAME = "consume"
EVENTS = 20_000
SECONDS = 2.0
PULL = 256
FLOOR = "floor"


async def run(bench: Bench) -> list[Row]:
    """Let each consumer read equal backlogs; it may stop early if it has read everything."""
    settings, count = bench.settings(), bench.scaled(EVENTS)
    bench.say(f"publish {count} events for each")
    await fresh(settings, Jars(settings).service)
    await publish_all(settings, bodies(count))
    async with jetstream(settings) as js:
        await set_up_stream(js)
        async with asyncio.TaskGroup() as publishing:
            for number in range(count):
                publishing.create_task(_publish_rivals(js, number))
                if number % PULL == 0:
                    await asyncio.sleep(0.01)
        bench.say("consume")
        results = await bench.interleaved(
            floor=lambda: _floor(bench, js, count),
            ours=lambda: _ours(bench, count),
            rival=lambda: _rival(bench, js, count),
        )
    share = results.ratio("ours", "floor", lambda one: one.rate)
    note = f"{results.cpus()}; {share:.2f} × floor"
    return [
        results.row(NAME, "inbox and effect", "/s", lambda one: one.rate, Goal(least=6, against="rival"), note=note)
    ]


async def _publish_rivals(js: JetStreamContext, number: int) -> None:
    event = rivals.JarFilled(
        id=f"event-{number}", jar=f"made-{number % 1000}", amount=1, version=1, at=datetime.now(UTC)
    )
    await js.publish(f"{rivals.FILLED}.{event.jar}", event.model_dump_json().encode(), stream=rivals.STREAM, timeout=60)


async def _ours(bench: Bench, count: int) -> Sample:
    settings = bench.settings()
    service = shelf(settings)
    await fresh(settings, service)
    async with service.application([]).lifespan():
        return await _counted(bench, service.database["notes"].estimated_document_count, count)


async def _rival(bench: Bench, js: JetStreamContext, count: int) -> Sample:
    settings = bench.settings()
    await forget(js, rivals.STREAM, DURABLE)
    store = rivals.Store(settings.mongo_uri, "rival_inbox")
    await store.client.drop_database("rival_inbox")
    await store.set_up()
    broker = connected(settings.nats_url, store.react)
    await broker.start()
    try:
        return await _counted(bench, store.mails.estimated_document_count, count)
    finally:
        await broker.stop()
        store.client.close()


async def _counted(bench: Bench, effects: Callable[[], Awaitable[int]], count: int) -> Sample:
    """Count the effects after the first ones, for some time or until all are there."""
    await until(effects)
    loop = asyncio.get_running_loop()
    with bench.measured() as sample:
        first, began = await effects(), loop.time()

        async def enough() -> bool:
            sample.count = await effects() - first
            sample.seconds = loop.time() - began
            return sample.seconds > SECONDS or sample.count + first >= count

        await until(enough, every=0.02)
    return sample


async def _floor(bench: Bench, js: JetStreamContext, count: int) -> Sample:
    """Read everything with bare pull requests."""
    await forget(js, "JARS", FLOOR)
    config = ConsumerConfig(durable_name=FLOOR, ack_policy=AckPolicy.EXPLICIT, max_ack_pending=4 * PULL)
    await js.add_consumer("JARS", config)
    client = await nats.connect(bench.settings().nats_url)
    with bench.measured() as sample:
        await asyncio.wait_for(_pulled(client, count), 60)
        sample.count = count
    await client.close()
    return sample


async def _pulled(client: Client, count: int) -> None:
    """Decode and acknowledge each message; send the next request before the previous one is used up."""
    inbox, done, decode = client.new_inbox(), asyncio.Event(), msgspec.json.Decoder(JarFilled).decode
    pull = msgspec.json.encode({"batch": PULL, "expires": 30_000_000_000})
    seen = 0

    async def arrived(message: Msg) -> None:
        nonlocal seen
        if not message.reply:
            return  # A status message, such as the end of a request.
        decode(read_envelope(message.subject, message.headers or {}, message.data).body)
        await client.publish(message.reply, b"+ACK")
        seen += 1
        if seen % PULL == 0:
            await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.JARS.{FLOOR}", pull, reply=inbox)
        if seen == count:
            done.set()

    await client.subscribe(inbox, cb=arrived)
    for _ in range(2):
        await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.JARS.{FLOOR}", pull, reply=inbox)
    await done.wait()
    await client.flush()
