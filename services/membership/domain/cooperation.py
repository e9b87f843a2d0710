"""Rules for working closely with the alliance: a cooperation begins, rests, resumes and ends."""

from datetime import date, datetime

from services.membership.domain.dates import refuse_before_start, refuse_unless_past
from services.membership.domain.milestones import is_open
from services.membership.domain.municipality import Municipality, evolve
from shared.events.membership.milestones import (
    CooperationBegan,
    CooperationEnded,
    CooperationResumed,
    MunicipalityFellDormant,
)
from shared.kernel.copying import copy_as
from shared.kernel.decision import Decision
from shared.kernel.errors import Refused


class NotCooperating(Refused):
    """There is no close cooperation that could rest or end."""

    code = "not_cooperating"


class StillMember(Refused):
    """A membership ends with its agreement, by notice, and not by itself."""

    code = "still_member"


def begin(municipality: Municipality, began_on: date | None, now: datetime) -> Decision[Municipality]:
    """Begin to work closely with the alliance; a member, or one that already does, changes nothing."""
    refuse_unless_past(municipality, began_on, now, "a cooperation")
    if is_open(municipality.cooperations) or municipality.is_member:
        return municipality, []
    return evolve.decision(municipality, copy_as(CooperationBegan, municipality, began_on=began_on))


def end(municipality: Municipality, ended_on: date, reason: str | None, now: datetime) -> Decision[Municipality]:
    """End the close cooperation of a municipality that is not a member."""
    refuse_unless_past(municipality, ended_on, now, "the end of a cooperation")
    if municipality.is_member:
        raise StillMember(f"{municipality.name} ({municipality.ags}) is a member; give notice of its agreement instead")
    if not is_open(municipality.cooperations):
        raise _not_cooperating(municipality, "end")
    refuse_before_start(municipality, ended_on, municipality.cooperations, "cooperation")
    return evolve.decision(municipality, copy_as(CooperationEnded, municipality, ended_on=ended_on, reason=reason))


def fall_dormant(municipality: Municipality, since: date, reason: str | None, now: datetime) -> Decision[Municipality]:
    """Pause the cooperation; a dormant one changes nothing."""
    refuse_unless_past(municipality, since, now, "a dormancy")
    if is_open(municipality.dormancies):
        return municipality, []
    if not (is_open(municipality.cooperations) or municipality.is_member):
        raise _not_cooperating(municipality, "rest")
    return evolve.decision(municipality, copy_as(MunicipalityFellDormant, municipality, since=since, reason=reason))


def resume(municipality: Municipality, resumed_on: date, now: datetime) -> Decision[Municipality]:
    """Resume the cooperation; one that is not dormant changes nothing."""
    refuse_unless_past(municipality, resumed_on, now, "a resumption")
    if not is_open(municipality.dormancies):
        return municipality, []
    refuse_before_start(municipality, resumed_on, municipality.dormancies, "dormancy")
    return evolve.decision(municipality, copy_as(CooperationResumed, municipality, resumed_on=resumed_on))


def _not_cooperating(municipality: Municipality, act: str) -> NotCooperating:
    return NotCooperating(
        f"{municipality.name} ({municipality.ags}) is {municipality.stage}: there is no cooperation that could {act}"
    )
