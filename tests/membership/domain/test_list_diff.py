"""Only a list that was previewed is applied, and only to the municipalities it was compared with."""

from dataclasses import replace

import pytest

from services.membership.domain.list_diff import ListDiff, ListHasProblems, PreviewOutdated
from services.membership.domain.municipality import Municipality
from tests.membership.domain.listed import ARZBERG, BEILRODE, ELBAUE, LAST_DAY, SAXONY, TORGAU, compared

MERGER = compared(TORGAU, ELBAUE)


def test_only_what_was_previewed_can_be_applied() -> None:
    assert MERGER.refusal(MERGER.digest) is None
    assert isinstance(MERGER.refusal("0" * 64), PreviewOutdated)
    other = compared(TORGAU, replace(ELBAUE, population=1))
    assert other.digest != MERGER.digest


def test_a_list_with_problems_is_refused_with_the_first_of_them() -> None:
    changes = compared()
    refusal = changes.refusal(changes.digest)
    assert isinstance(refusal, ListHasProblems)
    assert "Arzberg (14730010) is not in the list" in str(refusal)


@pytest.mark.parametrize(
    ("changes", "by_now"),
    [
        (compared(ARZBERG, BEILRODE, replace(TORGAU, name="A")), replace(SAXONY[2], name="B")),
        (compared(ARZBERG, BEILRODE, replace(TORGAU, population=1)), replace(SAXONY[2], population=2)),
        (compared(ARZBERG, replace(BEILRODE, predecessors=(TORGAU.ags,))), replace(SAXONY[2], valid_to=LAST_DAY)),
    ],
)
def test_what_changed_since_the_comparison_is_not_overwritten(changes: ListDiff, by_now: Municipality) -> None:
    decide = changes.decisions({one.ags: one for one in SAXONY})[TORGAU.ags]
    with pytest.raises(PreviewOutdated, match="by now"):
        decide(by_now)
