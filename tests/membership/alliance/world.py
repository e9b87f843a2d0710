"""Municipalities and agreements with the real use cases; time goes on, and news arrive, when somebody says so."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from services.membership.deadlines import deadlines
from services.membership.domain.agreement import Agreement
from services.membership.domain.analysis import SecurityAnalysis
from services.membership.domain.municipality import Municipality
from services.membership.domain.people import Person
from services.membership.domain.template import Template
from services.membership.records import Records
from services.membership.subscribers import subscribers
from shared.events import all_events
from shared.kernel.cause import Cause
from shared.kernel.clock import berlin_day
from shared.kernel.cloudevents import Envelope
from shared.kernel.errors import Refused
from shared.kernel.event import Event
from shared.store.mongo import Document
from shared.store.rows import row_envelope
from shared.web.rights import Actor
from tests.membership.alliance.memory import ONE_ACTIVE, Interrupted, Kept, Memory, run

KINDS = {kind.type: kind for kind in all_events()}
SERVICE, OPERATORS = "service:membership", "asskomm load"


@dataclass(frozen=True)
class Logged:
    """An event as everybody reads it, from JSON; the day on which it was recorded, and by whom."""

    subject: str
    event: Event
    day: date
    actor: str


class World:
    """All that membership keeps, a clock, the log of events, and the news that have not arrived yet."""

    def __init__(self, today: date) -> None:
        self.now = datetime(today.year, today.month, today.day, 10, 30, tzinfo=UTC)
        self.log: list[Logged] = []
        self.pending: dict[str, list[Envelope]] = {}
        """By aggregate, in order."""
        self.arrived: list[Envelope] = []
        self.memory = Memory(self._tell)
        self.records = Records(
            municipalities=Kept(self.memory, "municipalities", Municipality, key="ags"),
            agreements=Kept(self.memory, "agreements", Agreement, indexes=[ONE_ACTIVE]),
            analyses=Kept(self.memory, "analyses", SecurityAnalysis),
            templates=Kept(self.memory, "templates", Template),
            people=Kept(self.memory, "people", Person),
        )
        self._reactions = subscribers(self.records).functions
        [self._deadline] = deadlines(self.records.agreements)

    @property
    def today(self) -> date:
        return berlin_day(self.now)

    @property
    def municipalities(self) -> Sequence[Municipality]:
        return run(self.records.municipalities.all({}))

    @property
    def agreements(self) -> Sequence[Agreement]:
        """All of them, in the order in which they were drafted."""
        return [self.agreement(id) for id in self.memory.documents["agreements"]]

    def municipality(self, ags: str) -> Municipality:
        return run(self.records.municipalities.get(ags))

    def agreement(self, id: str) -> Agreement:
        return run(self.records.agreements.get(id))

    def cause(self, actor: str) -> Cause:
        return Cause(actor=actor, at=self.now, id="", trace="")

    def events(self, subject: str) -> list[Event]:
        """The events of an aggregate, in order."""
        return [logged.event for logged in self.log if logged.subject == subject]

    def ask(
        self, who: Actor, right: Callable[[], None], act: Callable[[Cause], Coroutine[Any, Any, object]]
    ) -> Refused | None:
        """Somebody asks for something, and gets it or is refused; a refusal changes nothing."""
        before = self._everything()
        try:
            right()
            run(act(self.cause(who.subject)))
        except Refused as refused:
            refusal = refused
        else:
            return None
        assert self._everything() == before, f"it was refused, and yet something changed: {refusal}"
        return refusal

    def advance(self, days: int, *, just_after_midnight: bool = False) -> None:
        """Time goes on, until late in a morning, or until some minutes after midnight in Saxony."""
        midnight = datetime.combine(self.today + timedelta(days=days), datetime.min.time(), UTC)
        self.now = midnight + (timedelta(minutes=-45) if just_after_midnight else timedelta(hours=10, minutes=30))

    @property
    def due(self) -> list[str]:
        """The agreements that the schedule finds."""
        documents = self.memory.documents["agreements"].items()
        return [id for id, one in documents if one["due_on"] and one["due_on"] <= self.today.isoformat()]

    def sweep(self) -> None:
        """What is due happens."""
        for id in self.due:
            run(self._deadline.fall_due(id, self.cause(SERVICE)))

    def deliver(self, subject: str, *, interrupted_after: int | None = None) -> None:
        """The next news of an aggregate arrive, and come again, even if the process has ended after so many commits."""
        news = self.pending[subject].pop(0)
        if not self.pending[subject]:
            del self.pending[subject]
        self.memory.interrupted_after = interrupted_after
        try:
            self.react(news)
        except Interrupted:
            self.memory.interrupted_after = None
            self.react(news)
        self.memory.interrupted_after = None
        self.arrived.append(news)
        before = len(self.log)
        self.react(news, once=f"forgotten:{len(self.arrived)}")
        assert len(self.log) == before, "twice is the same as once, also where nobody remembers the first time"

    def deliver_all(self, *, last_first: bool = False) -> None:
        """All news arrive, those of one aggregate in order."""
        while self.pending:
            self.deliver(list(self.pending)[-1 if last_first else 0])

    def react(self, news: Envelope, once: str | None = None) -> None:
        """React to news; the same `once` has its effect one time only."""
        kind = KINDS[news.type]
        cause = Cause(actor=SERVICE, at=self.now, id=news.id, trace="", once=once or f"event:{news.id}")
        run(self._reactions[kind](msgspec.json.decode(news.body, type=kind), cause))

    def _everything(self) -> tuple[int, dict[str, dict[str, Document]]]:
        return len(self.log), {name: dict(documents) for name, documents in self.memory.documents.items()}

    def _tell(self, row: Document) -> None:
        envelope, kind = row_envelope(row), KINDS[row["type"]]
        event = msgspec.json.decode(envelope.body, type=kind)
        self.log.append(Logged(subject=row["subject"], event=event, day=berlin_day(row["at"]), actor=row["actor"]))
        if kind in self._reactions:
            self.pending.setdefault(row["subject"], []).append(envelope)
