"""Request bodies of membership, with the checks of their fields."""

from datetime import date
from typing import Annotated

from msgspec import Meta

from services.membership.domain.drafting import NOTICE_MONTHS
from services.membership.domain.parties import DEFAULT_PARTIES, PartyKind
from services.membership.domain.signatures import Form
from services.membership.domain.template import STANDARD
from shared.alliance.action_fields import ActionField
from shared.web.fields import Ags, Body, Email, Line, Name, PrivateLine, Sha256, Text

Lines = Annotated[tuple[Line, ...], Meta(max_length=20)]
AgsList = Annotated[tuple[Ags, ...], Meta(min_length=1, max_length=20)]


class InterestShown(Body):
    """A municipality showed interest."""

    shown_on: date
    note: Line | None = None


class ConsultationHeld(Body):
    """A consultation that the LPR records."""

    held_on: date
    topics: Lines = ()
    next_step: Line | None = None
    held_by: Line | None = None


class ActionFields(Body):
    """All action fields that hold from now on."""

    action_fields: Annotated[tuple[ActionField, ...], Meta(max_length=10)]


class CooperationBegun(Body):
    """The day from which a municipality works closely with the alliance."""

    began_on: date


class CooperationEnded(Body):
    """The last day of a close cooperation that was no membership."""

    ended_on: date
    reason: Line | None = None


class FallenDormant(Body):
    """The day since when a cooperation rests."""

    since: date
    reason: Line | None = None


class Resumed(Body):
    """The day on which a cooperation that rested went on."""

    resumed_on: date


class CouncilDecided(Body):
    """A municipality's council decided on joining (Ratsbeschluss)."""

    decided_on: date
    number: Line
    approved: bool


class CoachingRequested(Body):
    """A municipality asks for a coach."""

    requested_on: date
    topic: Line


class CoachMatched(Body):
    """The organisation that coaches."""

    coach: Line
    matched_on: date


class CoachingFinished(Body):
    """The last day of a coaching."""

    finished_on: date


class PreventionCouncilNoted(Body):
    """The start or end of a prevention council."""

    meets: bool
    noted_on: date


class OfficeAssigned(Body, kw_only=True):
    """The holder of an office of a municipality; person and addresses are business contacts."""

    office: Line
    function: Line
    since: date
    person: Line
    email: Email | None = None
    phone: PrivateLine | None = None


class OfficeLeft(Body):
    """The last day on which somebody holds an office."""

    until: date


class AnalysisStarted(Body):
    """A security analysis of one or several municipalities."""

    municipalities: AgsList
    started_on: date
    with_survey: bool = False
    subject: Line | None = None


class AnalysisFinished(Body):
    """The results of a security analysis."""

    finished_on: date
    respondents: Annotated[int, Meta(ge=0, le=10_000_000)] | None = None
    summary: Line | None = None


class TemplateText(Body):
    """A text for agreements to come: German, its first line is the title, with fields such as `${kommunen}`."""

    text: Text


class Draft(Body):
    """An agreement to be drafted; `required_parties` names the kinds of parties that must sign."""

    municipalities: AgsList
    required_parties: Annotated[tuple[PartyKind, ...], Meta(min_length=1, max_length=4)] = DEFAULT_PARTIES
    ordered: bool = False
    witnesses: Lines = ()
    ends_on: date | None = None
    notice_months: Annotated[int, Meta(ge=0, le=36)] = NOTICE_MONTHS
    template: Name = STANDARD


class AgreementText(Body):
    """The whole text of a draft; its first line is the title."""

    text: Text


class Readiness(Body):
    """The day on which an agreement is ready for signature, and the last one for signing."""

    ready_on: date
    sign_by: date | None = None


class SignatureGiven(Body, kw_only=True):
    """One party's signature, as it is documented; `text_sha256` proves which text was signed."""

    party: Line
    person: Line
    function: Line
    deputy: bool = False
    signed_on: date
    place: Line
    form: Form = Form.PAPER
    text_sha256: Sha256 | None = None


class SignatureCorrected(Body, kw_only=True):
    """The whole signature as it should have been documented, and why it is corrected."""

    party: Line
    person: Line
    function: Line
    deputy: bool = False
    signed_on: date
    place: Line
    form: Form = Form.PAPER
    reason: Line


class Declined(Body):
    """A party does not want to sign."""

    party: Line
    declined_on: date
    reason: Line


class Withdrawal(Body):
    """Why an agreement that is not in force yet is given up."""

    reason: Line


class Renewal(Body):
    """The new last day of an agreement; null for no term any more."""

    ends_on: date | None


class NoticeGiven(Body):
    """A party gives notice; without `ends_on` the agreement ends as early as it can."""

    party: Line
    given_on: date
    ends_on: date | None = None
    reason: Line | None = None
