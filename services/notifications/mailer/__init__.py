"""Sends what is due over SMTP, on connections that are kept, and records what the mail server said."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from services.notifications.domain import Delivery, State
from services.notifications.mailer.connection import Connection, NoAnswer, Permanent, Temporary, Unreached
from services.notifications.mailer.mime import mime
from services.notifications.use_cases import Deliveries
from shared.kernel.cause import Cause
from shared.kernel.ids import new_id, new_trace
from shared.runtime.settings import Settings
from shared.store.crashpoints import crashpoint
from shared.store.lease import Lease
from shared.store.mongo import OUTAGES
from shared.store.repository import Decision

CONNECTIONS = 4
UNRECORDED = 16
"""How many outcomes may be unrecorded before the connections wait as well; as many are recorded together at most.

After a SIGKILL these emails come twice, and those that are on the wire: docs/promises.md says how many. With 8 an email
costs a fifth more CPU time, because fewer go together; with 32 a quarter more of them go out.
"""

GATHER_SECONDS = 0.003
"""For how long outcomes gather while there is more to send: a few at a time cost more than sending does."""

BATCH = 256
"""How many emails are claimed ahead of their sending at most; after a crash their claims have to lapse."""

SWEEP_SECONDS = 1.0

log = structlog.get_logger()


Outcome = Callable[..., Delivery]


class Mailer:
    """Sends deliveries: those handed to it by the process that stored them, and those that are due later.

    Each is claimed in the database before it is sent, so that nobody else sends it; a claim that was left behind by a
    crash lapses, and the holder of the lease claims it anew.
    """

    def __init__(self, deliveries: Deliveries, settings: Settings, lease: Lease) -> None:
        self._deliveries, self._lease = deliveries, lease
        self._clock, self._sender = settings.clock, settings.mail_from
        self._attempt = timedelta(seconds=2 * settings.smtp_timeout)
        # A claim holds for one attempt and for waiting as long before it.
        self._claim = 2 * self._attempt
        self._connections = [Connection(settings) for _ in range(CONNECTIONS)]
        self._claimed: asyncio.Queue[Delivery] = asyncio.Queue()
        self._in_hand: set[str] = set()
        """What we send just now, and so did not leave behind, whatever a clock says that has jumped."""
        self._outcomes: list[tuple[Delivery, Outcome]] = []
        self._room = asyncio.Semaphore(UNRECORDED)
        self._recording: asyncio.Task[None] | None = None

    def claim(self, delivery: Delivery) -> Delivery:
        """A new delivery as it is to be stored: claimed for us if we can send it at once, else for later."""
        busy = self._claimed.qsize() >= BATCH
        return delivery if busy else delivery.begin(delivery.created_at, self._claim, new_id())

    def send(self, delivery: Delivery) -> None:
        """Send a delivery that is stored by now, if it was claimed for us."""
        if delivery.state is State.SENDING:
            self._in_hand.add(delivery.id)
            self._claimed.put_nowait(delivery)

    async def run(self) -> None:
        """Send until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for connection in self._connections:
                    tasks.create_task(self._send_claimed(connection))
                tasks.create_task(self._sweep())
        finally:
            if self._recording:
                await self._recording
            for connection in self._connections:
                await connection.close()

    async def _sweep(self) -> None:
        """Claim what is due, and go on at once while there is more."""
        while True:
            try:
                while await self._lease.held() and await self._claim_due():
                    await self._claimed.join()
            except OUTAGES as error:
                log.warning("mailer waits for mongodb", error=repr(error))
            await asyncio.sleep(SWEEP_SECONDS)

    async def _claim_due(self) -> int:
        """Claim up to BATCH deliveries that are due; returns how many there were."""
        now, claim = self._clock(), new_id()
        is_due = {
            "state": {"$in": [State.QUEUED, State.SENDING]},
            "due_at": {"$lte": now},
            "_id": {"$nin": sorted(self._in_hand)},
        }
        due = await self._deliveries.all(is_due, order="due_at", limit=BATCH)

        def begin(one: Delivery) -> Decision[Delivery]:
            return one.begin(now, self._claim, claim), []

        steps = [self._deliveries.changing(one.id, begin) for one in due]
        claimed = await self._deliveries.store.commit(self._cause(), *steps)
        crashpoint("mailer.claimed")
        for one in claimed:
            if one.claim == claim:
                self.send(one)
        return len(due)

    async def _send_claimed(self, connection: Connection) -> None:
        while True:
            delivery = await self._claimed.get()
            try:
                # What has waited for too long may be claimed by somebody else before we are done with it.
                if self._clock() + self._attempt <= delivery.due_at:
                    await _to_the_end(self._send(connection, delivery))
                else:
                    self._in_hand.discard(delivery.id)
            finally:
                self._claimed.task_done()

    async def _send(self, connection: Connection, delivery: Delivery) -> None:
        structlog.contextvars.clear_contextvars()
        crashpoint("mailer.before_sending")
        try:
            async with asyncio.timeout(self._attempt.total_seconds()):
                reply = await connection.send(self._sender, delivery.to, mime(delivery, self._sender))
        except TimeoutError:
            await connection.close()
            outcome = partial(Delivery.postponed, reply="no answer in time", unknown=True)
        except Unreached as error:
            outcome = partial(Delivery.unreached, reply=str(error))
        except Temporary as error:
            outcome = partial(Delivery.postponed, reply=str(error))
        except NoAnswer as error:
            outcome = partial(Delivery.postponed, reply=str(error), unknown=True)
        except (Permanent, ValueError) as error:
            outcome = partial(Delivery.refused, reply=str(error))
        else:
            outcome = partial(Delivery.accepted, reply=reply)
        crashpoint("mailer.before_record")
        await self._record(delivery, outcome)

    async def _record(self, delivery: Delivery, outcome: Outcome) -> None:
        """Have recorded what the server said, beside the sending; waits while too much is unrecorded."""
        await self._room.acquire()
        self._outcomes.append((delivery, outcome))
        if self._recording is None or self._recording.done():
            self._recording = asyncio.create_task(self._record_all())

    async def _record_all(self) -> None:
        """Record all outcomes that are there in one go, until there are none."""
        while self._outcomes:
            if not self._claimed.empty():
                await asyncio.sleep(GATHER_SECONDS)
            outcomes, self._outcomes = self._outcomes, []
            try:
                await self._record_together(outcomes)
            except Exception:
                # As after a crash: the claims lapse, and the emails are sent again.
                log.exception("outcomes of emails are lost")
            for delivery, _ in outcomes:
                self._in_hand.discard(delivery.id)
                self._room.release()

    async def _record_together(self, outcomes: Sequence[tuple[Delivery, Outcome]]) -> None:
        """While MongoDB is away this is tried again and again, or the emails would come twice."""
        now = self._clock()
        steps = [self._deliveries.changing(one.id, _ended(one.claim, outcome, now)) for one, outcome in outcomes]
        while True:
            try:
                recorded: list[Delivery] = await self._deliveries.store.commit(self._cause(), *steps)
            except OUTAGES as error:
                log.warning("mailer waits for mongodb", error=repr(error))
                await asyncio.sleep(1)
            else:
                crashpoint("mailer.after_record")
                for one in recorded:
                    log.info("email", delivery=one.id, about=one.event_id, template=one.template, state=one.state)
                return

    def _cause(self) -> Cause:
        return Cause(actor="service:notifications", at=self._clock(), id=new_id(), trace=new_trace())


def _ended(claim: str, outcome: Outcome, now: datetime) -> Callable[[Delivery], Decision[Delivery]]:
    return lambda delivery: (delivery.ended(claim, partial(outcome, now=now)), [])


async def _to_the_end(sending: Coroutine[Any, Any, None]) -> None:
    """Finish and record what is on the wire, also when we are told to stop: it would come twice otherwise."""
    task = asyncio.create_task(sending)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise
