import pytest

from shared.kernel.errors import Invalid, NotAllowed
from shared.kernel.value import value
from shared.web.rights import AREA_OF, MAX_GRANTS, SAXONY, Actor, Grant, Role, actor


@value
class Town:
    ags: str
    police_directorate: str


ROTHENBURG = Town(ags="14626480", police_directorate="PD Görlitz")
ZITTAU = Town(ags="14626610", police_directorate="PD Görlitz")
LEIPZIG = Town(ags="14713000", police_directorate="PD Leipzig")

MAYOR = actor("rothenburg/rathaus", Role.MUNICIPALITY, ROTHENBURG.ags)
POLICE = actor("pd-goerlitz/leitung", Role.POLICE, "PD Görlitz")
COUNCIL = actor("kpr-zittau", Role.COUNCIL, "KPR-2023-7QX4M2")
TWO = Actor(subject="zwei", grants=MAYOR.grants | actor("", Role.POLICE, "PD Leipzig").grants)


def test_every_role_has_a_kind_of_area() -> None:
    assert set(AREA_OF) == set(Role)


@pytest.mark.parametrize("role", [Role.LPR, Role.MINISTRY, Role.AUDITOR])
def test_some_see_all_of_saxony(role: Role) -> None:
    assert actor("x", role).sees(LEIPZIG)


@pytest.mark.parametrize(
    ("who", "seen"),
    [(MAYOR, [ROTHENBURG]), (POLICE, [ROTHENBURG, ZITTAU]), (COUNCIL, []), (TWO, [ROTHENBURG, LEIPZIG])],
    ids=lambda it: it.subject if isinstance(it, Actor) else "",
)
def test_the_others_see_their_areas(who: Actor, seen: list[Town]) -> None:
    assert [town for town in (ROTHENBURG, ZITTAU, LEIPZIG) if who.sees(town)] == seen


def test_what_lies_in_several_places_is_seen_from_each() -> None:
    assert MAYOR.sees(LEIPZIG, ROTHENBURG)
    assert not MAYOR.sees()


def test_a_filter_finds_what_lies_in_an_area() -> None:
    assert TWO.seen(ags="_id", police_directorate="police") == {
        "$or": [{"_id": {"$in": ["14626480", "PD Leipzig"]}}, {"police": {"$in": ["14626480", "PD Leipzig"]}}]
    }


def test_a_filter_for_all_of_saxony_finds_everything() -> None:
    assert (
        Actor(subject="x", grants=MAYOR.grants | {Grant(role=Role.AUDITOR)}).seen(ags="a", police_directorate="b") == {}
    )


def test_areas_are_those_of_the_role_alone() -> None:
    assert TWO.areas(Role.MUNICIPALITY) == {ROTHENBURG.ags}
    assert TWO.areas(Role.POLICE) == {"PD Leipzig"}
    assert TWO.areas(Role.LPR) == frozenset()


def test_who_has_another_role_is_told_which_it_takes() -> None:
    with pytest.raises(NotAllowed, match="role municipality may not do this; it takes lpr or ministry"):
        MAYOR.require(Role.LPR, Role.MINISTRY)
    with pytest.raises(NotAllowed, match="role municipality and police may not do this; it takes lpr"):
        TWO.require(Role.LPR)


def test_who_has_the_role_may() -> None:
    MAYOR.require(Role.LPR, Role.MUNICIPALITY)


def test_who_has_two_roles_may_do_what_either_may() -> None:
    TWO.require(Role.POLICE)
    TWO.require(Role.MUNICIPALITY)


def test_a_role_is_not_held_in_an_area_of_another_kind() -> None:
    with pytest.raises(Invalid, match="role lpr is not held in 14626480; it takes all of Saxony"):
        Grant(role=Role.LPR, area="14626480")


def test_a_role_with_a_narrower_area_is_not_held_in_all_of_saxony() -> None:
    with pytest.raises(Invalid, match=f"role municipality is not held in {SAXONY}"):
        Grant(role=Role.MUNICIPALITY)


@pytest.mark.parametrize("count", [0, MAX_GRANTS + 1])
def test_nobody_has_no_grant_or_too_many(count: int) -> None:
    with pytest.raises(Invalid, match=f"{count} grants"):
        Actor(subject="x", grants=frozenset(Grant(role=Role.MUNICIPALITY, area=f"{n:08}") for n in range(count)))
