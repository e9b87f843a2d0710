"""The codes by which the rest of the world knows our refusals."""

import importlib
import pkgutil

from services.membership import domain
from shared.kernel.errors import Refused

STABLE = {
    "AgreementExists": "agreement_exists",
    "AlreadyDeclined": "already_declined",
    "AlreadyFinished": "analysis_finished",
    "AlreadyGivenNotice": "notice_already_given",
    "AlreadyInForce": "agreement_in_force",
    "AlreadyReady": "agreement_already_ready",
    "AlreadySigned": "already_signed",
    "CoachingOver": "coaching_finished",
    "DatedInFuture": "dated_in_future",
    "Dissolved": "municipality_dissolved",
    "EndsBeforeItBegan": "ends_before_it_began",
    "Final": "agreement_over",
    "ListHasProblems": "list_has_problems",
    "NoMunicipality": "no_municipality",
    "NoParty": "no_party",
    "NotAParty": "not_a_party",
    "NotCooperating": "not_cooperating",
    "NotInForce": "agreement_not_in_force",
    "NotReady": "agreement_not_ready",
    "NotSigned": "not_signed",
    "NoticeInFuture": "notice_in_future",
    "OtherText": "other_text",
    "OutOfTurn": "out_of_turn",
    "PreviewOutdated": "preview_outdated",
    "ReadyInFuture": "readiness_in_future",
    "SignedBeforeReady": "signature_before_readiness",
    "SignedInFuture": "signature_in_future",
    "SignedTooLate": "signature_too_late",
    "StillMember": "still_member",
    "TooShort": "too_short",
    "UnknownField": "unknown_field",
    "UnreadableList": "unreadable_list",
}


def refusals() -> list[type[Refused]]:
    """All that the rules of membership refuse."""
    modules = [
        importlib.import_module(f"{domain.__name__}.{found.name}") for found in pkgutil.iter_modules(domain.__path__)
    ]
    return [
        kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Refused) and kind.__module__ == module.__name__
    ]


# A new refusal is compatible; one that is gone or has another code is not.
def test_the_public_codes_of_the_refusals_stay_as_they_are() -> None:
    assert {kind.__name__: kind.code for kind in refusals()}.items() >= STABLE.items()


def test_every_refusal_stands_in_the_list_of_what_stays() -> None:
    assert sorted(kind.__name__ for kind in refusals()) == sorted(STABLE)


def test_every_refusal_has_a_code_of_its_own() -> None:
    codes = [Refused.code, *(kind.code for kind in refusals())]
    assert sorted(set(codes)) == sorted(codes)
