"""Events of a cooperation agreement, from the draft to its end; the aggregate is its `agreement_id`.

A party is `municipality:<ags>`, `police_directorate:<name>`, `lpr` or `ministry`.
"""

from datetime import date
from typing import ClassVar

from shared.events.membership.refs import HowEnded, MunicipalityRef, OfAgreement, Party, SignatureForm
from shared.events.words import ActionFieldCode, FileNumber, Sha256
from shared.kernel.value import value


@value
class AgreementDrafted(OfAgreement):
    """A cooperation agreement was drafted for one or several municipalities."""

    type: ClassVar[str] = "membership.agreement_drafted.v1"

    parties: tuple[Party, ...]
    """The parties that have to sign."""
    action_fields: tuple[ActionFieldCode, ...] = ()
    """The action fields on which the municipalities work."""
    drafted_on: date | None = None
    """The day of the draft; null in older events."""
    witnesses: tuple[str, ...] = ()
    """People present who sign nothing, by function."""
    ordered: bool = False
    """True if the parties sign in the order of their kinds in `parties`."""
    ends_on: date | None = None
    """The last day of the term; null without one."""
    notice_months: int = 0
    """Period of notice before the end, in months."""
    template: str | None = None
    """The id of the template of the text; null in older events."""
    template_version: int | None = None
    """The version of the template; null in older events."""
    text: str = ""
    """The text in German; its first line is the title."""


@value
class AgreementTextAdapted(OfAgreement):
    """The text of a draft was adapted to its municipalities; each agreement has a text of its own."""

    type: ClassVar[str] = "membership.agreement_text_adapted.v1"

    text: str
    """The whole text in German; its first line is the title."""


@value
class AgreementReady(OfAgreement):
    """A cooperation agreement is ready for signature by all its parties; from now on its text is fixed."""

    type: ClassVar[str] = "membership.agreement_ready.v1"

    parties: tuple[Party, ...]
    """The parties that have to sign."""
    ready_on: date
    """The day on which the agreement was ready for signature."""
    text: str = ""
    """The text that is signed, verbatim."""
    text_sha256: Sha256 = ""
    """SHA-256 of the text in UTF-8, 64 hexadecimal digits; empty in older events."""
    turn: tuple[Party, ...] = ()
    """The parties that can sign now: all of them, or the first ones if there is an order."""
    sign_by: date | None = None
    """The last day for signing; null without one."""
    remind_on: date | None = None
    """The day on which parties that have not signed are reminded."""


@value
class AgreementSignedByParty(OfAgreement):
    """One party signed a cooperation agreement; the others may still be missing.

    The name of the person is part of the signature, which is a public act: this is the exception to "no people".
    """

    type: ClassVar[str] = "membership.agreement_signed_by_party.v1"

    party: Party
    """The party that signed."""
    person: str
    """The name of the person who signed."""
    function: str
    """The function of that person."""
    deputy: bool
    """True if signed on behalf of the office's holder (i. V.)."""
    signed_on: date
    """The day of the signature."""
    place: str
    """The place of the signature."""
    form: SignatureForm
    """`paper` or `remote`."""
    missing: tuple[Party, ...]
    """The parties that have not signed yet."""
    text_sha256: Sha256 = ""
    """SHA-256 of the text that was signed; empty in older events."""
    turn: tuple[Party, ...] = ()
    """If there is an order: the parties that can sign because this one did."""
    sign_by: date | None = None
    """The last day for signing; null without one."""


@value
class SignatureDeclined(OfAgreement):
    """A party declined to sign; it may change its mind as long as the agreement is open for signature."""

    type: ClassVar[str] = "membership.signature_declined.v1"

    party: Party
    """The party that declined."""
    declined_on: date
    """The day on which the party declined."""
    reason: str
    """Why the party declined: free text in German, without private data."""


@value
class SignatureCorrected(OfAgreement):
    """The record of a signature was wrong and has been corrected, before the agreement was complete.

    The name of the person is part of the signature, as in AgreementSignedByParty.
    """

    type: ClassVar[str] = "membership.signature_corrected.v1"

    party: Party
    """The party whose signature is corrected."""
    person: str
    """The name of the person who signed."""
    function: str
    """The function of that person."""
    deputy: bool
    """True if signed on behalf of the office's holder (i. V.)."""
    signed_on: date
    """The day of the signature."""
    place: str
    """The place of the signature."""
    form: SignatureForm
    """`paper` or `remote`."""
    reason: str
    """Why the record is corrected, in German."""


@value
class SignatureOverdue(OfAgreement):
    """Parties have not signed for 14 days, or another 14; once per date, without those that declined."""

    type: ClassVar[str] = "membership.signature_overdue.v1"

    missing: tuple[Party, ...]
    """The parties that could sign and have not."""
    ready_on: date
    """The day on which the agreement was ready for signature."""
    due_on: date
    """The date that this is about: 14, 28, 42 … days after `ready_on`."""
    remind_on: date
    """The date of the next reminder."""
    sign_by: date | None = None
    """The last day for signing; null without one."""


@value
class AgreementWithdrawn(OfAgreement):
    """An agreement that was not yet in force was withdrawn."""

    type: ClassVar[str] = "membership.agreement_withdrawn.v1"

    parties: tuple[Party, ...]
    """The parties that have to sign."""
    ready_on: date | None
    """The day since when parties could sign; null for a draft."""
    withdrawn_on: date
    """The day of the withdrawal."""
    reason: str
    """Free text in German, without private data."""


@value
class AgreementLapsed(OfAgreement):
    """The last day for signing passed before all parties had signed an agreement."""

    type: ClassVar[str] = "membership.agreement_lapsed.v1"

    parties: tuple[Party, ...]
    """The parties that have to sign."""
    missing: tuple[Party, ...]
    """The parties that have not signed yet."""
    sign_by: date
    """The last day for signing, which has passed."""


@value
class AgreementRecorded(OfAgreement):
    """An agreement that was signed before this system existed was entered, without its signatures."""

    type: ClassVar[str] = "membership.agreement_recorded.v1"

    parties: tuple[Party, ...]
    """The parties that have to sign."""
    in_force_since: date
    """The first day in force."""


@value
class AgreementSigned(OfAgreement):
    """Every required party has signed: the cooperation agreement is in force."""

    type: ClassVar[str] = "membership.agreement_signed.v1"

    parties: tuple[Party, ...]
    """The parties that have to sign."""
    in_force_since: date
    """The day of the last signature, which is the first day in force."""
    action_fields: tuple[ActionFieldCode, ...] = ()
    """The action fields on which the municipalities work."""
    ends_on: date | None = None
    """The last day of the term; null without one."""


@value
class AgreementEndsSoon(OfAgreement):
    """The term of an agreement ends in 90 or 30 days; it can be renewed until then."""

    type: ClassVar[str] = "membership.agreement_ends_soon.v1"

    parties: tuple[Party, ...]
    """The parties that have to sign."""
    ends_on: date
    """The last day of the term."""
    days: int
    """90 or 30: which of the two dates this is about; after a downtime only the later one is published."""


@value
class AgreementRenewed(OfAgreement):
    """An agreement in force goes on until another day."""

    type: ClassVar[str] = "membership.agreement_renewed.v1"

    parties: tuple[Party, ...]
    """The parties that have to sign."""
    renewed_on: date
    """The day of the renewal."""
    ends_on: date | None
    """The new last day; null if there is no term any more."""


@value
class NoticeGiven(OfAgreement):
    """A party gave notice; the agreement stays in force until its last day."""

    type: ClassVar[str] = "membership.notice_given.v1"

    municipalities: tuple[MunicipalityRef, ...]
    """The municipalities for which the agreement ends: the one that gave notice, else all of them."""
    remaining: tuple[MunicipalityRef, ...]
    """The municipalities for which the agreement goes on."""
    parties: tuple[Party, ...]
    """The parties that have to sign."""
    party: Party
    """The party that gave notice."""
    given_on: date
    """The day on which the party gave notice."""
    ends_on: date
    """The last day of the agreement for them."""
    reason: str | None = None
    """Free text in German, without private data."""


@value
class AgreementEnded(OfAgreement):
    """An agreement is no longer in force, for all of its municipalities or for some of them."""

    type: ClassVar[str] = "membership.agreement_ended.v1"

    municipalities: tuple[MunicipalityRef, ...]
    """The municipalities for which it ended."""
    remaining: tuple[MunicipalityRef, ...]
    """The municipalities for which the agreement goes on."""
    ended_on: date
    """The last day of the agreement."""
    how: HowEnded
    """The reason for which it ended: `expired`, `terminated` or `merged`."""


@value
class AgreementPassedOn:
    """A municipality was merged into another one, which takes its place in an agreement in force."""

    type: ClassVar[str] = "membership.agreement_passed_on.v1"

    agreement_id: FileNumber
    """The file number (Aktenzeichen) of the agreement."""
    municipality: MunicipalityRef
    """The municipality that was merged into another one."""
    successor: MunicipalityRef
    """The municipality that takes its place."""
    passed_on: date
    """The first day of the successor."""
