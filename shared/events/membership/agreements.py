"""What happens to a cooperation agreement, from the draft to its end; the aggregate is its `agreement_id`.

A party is `municipality:<ags>`, `police_directorate:<name>`, `lpr` or `ministry`.
"""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from shared.events.membership.refs import MunicipalityRef


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreementDrafted:
    """A cooperation agreement was drafted for one or several municipalities."""

    type: ClassVar[str] = "membership.agreement_drafted.v1"

    agreement_id: str
    """The file number (Aktenzeichen)."""
    municipalities: tuple[MunicipalityRef, ...]
    parties: tuple[str, ...]
    """Who must sign: `municipality:<ags>`, `police_directorate:<name>`, `lpr`, `ministry`."""
    action_fields: tuple[str, ...] = ()
    drafted_on: date | None = None
    witnesses: tuple[str, ...] = ()
    """Who is present and signs nothing, by function."""
    ordered: bool = False
    """The parties sign in the order of their kinds in `parties`."""
    ends_on: date | None = None
    """The last day of the term; None where it has none."""
    notice_months: int = 0
    """How long before the end a party must give notice."""
    template: str | None = None
    template_version: int | None = None
    text: str = ""
    """German; its first line is the title."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreementTextAdapted:
    """The text of a draft was adapted to its municipalities; each agreement has one of its own."""

    type: ClassVar[str] = "membership.agreement_text_adapted.v1"

    agreement_id: str
    municipalities: tuple[MunicipalityRef, ...]
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreementReady:
    """A cooperation agreement is ready for signature by all its parties; from now on its text is fixed."""

    type: ClassVar[str] = "membership.agreement_ready.v1"

    agreement_id: str
    municipalities: tuple[MunicipalityRef, ...]
    parties: tuple[str, ...]
    ready_on: date
    text: str = ""
    """What is signed, verbatim."""
    text_sha256: str = ""
    """SHA-256 of the text in UTF-8, 64 hexadecimal digits."""
    turn: tuple[str, ...] = ()
    """The parties that can sign now: all of them, or the first where there is an order."""
    sign_by: date | None = None
    """The last day for signing; None where there is none."""
    remind_on: date | None = None
    """The day on which who has not signed is reminded."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreementSignedByParty:
    """One party signed a cooperation agreement; the others may still be missing.

    The name of the person is part of the signature, which is a public act: this is the exception to "no people".
    """

    type: ClassVar[str] = "membership.agreement_signed_by_party.v1"

    agreement_id: str
    municipalities: tuple[MunicipalityRef, ...]
    party: str
    person: str
    function: str
    deputy: bool
    """Signed on behalf of the office's holder (i. V.)."""
    signed_on: date
    place: str
    form: str
    """`paper` or `remote`."""
    missing: tuple[str, ...]
    """The parties that have not signed yet."""
    text_sha256: str = ""
    """Of the text that was signed."""
    turn: tuple[str, ...] = ()
    """Where there is an order: the parties that can sign because this one did."""
    sign_by: date | None = None
    """The last day for signing; None where there is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SignatureDeclined:
    """A party does not want to sign; it may change its mind as long as the agreement is open for signature."""

    type: ClassVar[str] = "membership.signature_declined.v1"

    agreement_id: str
    municipalities: tuple[MunicipalityRef, ...]
    party: str
    declined_on: date
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SignatureCorrected:
    """What was recorded of a signature was wrong and is mended, before the agreement is complete.

    The name of the person is part of the signature, as in AgreementSignedByParty.
    """

    type: ClassVar[str] = "membership.signature_corrected.v1"

    agreement_id: str
    municipalities: tuple[MunicipalityRef, ...]
    party: str
    person: str
    function: str
    deputy: bool
    signed_on: date
    place: str
    form: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SignatureOverdue:
    """Parties have not signed for 14 days, or another 14; once per date, those who declined left out."""

    type: ClassVar[str] = "membership.signature_overdue.v1"

    agreement_id: str
    municipalities: tuple[MunicipalityRef, ...]
    missing: tuple[str, ...]
    """The parties that could sign and have not."""
    ready_on: date
    due_on: date
    """The date that this is about: 14, 28, 42 … days after `ready_on`."""
    remind_on: date
    """The next one."""
    sign_by: date | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreementWithdrawn:
    """An agreement that was not in force yet was withdrawn."""

    type: ClassVar[str] = "membership.agreement_withdrawn.v1"

    agreement_id: str
    municipalities: tuple[MunicipalityRef, ...]
    parties: tuple[str, ...]
    ready_on: date | None
    """Since when parties were asked to sign; None for a draft."""
    withdrawn_on: date
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreementLapsed:
    """An agreement was not signed by all until the last day for it."""

    type: ClassVar[str] = "membership.agreement_lapsed.v1"

    agreement_id: str
    municipalities: tuple[MunicipalityRef, ...]
    parties: tuple[str, ...]
    missing: tuple[str, ...]
    sign_by: date


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreementRecorded:
    """An agreement that was signed before this system existed was entered; its signatures are not recorded here."""

    type: ClassVar[str] = "membership.agreement_recorded.v1"

    agreement_id: str
    municipalities: tuple[MunicipalityRef, ...]
    parties: tuple[str, ...]
    in_force_since: date


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreementSigned:
    """Every required party has signed: the cooperation agreement is in force."""

    type: ClassVar[str] = "membership.agreement_signed.v1"

    agreement_id: str
    municipalities: tuple[MunicipalityRef, ...]
    parties: tuple[str, ...]
    in_force_since: date
    """The day of the last signature."""
    action_fields: tuple[str, ...] = ()
    ends_on: date | None = None
    """The last day of the term; None where it has none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreementEndsSoon:
    """The term of an agreement ends in 90 or 30 days; it can be renewed until then."""

    type: ClassVar[str] = "membership.agreement_ends_soon.v1"

    agreement_id: str
    municipalities: tuple[MunicipalityRef, ...]
    parties: tuple[str, ...]
    ends_on: date
    days: int
    """90 or 30: which of the two dates this is about; a service that was down tells the later one alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreementRenewed:
    """An agreement in force goes on until another day."""

    type: ClassVar[str] = "membership.agreement_renewed.v1"

    agreement_id: str
    municipalities: tuple[MunicipalityRef, ...]
    parties: tuple[str, ...]
    renewed_on: date
    ends_on: date | None
    """The new last day; None where it has no term any more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NoticeGiven:
    """A party gave notice; until its last day the agreement stays in force."""

    type: ClassVar[str] = "membership.notice_given.v1"

    agreement_id: str
    municipalities: tuple[MunicipalityRef, ...]
    """For whom the agreement ends: the municipality that gave notice, else all of them."""
    remaining: tuple[MunicipalityRef, ...]
    """For whom it goes on."""
    parties: tuple[str, ...]
    party: str
    """Which of the parties gave notice."""
    given_on: date
    ends_on: date
    """The last day of the agreement for them."""
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreementEnded:
    """An agreement is in force no longer, for all of its municipalities or for some of them."""

    type: ClassVar[str] = "membership.agreement_ended.v1"

    agreement_id: str
    municipalities: tuple[MunicipalityRef, ...]
    """For whom it ended."""
    remaining: tuple[MunicipalityRef, ...]
    """For whom it goes on."""
    ended_on: date
    """Its last day."""
    how: str
    """`expired`, `terminated` or `merged`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreementPassedOn:
    """A municipality was merged into another one, which takes its place in an agreement in force."""

    type: ClassVar[str] = "membership.agreement_passed_on.v1"

    agreement_id: str
    municipality: MunicipalityRef
    successor: MunicipalityRef
    passed_on: date
    """The first day of the successor."""
