"""Who may record the milestones of a municipality."""

from functools import partial

from litestar import Response, post, put
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler

from services.membership.api import bodies
from services.membership.api.municipalities import created
from services.membership.api.rights import require_own_or_lpr
from services.membership.domain.milestones import Consultation, CouncilDecision
from services.membership.domain.municipality import Municipality
from services.membership.use_cases import Municipalities
from services.membership.use_cases import municipalities as use_cases
from shared.kernel.clock import Clock
from shared.web.auth import Role
from shared.web.frame import Asked, expected_version, request_cause


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
        """A municipality showed interest in the alliance."""
        own = municipalities.guarded(partial(require_own_or_lpr, request.user))
        cause = await request_cause(request, clock)
        return created(await use_cases.show_interest(own, ags, data.shown_on, data.note, cause))

    @post("/municipalities/{ags:str}/consultations")
    async def consultation(
        request: Asked, ags: FromPath[str], data: JSONBody[bodies.ConsultationHeld]
    ) -> Response[Municipality]:
        """The LPR records a consultation."""
        request.user.require(Role.LPR)
        held = Consultation(held_on=data.held_on, topics=data.topics, next_step=data.next_step, held_by=data.held_by)
        cause = await request_cause(request, clock)
        return created(await use_cases.hold_consultation(municipalities, ags, held, cause))

    @post("/municipalities/{ags:str}/cooperation")
    async def cooperation(
        request: Asked, ags: FromPath[str], data: JSONBody[bodies.CooperationBegun]
    ) -> Response[Municipality]:
        """The LPR records that a municipality works closely with the alliance."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        return created(await use_cases.begin_cooperation(municipalities, ags, data.began_on, cause))

    @post("/municipalities/{ags:str}/cooperation/end")
    async def cooperation_end(
        request: Asked, ags: FromPath[str], data: JSONBody[bodies.CooperationEnded]
    ) -> Response[Municipality]:
        """The LPR records that a municipality, which is no member, does so no longer."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        return created(await use_cases.end_cooperation(municipalities, ags, data.ended_on, data.reason, cause))

    @post("/municipalities/{ags:str}/dormancy")
    async def dormancy(
        request: Asked, ags: FromPath[str], data: JSONBody[bodies.FallenDormant]
    ) -> Response[Municipality]:
        """The LPR records that the cooperation rests."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        return created(await use_cases.fall_dormant(municipalities, ags, data.since, data.reason, cause))

    @post("/municipalities/{ags:str}/dormancy/end")
    async def dormancy_end(
        request: Asked, ags: FromPath[str], data: JSONBody[bodies.Resumed]
    ) -> Response[Municipality]:
        """The LPR records that the cooperation goes on."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        return created(await use_cases.resume(municipalities, ags, data.resumed_on, cause))

    return [interest, consultation, cooperation, cooperation_end, dormancy, dormancy_end]


def _decision_routes(municipalities: Municipalities, clock: Clock) -> list[ControllerRouterHandler]:
    @post("/municipalities/{ags:str}/council-decisions")
    async def council_decision(
        request: Asked, ags: FromPath[str], data: JSONBody[bodies.CouncilDecided]
    ) -> Response[Municipality]:
        """The municipality, or the LPR for it, records what its council decided."""
        own = municipalities.guarded(partial(require_own_or_lpr, request.user))
        decision = CouncilDecision(decided_on=data.decided_on, number=data.number, approved=data.approved)
        cause = await request_cause(request, clock)
        return created(await use_cases.record_council_decision(own, ags, decision, cause))

    @post("/municipalities/{ags:str}/prevention-council")
    async def prevention_council(
        request: Asked, ags: FromPath[str], data: JSONBody[bodies.PreventionCouncilNoted]
    ) -> Response[Municipality]:
        """The LPR records whether a prevention council meets."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        return created(
            await use_cases.note_prevention_council(municipalities, ags, data.noted_on, cause, meets=data.meets)
        )

    @put("/municipalities/{ags:str}/action-fields")
    async def action_fields(request: Asked, ags: FromPath[str], data: JSONBody[bodies.ActionFields]) -> Municipality:
        """The LPR records the action fields; `If-Match` makes sure that nobody else changed them in between."""
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
        """The municipality, or the LPR for it, asks for a coach."""
        own = municipalities.guarded(partial(require_own_or_lpr, request.user))
        cause = await request_cause(request, clock)
        return created(await use_cases.request_coaching(own, ags, data.topic, data.requested_on, cause))

    @post("/municipalities/{ags:str}/coachings/{number:int}/coach")
    async def coach(
        request: Asked, ags: FromPath[str], number: FromPath[int], data: JSONBody[bodies.CoachMatched]
    ) -> Response[Municipality]:
        """The LPR records which organisation coaches."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        return created(
            await use_cases.match_coach(
                municipalities, ags, number, cause, coach=data.coach, matched_on=data.matched_on
            )
        )

    @post("/municipalities/{ags:str}/coachings/{number:int}/end")
    async def coaching_end(
        request: Asked, ags: FromPath[str], number: FromPath[int], data: JSONBody[bodies.CoachingFinished]
    ) -> Response[Municipality]:
        """The LPR records the end of a coaching."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        return created(await use_cases.finish_coaching(municipalities, ags, number, data.finished_on, cause))

    return [coaching, coach, coaching_end]
