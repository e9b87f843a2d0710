"""Events of a municipality's milestones on its way into the alliance.

The aggregate is its `ags`; that of a security analysis, which may cover several municipalities, is its `analysis_id`.
Days are calendar days in Saxony; null if the day is not documented.
"""

from datetime import date
from typing import ClassVar

from shared.events.membership.refs import MunicipalityRef, OfMunicipality
from shared.events.words import ActionFieldCode, FileNumber
from shared.kernel.value import value


@value
class InterestShown(OfMunicipality):
    """A municipality showed interest in the alliance."""

    type: ClassVar[str] = "membership.interest_shown.v1"

    shown_on: date | None
    """The day on which the municipality showed interest; null if it is not documented."""
    note: str | None = None
    """Free text in German, without private data."""


@value
class ConsultationHeld(OfMunicipality):
    """The LPR advised a municipality, which is the precondition of a grant application."""

    type: ClassVar[str] = "membership.consultation_held.v1"

    held_on: date | None
    """The day of the consultation; null if it is not documented."""
    topics: tuple[str, ...] = ()
    """The topics discussed, in German."""
    next_step: str | None = None
    """The agreed next step, in German."""
    held_by: str | None = None
    """The office that advised; null for the LPR itself."""


@value
class ActionFieldsChosen(OfMunicipality):
    """A municipality and the LPR agreed on the action fields (Handlungsfelder) to work on preventively."""

    type: ClassVar[str] = "membership.action_fields_chosen.v1"

    action_fields: tuple[ActionFieldCode, ...]
    """All action fields that hold from now on, in alphabetical order."""


@value
class CooperationBegan(OfMunicipality):
    """A municipality began to work closely with the alliance (enge Zusammenarbeit); an agreement may follow or not."""

    type: ClassVar[str] = "membership.cooperation_began.v1"

    began_on: date | None
    """The first day of the cooperation; null if it is not documented."""


@value
class CooperationEnded(OfMunicipality):
    """A municipality that was not a member stopped working closely with the alliance."""

    type: ClassVar[str] = "membership.cooperation_ended.v1"

    ended_on: date
    """The last day of the cooperation."""
    reason: str | None = None
    """Free text in German, without private data."""


@value
class MunicipalityFellDormant(OfMunicipality):
    """The cooperation with a municipality rests; an agreement in force is not affected."""

    type: ClassVar[str] = "membership.municipality_fell_dormant.v1"

    since: date
    """The first day on which the cooperation rests."""
    reason: str | None = None
    """Free text in German, without private data."""


@value
class CooperationResumed(OfMunicipality):
    """The cooperation with a dormant municipality resumed."""

    type: ClassVar[str] = "membership.cooperation_resumed.v1"

    resumed_on: date
    """The first day on which the cooperation goes on."""


@value
class CouncilDecisionRecorded(OfMunicipality):
    """The council of a municipality decided on joining the alliance (Ratsbeschluss)."""

    type: ClassVar[str] = "membership.council_decision_recorded.v1"

    decided_on: date
    """The day of the resolution."""
    number: str
    """The number of the resolution (Beschlussnummer)."""
    approved: bool
    """True if the council decided to join."""


@value
class CoachingRequested(OfMunicipality):
    """A municipality asked for coaching, which is free; a coach is yet to be found."""

    type: ClassVar[str] = "membership.coaching_requested.v1"

    coaching: int
    """The number of the coaching among those of the municipality: 1, 2, 3 …"""
    requested_on: date
    """The day of the request."""
    topic: str
    """The topic of the coaching, in German."""


@value
class CoachMatched(OfMunicipality):
    """A coach was found for a municipality."""

    type: ClassVar[str] = "membership.coach_matched.v1"

    coaching: int
    """The number of the coaching among those of the municipality: 1, 2, 3 …"""
    coach: str
    """The organisation that coaches; never a person."""
    matched_on: date
    """The day on which the coach was found."""


@value
class CoachingFinished(OfMunicipality):
    """A coaching was finished."""

    type: ClassVar[str] = "membership.coaching_finished.v1"

    coaching: int
    """The number of the coaching among those of the municipality: 1, 2, 3 …"""
    finished_on: date
    """The last day of the coaching."""


@value
class PreventionCouncilNoted(OfMunicipality):
    """It became known whether a municipal prevention council (KPR) meets in a municipality."""

    type: ClassVar[str] = "membership.prevention_council_noted.v1"

    meets: bool
    """True if a prevention council meets."""
    noted_on: date | None
    """The first day on which it meets, or the last one; null if the day is not documented."""


@value
class SecurityAnalysisStarted:
    """A security analysis (Sicherheitsanalyse) of one or several municipalities began."""

    type: ClassVar[str] = "membership.security_analysis_started.v1"

    analysis_id: FileNumber
    """The file number (Aktenzeichen) of the analysis."""
    municipalities: tuple[MunicipalityRef, ...]
    """The municipalities that the analysis covers."""
    started_on: date
    """The first day of the analysis."""
    with_survey: bool
    """True if inhabitants are asked, too (Bürgerbefragung)."""
    subject: str | None = None
    """The subject of the analysis, in German."""


@value
class SecurityAnalysisFinished:
    """A security analysis was finished and has results."""

    type: ClassVar[str] = "membership.security_analysis_finished.v1"

    analysis_id: FileNumber
    """The file number (Aktenzeichen) of the analysis."""
    municipalities: tuple[MunicipalityRef, ...]
    """The municipalities that the analysis covers."""
    started_on: date
    """The first day of the analysis."""
    finished_on: date
    """The last day of the analysis."""
    respondents: int | None = None
    """The number of inhabitants who answered the survey; null if there was none."""
    summary: str | None = None
    """The results in brief, in German."""
