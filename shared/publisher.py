"""Publishing with many acknowledgements under way at once: nobody waits for the answer to somebody else's event."""

import asyncio
import itertools

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import APIError, NoStreamResponseError

from shared.cloudevents import Envelope

TIMEOUT_SECONDS = 5.0
"""Until an acknowledgement counts as lost, and the event as perhaps stored."""

NOBODY_LISTENS = "503"


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
        if client is not self._client:
            await self._listen(client)
        number = str(next(self._numbers))
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            await client.publish(
                envelope.address, envelope.body, reply=f"{self._inbox}.{number}", headers=envelope.headers()
            )
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await answer
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
