"""Sends due deliveries over SMTP on kept connections, and records the mail server's replies."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeAlias

import structlog

from services.notifications.domain import deliveries
from services.notifications.domain.deliveries import Delivery, State
from services.notifications.mailer.connection import Connection, NoAnswer, Permanent, Temporary, Unreached
from services.notifications.mailer.mime import mime
from services.notifications.records import Deliveries
from services.notifications.settings import NotificationsSettings
from shared.kernel.cause import Cause
from shared.kernel.decision import Decision
from shared.kernel.ids import new_id, new_trace
from shared.store.crashpoints import crashpoint
from shared.store.lease import Lease
from shared.store.mongo import OUTAGES

CONNECTIONS = 4
UNRECORDED = 16
"""Maximum number of unrecorded outcomes before the connections wait, and of those recorded together.

After a SIGKILL these emails and those on the wire are sent twice: docs/promises.md says how many. With 8 an email costs
a fifth more CPU time, because fewer are recorded together; with 32 a quarter more emails go out.
"""

GATHER_SECONDS = 0.003
"""Time for which outcomes are gathered, because recording a few at a time costs more than sending."""

BATCH = 256
"""Maximum number of emails claimed ahead of sending; after a crash their claims must expire first."""

SWEEP_SECONDS = 1.0

log = structlog.get_logger()


Report: TypeAlias = Callable[..., Delivery]
"""An outcome that still lacks its time."""


class Mailer:
    """Sends new deliveries of its own process at once, and due ones whenever it holds the lease.

    Each delivery is claimed in the database before it is sent, so only one process sends it. A claim that a crash left
    behind lapses, and the holder of the lease claims the delivery anew.
    """

    def __init__(self, deliveries: Deliveries, settings: NotificationsSettings, lease: Lease) -> None:
        self._deliveries, self._lease = deliveries, lease
        self._clock, self._sender = settings.clock, settings.mail_from
        self._attempt = timedelta(seconds=2 * settings.smtp_timeout)
        # A claim covers one attempt and an equally long wait before it.
        self._claim = 2 * self._attempt
        self._connections = [Connection(settings) for _ in range(CONNECTIONS)]
        self._claimed: asyncio.Queue[Delivery] = asyncio.Queue()
        self._in_hand: set[str] = set()
        """Deliveries that this process is sending, whose claims have not lapsed even if a clock has jumped."""
        self._outcomes: list[tuple[Delivery, Report]] = []
        self._room = asyncio.Semaphore(UNRECORDED)
        self._recording: asyncio.Task[None] | None = None

    def claim(self, delivery: Delivery) -> Delivery:
        """Claim a new delivery before it is stored, if it can be sent at once."""
        busy = self._claimed.qsize() >= BATCH
        return delivery if busy else deliveries.claim(delivery, delivery.created_at, self._claim, new_id())[0]

    def send(self, delivery: Delivery) -> None:
        """Send a stored delivery, if it was claimed."""
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
        """Claim due deliveries, and continue at once while there are more."""
        while True:
            try:
                while await self._lease.held() and await self._claim_due():
                    await self._claimed.join()
            except OUTAGES as error:
                log.warning("mailer waits for mongodb", error=repr(error))
            await asyncio.sleep(SWEEP_SECONDS)

    async def _claim_due(self) -> int:
        """Claim up to BATCH due deliveries; returns how many were due."""
        now, claim = self._clock(), new_id()
        is_due = {
            "state": {"$in": [State.QUEUED, State.SENDING]},
            "due_at": {"$lte": now},
            "_id": {"$nin": sorted(self._in_hand)},
        }
        due = await self._deliveries.all(is_due, order="due_at", limit=BATCH)

        begin = partial(deliveries.claim, now=now, within=self._claim, id=claim)
        changes = [self._deliveries.changing(delivery.id, begin) for delivery in due]
        claimed = await self._deliveries.store.commit(self._cause(), *changes)
        crashpoint("mailer.claimed")
        for delivery in claimed:
            if delivery.claim == claim:
                self.send(delivery)
        return len(due)

    async def _send_claimed(self, connection: Connection) -> None:
        while True:
            delivery = await self._claimed.get()
            try:
                # After too long a wait another process may claim it before this attempt ends.
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
            outcome = partial(deliveries.postponed, reply="no answer in time", unknown=True)
        except Unreached as error:
            outcome = partial(deliveries.unreached, reply=str(error))
        except Temporary as error:
            outcome = partial(deliveries.postponed, reply=str(error))
        except NoAnswer as error:
            outcome = partial(deliveries.postponed, reply=str(error), unknown=True)
        except (Permanent, ValueError) as error:
            outcome = partial(deliveries.refused, reply=str(error))
        else:
            outcome = partial(deliveries.accepted, reply=reply)
        crashpoint("mailer.before_record")
        await self._record(delivery, outcome)

    async def _record(self, delivery: Delivery, outcome: Report) -> None:
        """Record an outcome in the background; waits while too many are unrecorded."""
        await self._room.acquire()
        self._outcomes.append((delivery, outcome))
        if self._recording is None or self._recording.done():
            self._recording = asyncio.create_task(self._record_all())

    async def _record_all(self) -> None:
        """Record all outcomes so far together, until there are none."""
        while self._outcomes:
            if not self._claimed.empty():
                await asyncio.sleep(GATHER_SECONDS)
            outcomes, self._outcomes = self._outcomes, []
            try:
                await self._record_together(outcomes)
            except Exception:
                # As after a crash: the claims lapse and the emails are sent again.
                log.exception("outcomes of emails are lost")
            for delivery, _ in outcomes:
                self._in_hand.discard(delivery.id)
                self._room.release()

    async def _record_together(self, outcomes: Sequence[tuple[Delivery, Report]]) -> None:
        """Record outcomes; retries while MongoDB is away, or the emails would be sent twice."""
        now = self._clock()
        changes = [
            self._deliveries.changing(delivery.id, _settling(delivery.claim, outcome, now))
            for delivery, outcome in outcomes
        ]
        while True:
            try:
                recorded: list[Delivery] = await self._deliveries.store.commit(self._cause(), *changes)
            except OUTAGES as error:
                log.warning("mailer waits for mongodb", error=repr(error))
                await asyncio.sleep(1)
            else:
                crashpoint("mailer.after_record")
                for delivery in recorded:
                    log.info(
                        "email",
                        delivery=delivery.id,
                        about=delivery.event_id,
                        template=delivery.template,
                        state=delivery.state,
                    )
                return

    def _cause(self) -> Cause:
        return Cause(actor="service:notifications", at=self._clock(), id=new_id(), trace=new_trace())


def _settling(claim: str, outcome: Report, now: datetime) -> Callable[[Delivery], Decision[Delivery]]:
    return lambda delivery: deliveries.settle(delivery, claim, partial(outcome, now=now))


async def _to_the_end(sending: Coroutine[Any, Any, None]) -> None:
    """Finish and record an email in transmission even when cancelled, or it would be sent twice."""
    task = asyncio.create_task(sending)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise
