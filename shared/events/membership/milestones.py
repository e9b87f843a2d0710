"""The milestones of a municipality on its way into the alliance.

The aggregate is its `ags`; that of a security analysis, which may be about several of them, is its `analysis_id`.
Days are those of an event's own calendar in Saxony; None where history only tells that it happened.
"""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from shared.events.membership.refs import MunicipalityRef


@dataclass(frozen=True, kw_only=True, slots=True)
class InterestShown:
    """A municipality showed interest in the alliance."""

    type: ClassVar[str] = "membership.interest_shown.v1"

    ags: str
    name: str
    police_directorate: str
    shown_on: date | None
    note: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsultationHeld:
    """The LPR advised a municipality, which is the precondition of a grant application."""

    type: ClassVar[str] = "membership.consultation_held.v1"

    ags: str
    name: str
    police_directorate: str
    held_on: date | None
    """None where history only tells that it was held."""
    topics: tuple[str, ...] = ()
    next_step: str | None = None
    held_by: str | None = None
    """The office that advised; None for the LPR itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ActionFieldsChosen:
    """A municipality and the LPR agreed on the action fields (Handlungsfelder) to work on preventively."""

    type: ClassVar[str] = "membership.action_fields_chosen.v1"

    ags: str
    name: str
    police_directorate: str
    action_fields: tuple[str, ...]
    """All that hold from now on, in alphabetical order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CooperationBegan:
    """A municipality works closely with the alliance (enge Zusammenarbeit), with or without an agreement to come."""

    type: ClassVar[str] = "membership.cooperation_began.v1"

    ags: str
    name: str
    police_directorate: str
    began_on: date | None
    """None where history only tells that it began."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CooperationEnded:
    """A municipality that was no member works closely with the alliance no longer."""

    type: ClassVar[str] = "membership.cooperation_ended.v1"

    ags: str
    name: str
    police_directorate: str
    ended_on: date
    """The last day."""
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MunicipalityFellDormant:
    """The cooperation with a municipality rests; an agreement in force is not touched by that."""

    type: ClassVar[str] = "membership.municipality_fell_dormant.v1"

    ags: str
    name: str
    police_directorate: str
    since: date
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CooperationResumed:
    """The cooperation with a municipality that was dormant goes on."""

    type: ClassVar[str] = "membership.cooperation_resumed.v1"

    ags: str
    name: str
    police_directorate: str
    resumed_on: date


@dataclass(frozen=True, kw_only=True, slots=True)
class CouncilDecisionRecorded:
    """The council of a municipality decided on joining the alliance (Ratsbeschluss)."""

    type: ClassVar[str] = "membership.council_decision_recorded.v1"

    ags: str
    name: str
    police_directorate: str
    decided_on: date
    number: str
    """The number of the resolution (Beschlussnummer)."""
    approved: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class CoachingRequested:
    """A municipality asked for coaching, which is free; a coach is to be matched."""

    type: ClassVar[str] = "membership.coaching_requested.v1"

    ags: str
    name: str
    police_directorate: str
    coaching: int
    """The number of the coaching among those of the municipality: 1, 2, 3 …"""
    requested_on: date
    topic: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CoachMatched:
    """A coach was found for a municipality."""

    type: ClassVar[str] = "membership.coach_matched.v1"

    ags: str
    name: str
    police_directorate: str
    coaching: int
    coach: str
    """The organisation that coaches, no person."""
    matched_on: date


@dataclass(frozen=True, kw_only=True, slots=True)
class CoachingFinished:
    """A coaching came to its end."""

    type: ClassVar[str] = "membership.coaching_finished.v1"

    ags: str
    name: str
    police_directorate: str
    coaching: int
    finished_on: date


@dataclass(frozen=True, kw_only=True, slots=True)
class PreventionCouncilNoted:
    """It became known whether a municipal prevention council (KPR) meets in a municipality."""

    type: ClassVar[str] = "membership.prevention_council_noted.v1"

    ags: str
    name: str
    police_directorate: str
    meets: bool
    noted_on: date | None
    """From this day on, or until this day; None where history only tells that it meets."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SecurityAnalysisStarted:
    """A security analysis (Sicherheitsanalyse) of one or several municipalities was begun."""

    type: ClassVar[str] = "membership.security_analysis_started.v1"

    analysis_id: str
    """The file number (Aktenzeichen)."""
    municipalities: tuple[MunicipalityRef, ...]
    started_on: date
    with_survey: bool
    """Inhabitants are asked, too (Bürgerbefragung)."""
    subject: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SecurityAnalysisFinished:
    """A security analysis has its results."""

    type: ClassVar[str] = "membership.security_analysis_finished.v1"

    analysis_id: str
    municipalities: tuple[MunicipalityRef, ...]
    started_on: date
    finished_on: date
    respondents: int | None = None
    """Inhabitants who answered the survey; None where there was none."""
    summary: str | None = None
