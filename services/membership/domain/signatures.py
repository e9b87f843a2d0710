"""A party's answer to an agreement that is ready: its signature, or that it declines; and the refusals."""

from datetime import date
from enum import StrEnum

from shared.kernel.errors import Refused
from shared.kernel.value import value


class Form(StrEnum):
    """The form of a signature."""

    PAPER = "paper"
    REMOTE = "remote"


@value
class Signature:
    """One party's signature (Unterzeichnung); the system documents it and does not replace it."""

    party: str
    person: str
    function: str
    deputy: bool = False
    """Signed on behalf of the office holder (i. V.)."""
    signed_on: date
    place: str
    form: Form = Form.PAPER


@value
class Decline:
    """A party does not want to sign, unless it changes its mind."""

    party: str
    declined_on: date
    reason: str


class NotAParty(Refused):
    """The one who signs, declines or gives notice is no party of the agreement."""

    code = "not_a_party"


class NotReady(Refused):
    """The agreement cannot be signed yet."""

    code = "agreement_not_ready"


class AlreadyReady(Refused):
    """The agreement is past the draft already."""

    code = "agreement_already_ready"


class AlreadyInForce(Refused):
    """The agreement is in force; nothing is left to sign."""

    code = "agreement_in_force"


class AlreadySigned(Refused):
    """The party has signed before."""

    code = "already_signed"


class AlreadyDeclined(Refused):
    """The party has declined before."""

    code = "already_declined"


class NotSigned(Refused):
    """The party has no signature that could be corrected."""

    code = "not_signed"


class OutOfTurn(Refused):
    """Other parties sign first."""

    code = "out_of_turn"


class OtherText(Refused):
    """The signed text is not the text of the agreement."""

    code = "other_text"


class SignedInFuture(Refused):
    """A signature cannot be dated after today."""

    code = "signature_in_future"


class SignedBeforeReady(Refused):
    """A signature cannot be dated before the agreement was ready."""

    code = "signature_before_readiness"


class SignedTooLate(Refused):
    """The last day for signing, or of the term, has passed."""

    code = "signature_too_late"


class ReadyInFuture(Refused):
    """An agreement becomes ready today or earlier, not later."""

    code = "readiness_in_future"
