"""HTTP routes for the milestones of a municipality, with their permissions."""

from functools import partial

from litestar import Response, post, put
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler

from services.membership.api import bodies
from services.membership.api.municipalities import recorded
from services.membership.api.rights import require_own_or_lpr
from services.membership.domain.milestones import Consultation, CouncilDecision
from services.membership.domain.municipality import Municipality
from services.membership.records import Municipalities
from services.membership.use_cases import municipalities as use_cases
from shared.kernel.clock import Clock
from shared.kernel.copying import copy_as
from shared.web.problems import Asked
from shared.web.requests import expected_version, request_cause
from shared.web.rights import Role


def milestone_routes(municipalities: Municipalities, clock: Clock) -> list[ControllerRouterHandler]:
    """The routes for the milestones of a municipality."""
    return [
        *_cooperation_routes(municipalities, clock),
        *_decision_routes(municipalities, clock),
        *_coaching_routes(municipalities, clock),
    ]


def _cooperation_routes(municipalities: Municipalities, clock: Clock) -> list[ControllerRouterHandler]:
    @post("/municipalities/{ags:str}/interests")
    async def interest(
        request: Asked, ags: FromPath[str], data: JSONBody[bodies.InterestShown]
    ) -> Response[Municipality]:
        """Record an interest in the alliance. For the municipality itself and the LPR."""
        own = municipalities.guarded(partial(require_own_or_lpr, request.user))
        cause = await request_cause(request, clock)
        return recorded(await use_cases.show_interest(own, ags, data.shown_on, data.note, cause))

    @post("/municipalities/{ags:str}/consultations")
    async def consultation(
        request: Asked, ags: FromPath[str], data: JSONBody[bodies.ConsultationHeld]
    ) -> Response[Municipality]:
        """Record a consultation. For the LPR."""
        request.user.require(Role.LPR)
        held = copy_as(Consultation, data)
        cause = await request_cause(request, clock)
        return recorded(await use_cases.hold_consultation(municipalities, ags, held, cause))

    @post("/municipalities/{ags:str}/cooperation")
    async def cooperation(
        request: Asked, ags: FromPath[str], data: JSONBody[bodies.CooperationBegun]
    ) -> Response[Municipality]:
        """Record that a municipality works closely with the alliance. For the LPR."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        return recorded(await use_cases.begin_cooperation(municipalities, ags, data.began_on, cause))

    @post("/municipalities/{ags:str}/cooperation/end")
    async def cooperation_end(
        request: Asked, ags: FromPath[str], data: JSONBody[bodies.CooperationEnded]
    ) -> Response[Municipality]:
        """Record the end of a close cooperation that was no membership. For the LPR."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        return recorded(await use_cases.end_cooperation(municipalities, ags, data.ended_on, data.reason, cause))

    @post("/municipalities/{ags:str}/dormancy")
    async def dormancy(
        request: Asked, ags: FromPath[str], data: JSONBody[bodies.FallenDormant]
    ) -> Response[Municipality]:
        """Record that the cooperation rests. For the LPR."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        return recorded(await use_cases.fall_dormant(municipalities, ags, data.since, data.reason, cause))

    @post("/municipalities/{ags:str}/dormancy/end")
    async def dormancy_end(
        request: Asked, ags: FromPath[str], data: JSONBody[bodies.Resumed]
    ) -> Response[Municipality]:
        """Record that the cooperation goes on. For the LPR."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        return recorded(await use_cases.resume(municipalities, ags, data.resumed_on, cause))

    return [interest, consultation, cooperation, cooperation_end, dormancy, dormancy_end]


def _decision_routes(municipalities: Municipalities, clock: Clock) -> list[ControllerRouterHandler]:
    @post("/municipalities/{ags:str}/council-decisions")
    async def council_decision(
        request: Asked, ags: FromPath[str], data: JSONBody[bodies.CouncilDecided]
    ) -> Response[Municipality]:
        """Record a decision of the council. For the municipality itself and the LPR."""
        own = municipalities.guarded(partial(require_own_or_lpr, request.user))
        decision = copy_as(CouncilDecision, data)
        cause = await request_cause(request, clock)
        return recorded(await use_cases.record_council_decision(own, ags, decision, cause))

    @post("/municipalities/{ags:str}/prevention-council")
    async def prevention_council(
        request: Asked, ags: FromPath[str], data: JSONBody[bodies.PreventionCouncilNoted]
    ) -> Response[Municipality]:
        """Note that a prevention council meets, or no longer does. For the LPR."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        return recorded(
            await use_cases.note_prevention_council(municipalities, ags, data.noted_on, cause, meets=data.meets)
        )

    @put("/municipalities/{ags:str}/action-fields")
    async def action_fields(request: Asked, ags: FromPath[str], data: JSONBody[bodies.ActionFields]) -> Municipality:
        """Record the action fields; `If-Match` guards against concurrent edits. For the LPR."""
        request.user.require(Role.LPR)
        expected = expected_version(request.headers.get("if-match"))
        cause = await request_cause(request, clock)
        return await use_cases.choose_action_fields(municipalities, ags, data.action_fields, cause, expected=expected)

    return [council_decision, prevention_council, action_fields]


def _coaching_routes(municipalities: Municipalities, clock: Clock) -> list[ControllerRouterHandler]:
    @post("/municipalities/{ags:str}/coachings")
    async def coaching(
        request: Asked, ags: FromPath[str], data: JSONBody[bodies.CoachingRequested]
    ) -> Response[Municipality]:
        """Request a coach. For the municipality itself and the LPR."""
        own = municipalities.guarded(partial(require_own_or_lpr, request.user))
        cause = await request_cause(request, clock)
        return recorded(await use_cases.request_coaching(own, ags, data.topic, data.requested_on, cause))

    @post("/municipalities/{ags:str}/coachings/{number:int}/coach")
    async def coach(
        request: Asked, ags: FromPath[str], number: FromPath[int], data: JSONBody[bodies.CoachMatched]
    ) -> Response[Municipality]:
        """Record which organisation coaches. For the LPR."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        return recorded(
            await use_cases.match_coach(
                municipalities, ags, number, cause, coach=data.coach, matched_on=data.matched_on
            )
        )

    @post("/municipalities/{ags:str}/coachings/{number:int}/end")
    async def coaching_end(
        request: Asked, ags: FromPath[str], number: FromPath[int], data: JSONBody[bodies.CoachingFinished]
    ) -> Response[Municipality]:
        """Record the end of a coaching. For the LPR."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        return recorded(await use_cases.finish_coaching(municipalities, ags, number, data.finished_on, cause))

    return [coaching, coach, coaching_end]
