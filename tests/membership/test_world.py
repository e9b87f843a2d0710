"""Whatever anybody does, in whatever order, and however late news arrive: what must be true stays true.

`ASSKOMM_TEST_EXAMPLES=5000` looks for more, in another place each time.
"""

import os
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, event, settings
from hypothesis.stateful import invariant

from services.membership.domain import agreement, municipality
from services.membership.domain.agreement import Agreement
from services.membership.domain.drafting import Terms
from services.membership.domain.ending import fall_due
from services.membership.domain.municipality import Municipality
from services.membership.domain.term import ACTIVE, Stage
from services.membership.queries.figures import Figure, figure_filter
from tests.membership.alliance.agreements import Alliance
from tests.membership.alliance.ledger import Ledger, days_of
from tests.membership.alliance.people import AGS
from tests.membership.examples import at
from tests.queries import matches

ROTHENBURG, ZITTAU, BAUTZEN = AGS[:3]
AT_ANY_TIME = Terms(notice_months=0)

EXAMPLES = os.environ.get("ASSKOMM_TEST_EXAMPLES")

WAS_IN_FORCE = (Stage.IN_FORCE, Stage.EXPIRED, Stage.TERMINATED)


class Watched(Alliance):
    """The alliance, and a ledger of what the log alone says of it."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger, self.read, self.sound = Ledger(), 0, True

    def bound(self) -> set[str]:
        self.watch()
        return set(self.ledger.active())

    @invariant()
    def watch(self) -> None:
        new, self.sound = self.world.log[self.read :], False
        self.read = len(self.world.log)
        self.ledger.read(new)
        assert all(count == 1 for count in self.ledger.active().values()), "at most one active agreement each"
        changed = {logged.subject for logged in new}
        for id in changed & self.world.memory.documents["agreements"].keys():
            self._agreement_is_as_published(self.world.agreement(id))
        for ags in changed & self.world.memory.documents["municipalities"].keys():
            self._municipality_is_as_published(self.world.municipality(ags))
        if new and not self.world.pending:
            self._members_are_those_with_an_agreement_in_force()
        self.sound = True

    def sweep(self) -> None:
        super().sweep()
        self.watch()
        for paper in self.ledger.papers.values():
            assert paper.is_swept(self.world.today)

    def teardown(self) -> None:
        if self.sound:
            self.settle()
            for each in self.world.municipalities:
                event(f"a municipality is {each.stage}")
            for one in self.world.agreements:
                event(f"an agreement is {one.stage}")

    def settle(self) -> None:
        super().settle()
        self.watch()
        self._members_are_those_with_an_agreement_in_force()
        self._figures_are_as_published()
        for one in self.world.municipalities:
            assert not (one.is_member and one.valid_to), "what is no more is no member"

    def _agreement_is_as_published(self, one: Agreement) -> None:
        paper = self.ledger.papers[one.id]
        assert agreement.evolve.rebuild(self.world.events(one.id)) == one
        assert (one.stage in WAS_IN_FORCE) == (paper.in_force_since is not None) == paper.is_complete
        assert (one.stage in ACTIVE, set(one.covered)) == (bool(paper.active), paper.active)
        assert (one.in_force_since, one.ends_on) == (paper.in_force_since, paper.term)
        assert {each.party: each.signed_on for each in one.signatures} == paper.signed
        assert {each.party for each in one.declines} == paper.declined
        if one.due_on is None:
            assert fall_due(one, self.world.now) == (one, []), "nothing happens where nothing is due"
        else:
            assert fall_due(one, at(one.due_on - timedelta(days=1))) == (one, []), "nothing happens before it is due"
            assert fall_due(one, at(one.due_on))[1], "something happens when it is due"

    def _municipality_is_as_published(self, one: Municipality) -> None:
        assert municipality.evolve.rebuild(self.world.events(one.ags)) == one
        assert one.stage == self.ledger.figures(one.ags).stage()

    def _members_are_those_with_an_agreement_in_force(self) -> None:
        for one in self.world.municipalities:
            memberships = {each.agreement_id: (each.since, each.until) for each in one.memberships}
            in_force = {id: (span.since, span.until) for id, span in self.ledger.in_force_for(one.ags).items()}
            assert memberships == in_force

    def _figures_are_as_published(self) -> None:
        expected = {ags: self.ledger.figures(ags) for ags in self.world.memory.documents["municipalities"]}
        for day in sorted(days_of(self.world.log) | {self.world.today}):
            for ags, document in self.world.memory.documents["municipalities"].items():
                counted = {figure for figure in Figure if matches(document, figure_filter(figure, day))}
                assert counted == expected[ags].on(day), (ags, day)


def started() -> Watched:
    """A world on its first day."""
    watched = Watched()
    watched.begin()
    return watched


def members(watched: Watched) -> list[str]:
    return [one.ags for one in watched.world.municipalities if one.is_member]


# Bugs once, all three.
def test_news_of_two_mergers_may_arrive_in_any_order() -> None:
    watched = started()
    watched.enter(ROTHENBURG, 0)
    watched.world.advance(1)
    watched.merge_into(ROTHENBURG, ZITTAU)
    watched.world.advance(1)
    watched.merge_into(ZITTAU, BAUTZEN)
    watched.deliver_all(last_first=True)
    watched.settle()
    assert members(watched) == [BAUTZEN]


def test_who_has_left_an_agreement_does_not_come_back_by_a_merger() -> None:
    watched = started()
    watched.accede([ROTHENBURG, ZITTAU], AT_ANY_TIME, None, None, 9)
    watched.give_notice(1, 1, 0, 0, None)
    watched.world.advance(1)
    watched.sweep()
    assert watched.bound() == {ROTHENBURG}
    watched.merge_into(ROTHENBURG, ZITTAU)
    watched.settle()
    assert members(watched) == []


def test_what_was_over_before_a_merger_is_not_passed_on() -> None:
    watched = started()
    watched.accede([ROTHENBURG], AT_ANY_TIME, None, None, 9)
    watched.give_notice(1, 0, 0, 0, None)
    watched.world.advance(1)
    watched.merge_into(ROTHENBURG, ZITTAU)
    watched.settle()
    assert members(watched) == []
    assert watched.bound() == set()


# Who looks for more, waits for it.
TestWorld = pytest.mark.timeout(3600 if EXAMPLES else 90)(Watched.TestCase)
TestWorld.settings = settings(
    max_examples=int(EXAMPLES or 100),
    stateful_step_count=40,
    derandomize=EXAMPLES is None,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
