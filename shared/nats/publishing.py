"""Publishing with many acknowledgements under way at once: nobody waits for the answer to somebody else's event."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import APIError, NoStreamResponseError

from shared.kernel.cloudevents import Envelope
from shared.kernel.ids import new_id

TIMEOUT_SECONDS = 5.0
"""Until an acknowledgement counts as lost, and the event as perhaps stored."""

NOBODY_LISTENS = "503"

AT_A_STRETCH = 64
"""How many events are handed to the connection before others get their turn."""


class _Acknowledgement(msgspec.Struct):
    """What a stream answers: where it has stored the event, or why it has not."""

    seq: int = 0
    error: dict[str, str | int] | None = None


class Publisher:
    """Publishes over one connection at a time; answers come to one inbox, each under the number of its event."""

    def __init__(self) -> None:
        self._client: Client | None = None
        self._inbox = ""
        self._beginning = asyncio.Lock()
        self._numbers = itertools.count()
        self._answers: dict[str, asyncio.Future[int]] = {}

    async def publish(self, client: Client, envelope: Envelope) -> int:
        """The place of an event in its stream, once it is stored.

        Raises NoStreamResponseError where there is no stream, APIError where the stream refuses, TimeoutError where it
        does not answer: then the event may be stored, and is to be published again under the same id.
        """
        async with self._answer(client) as (reply, answer):
            await client.publish(envelope.address, envelope.body, reply=reply, headers=envelope.headers())
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await answer

    async def publish_together(self, client: Client, envelopes: Sequence[Envelope]) -> int:
        """Publish at most 1000 events, all in this order or none; returns the place of the last one, once stored.

        Raises as `publish` does, and APIError where the stream has stored one of them before; ConnectionError where the
        connection is lost meanwhile. The server forgets a batch that is not complete.
        """
        async with self._answer(client) as (reply, answer):
            batch = new_id()
            for number, envelope in enumerate(envelopes, start=1):
                headers = envelope.headers()
                headers["Nats-Batch-Id"], headers["Nats-Batch-Sequence"] = batch, str(number)
                if number == len(envelopes):
                    headers["Nats-Batch-Commit"] = "1"
                    await client.publish(envelope.address, envelope.body, reply=reply, headers=headers)
                else:
                    await client.publish(envelope.address, envelope.body, headers=headers)
                if number % AT_A_STRETCH == 0:
                    await asyncio.sleep(0)
                    if not client.is_connected:
                        raise ConnectionError("connection to nats lost in the middle of a batch")
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await answer

    @asynccontextmanager
    async def _answer(self, client: Client) -> AsyncIterator[tuple[str, "asyncio.Future[int]"]]:
        """Where an answer is to be sent, and the answer."""
        if client is not self._client:
            await self._listen(client)
        number = str(next(self._numbers))
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            yield f"{self._inbox}.{number}", answer
        finally:
            del self._answers[number]

    async def _listen(self, client: Client) -> None:
        async with self._beginning:
            if client is self._client:
                return
            inbox = client.new_inbox()
            await client.subscribe(f"{inbox}.*", cb=self._answered)
            # Only now: had this failed before, nobody would ever listen to the answers.
            self._client, self._inbox = client, inbox

    async def _answered(self, message: Msg) -> None:
        answer = self._answers.get(message.subject.rpartition(".")[2])
        if answer is None or answer.done():
            return
        if (message.headers or {}).get("Status") == NOBODY_LISTENS:
            answer.set_exception(NoStreamResponseError)
            return
        said = msgspec.json.decode(message.data, type=_Acknowledgement)
        if said.error is None:
            answer.set_result(said.seq)
            return
        try:
            APIError.from_error(said.error)  # It raises, whatever its name says.
        except APIError as refusal:
            answer.set_exception(refusal)
