"""Each event that membership reacts to, delivered to its subscriber."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from services.membership.domain import ending, registry
from services.membership.domain.drafting import record
from services.membership.subscribers import subscribers
from shared.events.membership.agreements import AgreementEnded, AgreementPassedOn, AgreementSigned
from shared.events.membership.members import MemberJoined, MemberLeft
from shared.events.membership.municipalities import MunicipalityMerged
from shared.kernel.cloudevents import Envelope
from shared.kernel.event import Event
from shared.kernel.ids import new_trace
from shared.store.mongo import Document
from shared.store.rows import row_envelope
from tests.delivering import delivering
from tests.membership.alliance.memory import run
from tests.membership.alliance.world import OPERATORS, SERVICE, World
from tests.membership.examples import ID, PIRNA, ROTHENBURG, TODAY, ZITTAU

SINCE, LAST_DAY, MERGED_ON = date(2022, 1, 1), date(2022, 12, 31), date(2023, 1, 1)


class Rothenburg(World):
    """Rothenburg, whose agreement is signed, beside two municipalities without one; all events are kept."""

    def __init__(self) -> None:
        self.published: list[Envelope] = []
        super().__init__(TODAY)
        for municipality in (ROTHENBURG, PIRNA, ZITTAU):
            run(self.records.municipalities.add(municipality, [], self.cause(OPERATORS)))
        run(self.records.agreements.add(*record(ID, ROTHENBURG, SINCE), self.cause(OPERATORS)))

    def end(self) -> None:
        self.deliver(ID)
        end = self.records.agreements.changing(ID, lambda one: ending.end(one, one.remaining, LAST_DAY, "terminated"))
        run(self.memory.commit(self.cause(OPERATORS), end))

    def merge(self) -> None:
        self.deliver(ID)
        self._merge(ROTHENBURG.ags, into=PIRNA.ags)

    def pass_on(self) -> None:
        self.merge()
        self.deliver(ROTHENBURG.ags)

    def pass_on_to_a_merged_one(self) -> None:
        self.pass_on()
        self._merge(PIRNA.ags, into=ZITTAU.ags)

    def _merge(self, ags: str, *, into: str) -> None:
        successor, municipalities = self.municipality(into), self.records.municipalities
        merge = municipalities.changing(ags, lambda one: registry.merge(one, successor, MERGED_ON))
        run(self.memory.commit(self.cause(OPERATORS), merge))

    def last(self, kind: type[Event]) -> Envelope:
        found = [event for event in self.published if event.type == kind.type]
        return replace(found[-1], cause="request", trace=new_trace())

    def _tell(self, row: Document) -> None:
        self.published.append(row_envelope(row))
        super()._tell(row)


FOLLOWS: list[tuple[type[Event], Callable[[Rothenburg], None], list[type[Event]]]] = [
    (AgreementSigned, lambda _: None, [MemberJoined]),
    (AgreementEnded, Rothenburg.end, [MemberLeft]),
    (MunicipalityMerged, Rothenburg.merge, [AgreementPassedOn]),
    (AgreementPassedOn, Rothenburg.pass_on, [MemberLeft, MemberJoined]),
    (AgreementPassedOn, Rothenburg.pass_on_to_a_merged_one, [MemberLeft, MemberJoined, AgreementPassedOn]),
]
"""An event, what leads to it, and the events that follow from it."""


async def what_follows(world: Rothenburg, event: Envelope, *again: Envelope) -> list[Envelope]:
    before = len(world.published)
    async with delivering("membership", subscribers(world.records), world.memory, lambda: world.now) as deliver:
        for delivered in (event, *again):
            await deliver(delivered)
    return world.published[before:]


@pytest.mark.parametrize(("kind", "lead_to", "expected"), FOLLOWS)
async def test_each_event_reaches_its_use_case_with_its_cause(
    kind: type[Event], lead_to: Callable[[Rothenburg], None], expected: list[type[Event]]
) -> None:
    world = Rothenburg()
    lead_to(world)
    event = world.last(kind)
    followed = await what_follows(world, event)
    assert [(one.type, one.actor, one.cause, one.trace, one.time) for one in followed] == [
        (following.type, SERVICE, event.id, event.trace, world.now) for following in expected
    ]


@pytest.mark.parametrize(("kind", "lead_to", "expected"), FOLLOWS)
async def test_an_event_that_is_delivered_twice_has_one_effect(
    kind: type[Event], lead_to: Callable[[Rothenburg], None], expected: list[type[Event]]
) -> None:
    world = Rothenburg()
    lead_to(world)
    event = world.last(kind)
    assert len(await what_follows(world, event, event)) == len(expected)


def test_every_reaction_is_tested() -> None:
    assert {kind for kind, _, _ in FOLLOWS} == subscribers(World(TODAY).records).functions.keys()
