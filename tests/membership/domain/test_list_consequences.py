"""What becomes of agreements when municipalities are merged."""

from dataclasses import replace
from datetime import date

import pytest

from services.membership.domain.agreement import Agreement
from services.membership.domain.list_consequences import with_agreements
from services.membership.domain.registry import register
from services.membership.domain.term import Stage
from tests.membership.domain.listed import BEFORE, DAY, ELBAUE, TORGAU, codes, compared


def agreement(id: str, *ags: str, stage: Stage = Stage.IN_FORCE, since: date | None = BEFORE) -> Agreement:
    return Agreement(
        id=id, municipalities=(), covered=ags, parties=("lpr",), stage=stage, drafted_on=BEFORE, in_force_since=since
    )  # fmt: skip


MERGER = compared(TORGAU, ELBAUE)


def found(*agreements: Agreement) -> list[tuple[str, str | None]]:
    changes = with_agreements(MERGER, agreements)
    return [(each.code, each.ags) for each in (*changes.warnings, *changes.problems)]


def test_an_agreement_in_force_goes_on_with_the_successor() -> None:
    changes = with_agreements(MERGER, [agreement("KV-1", "14730010", TORGAU.ags)])
    assert [each.code for each in changes.warnings] == ["agreement_passed_on"]
    assert "KV-1 goes on with Elbaue (14730901) from 2024-01-01 on" in changes.warnings[0].message
    assert changes.problems == ()


@pytest.mark.parametrize("stage", [Stage.DRAFT, Stage.READY, Stage.PARTIALLY_SIGNED])
def test_an_agreement_that_waits_for_signatures_must_be_withdrawn_first(stage: Stage) -> None:
    changes = with_agreements(MERGER, [agreement("KV-1", "14730010", stage=stage, since=None)])
    assert codes(changes) == ["agreement_open"]
    assert f"KV-1 is {stage}: withdraw it" in changes.problems[0].message


def test_an_agreement_that_began_after_the_last_day_does_not_fit() -> None:
    assert found(agreement("KV-1", "14730010", since=DAY)) == [("agreement_too_late", "14730010")]


def test_an_agreement_ends_where_the_successor_has_its_own() -> None:
    own = agreement("KV-2", ELBAUE.ags, stage=Stage.DRAFT, since=None)
    assert found(agreement("KV-1", "14730010"), own) == [("agreement_ends", "14730010")]


def test_an_agreement_ends_where_the_successor_has_left_it_before() -> None:
    joint = replace(agreement("KV-1", "14730010"), municipalities=(register(ELBAUE)[0].ref,))
    assert found(joint) == [("agreement_ends", "14730010")]


def test_of_two_agreements_that_meet_only_one_goes_on() -> None:
    two = found(agreement("KV-1", "14730010"), agreement("KV-2", "14730030"))
    assert two == [("agreements_meet", "14730010"), ("agreements_meet", "14730030")]
    assert [code for code, _ in found(agreement("KV-1", "14730010", "14730030"))] == ["agreement_passed_on"] * 2


def test_agreements_that_are_over_or_of_others_do_not_matter() -> None:
    assert found(agreement("KV-1", TORGAU.ags), agreement("KV-2", "14730010", stage=Stage.TERMINATED)) == []
