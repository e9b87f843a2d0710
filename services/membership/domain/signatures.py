"""What parties say to an agreement that is ready: they sign, or decline; and what is refused of that."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from shared.kernel.errors import Refused


class Form(StrEnum):
    """How it was signed."""

    PAPER = "paper"
    REMOTE = "remote"


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """One party's signature, which the system documents and does not replace (Unterzeichnung)."""

    party: str
    person: str
    function: str
    deputy: bool = False
    """Signed on behalf of the office's holder (i. V.)."""
    signed_on: date
    place: str
    form: Form = Form.PAPER


@dataclass(frozen=True, kw_only=True, slots=True)
class Decline:
    """A party does not want to sign, until it changes its mind."""

    party: str
    declined_on: date
    reason: str


class NotAParty(Refused):
    """Who signs, declines or gives notice is no party of the agreement."""

    code = "not_a_party"


class NotReady(Refused):
    """The agreement cannot be signed yet."""

    code = "agreement_not_ready"


class AlreadyReady(Refused):
    """The agreement is ready, or further, already."""

    code = "agreement_already_ready"


class AlreadyInForce(Refused):
    """The agreement is in force, and nothing is left to sign."""

    code = "agreement_in_force"


class AlreadySigned(Refused):
    """The party has signed before."""

    code = "already_signed"


class AlreadyDeclined(Refused):
    """The party has declined before."""

    code = "already_declined"


class NotSigned(Refused):
    """There is no signature of the party that could be corrected."""

    code = "not_signed"


class OutOfTurn(Refused):
    """Others sign first."""

    code = "out_of_turn"


class OtherText(Refused):
    """What was signed is not the text of the agreement."""

    code = "other_text"


class SignedInFuture(Refused):
    """A signature cannot be dated after today."""

    code = "signature_in_future"


class SignedBeforeReady(Refused):
    """A signature cannot be dated before the agreement was ready."""

    code = "signature_before_readiness"


class SignedTooLate(Refused):
    """The last day for signing, or of the term, is over."""

    code = "signature_too_late"


class ReadyInFuture(Refused):
    """An agreement is ready today or was so before."""

    code = "readiness_in_future"
