"""When two versions of a service answer the same request, only new fields may differ."""

import pytest

from tests.chaos.office import agree

FORMER = {"id": "KV-1", "municipalities": [{"ags": "14626480"}], "stage": "ready"}


@pytest.mark.parametrize(
    "later",
    [
        FORMER,
        FORMER | {"kind": None},
        FORMER | {"municipalities": [{"ags": "14626480", "kind": "Stadt"}]},
    ],
)
def test_a_later_version_may_have_more_fields(later: object) -> None:
    assert agree((201, FORMER), (201, later))
    assert agree((201, later), (201, FORMER))


@pytest.mark.parametrize(
    "later",
    [
        FORMER | {"stage": "in_force"},
        FORMER | {"municipalities": []},
        FORMER | {"municipalities": [{"ags": "14626481", "kind": "Stadt"}]},
        FORMER | {"municipalities": None},
        [],
    ],
)
def test_fields_that_both_have_must_be_equal(later: object) -> None:
    assert not agree((201, FORMER), (201, later))


def test_the_status_must_be_equal() -> None:
    assert not agree((200, FORMER), (201, FORMER))
