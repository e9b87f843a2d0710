from dataclasses import replace
from datetime import date
from itertools import permutations

import pytest

from services.notifications.domain import members
from services.notifications.domain.members import Member

FIRST = Member(
    ags="14626480",
    name="Rothenburg/O.L.",
    district_key="14626",
    agreement_id="KV-2023-7QX4M2",
    joined_on=date(2023, 1, 27),
)
OVER = replace(FIRST, left_on=date(2025, 12, 31))
ANEW = replace(FIRST, agreement_id="KV-2026-8RY5N3", joined_on=date(2026, 1, 1))


@pytest.mark.parametrize("news", list(permutations([FIRST, OVER, ANEW, OVER])))
def test_what_holds_of_a_member_does_not_depend_on_the_order_of_the_news(news: tuple[Member, ...]) -> None:
    holds, *others = news
    for member in others:
        holds, _ = members.update(holds, member)
    assert holds == ANEW


def test_a_new_name_changes_nothing_else_of_a_member() -> None:
    assert members.rename(OVER, "Rothenburg") == (replace(OVER, name="Rothenburg"), [])


@pytest.mark.parametrize("news", list(permutations([FIRST, OVER])))
def test_who_left_has_left_even_if_the_news_of_joining_comes_later(news: tuple[Member, Member]) -> None:
    assert members.update(*news) == (OVER, [])
