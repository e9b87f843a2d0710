import importlib
import pkgutil
import re
from collections import Counter

import pytest

import services
import shared
from shared.kernel.errors import Refused
from shared.web.problems import STATUS


def all_refusals() -> list[type[Refused]]:
    """Every refusal of the services and of shared, whoever has imported what so far."""
    for package in (services, shared):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    found, open_ends = [], [Refused]
    while open_ends:
        kind = open_ends.pop()
        open_ends += kind.__subclasses__()
        if kind.__module__.partition(".")[0] in {"services", "shared"}:
            found.append(kind)
    return sorted(found, key=lambda kind: kind.__qualname__)


REFUSALS = all_refusals()


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda kind: kind.__name__)
def test_a_refusal_has_a_code_of_its_own(refusal: type[Refused]) -> None:
    assert re.fullmatch(r"[a-z_]+", vars(refusal).get("code", ""))


def test_no_two_refusals_share_a_code() -> None:
    assert [code for code, count in Counter(kind.code for kind in REFUSALS).items() if count > 1] == []


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda kind: kind.__name__)
def test_a_refusal_says_in_a_sentence_what_it_refuses(refusal: type[Refused]) -> None:
    assert re.fullmatch(r"[A-Z].*\.", (refusal.__doc__ or "").partition("\n")[0])


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda kind: kind.__name__)
def test_a_refusal_is_the_mistake_of_who_asks(refusal: type[Refused]) -> None:
    assert 400 <= next(STATUS[kind] for kind in refusal.__mro__ if kind in STATUS) < 500


def test_the_public_codes_of_shared_refusals_stay_as_they_are() -> None:
    stable = {
        "refused": 409,
        "invalid": 400,
        "not_allowed": 403,
        "not_found": 404,
        "idempotency_key_reused": 422,
        "taken": 409,
    }
    shown = {
        kind.code: next(STATUS[one] for one in kind.__mro__ if one in STATUS)
        for kind in REFUSALS
        if kind.__module__.startswith("shared.")
    }
    # A new refusal is compatible; one that is gone or has another number is not.
    assert stable.items() <= shown.items()
