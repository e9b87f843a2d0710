"""Who may ask membership what over HTTP."""

from datetime import date
from typing import Annotated, Any

from litestar import Response, Router, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from services.membership import use_cases
from services.membership.api.rights import (
    acts_for,
    must_see,
    must_see_agreement,
    own_agreements,
    own_municipalities,
)
from services.membership.domain.agreement import DEFAULT_PARTIES, Agreement, Form, PartyKind, Signature
from services.membership.domain.municipality import ActionField, Consultation, Municipality, Stage
from services.membership.queries import Alliance, AllianceFigures
from services.membership.use_cases import Agreements, Municipalities
from shared.auth import Role
from shared.clock import Clock, berlin_day
from shared.errors import NotAllowed
from shared.mongo import Database
from shared.outbox import history
from shared.web import (
    Asked,
    Body,
    Limit,
    Line,
    Listing,
    cursor_place,
    expected_version,
    listing,
    request_cause,
    versioned,
)

Lines = Annotated[tuple[Line, ...], Meta(max_length=20)]
Ags = Annotated[str, Meta(pattern=r"^[0-9]{8}$(?!\n)")]


class ConsultationHeld(Body):
    """A consultation that the LPR records."""

    held_on: date
    topics: Lines = ()
    next_step: Line | None = None


class ActionFields(Body):
    """All action fields that hold from now on."""

    action_fields: Annotated[tuple[ActionField, ...], Meta(max_length=10)]


class CooperationBegun(Body):
    """The day from which a municipality works closely with the alliance."""

    began_on: date


class Draft(Body):
    """An agreement to be drafted; `required_parties` names the kinds of parties that must sign."""

    municipalities: Annotated[tuple[Ags, ...], Meta(min_length=1, max_length=20)]
    required_parties: Annotated[tuple[PartyKind, ...], Meta(min_length=1, max_length=4)] = DEFAULT_PARTIES


class Readiness(Body):
    """The day on which an agreement is ready for signature."""

    ready_on: date


class SignatureGiven(Body, kw_only=True):
    """One party's signature, as it is documented."""

    party: Line
    person: Line
    function: Line
    deputy: bool = False
    signed_on: date
    place: Line
    form: Form = Form.PAPER


def routes(
    municipalities: Municipalities, agreements: Agreements, figures: AllianceFigures, database: Database, clock: Clock
) -> list[ControllerRouterHandler]:
    """The routes of membership."""
    handlers = [
        *_alliance_routes(figures, clock),
        *_municipality_routes(municipalities, database, clock),
        *_agreement_routes(agreements, municipalities, database, clock),
    ]
    return [Router("/membership/v1", route_handlers=handlers)]


def _alliance_routes(figures: AllianceFigures, clock: Clock) -> list[ControllerRouterHandler]:
    @get("/alliance")
    async def alliance() -> Alliance:
        """The public figures of the alliance."""
        return await figures.on(berlin_day(clock()))

    return [alliance]


def _municipality_routes(
    municipalities: Municipalities, database: Database, clock: Clock
) -> list[ControllerRouterHandler]:
    @get("/municipalities")
    async def municipality_list(
        request: Asked, stage: FromQuery[Stage | None] = None, cursor: FromQuery[str | None] = None,
        limit: Limit = 50,
    ) -> Listing[Municipality]:  # fmt: skip
        """The municipalities in the area of whoever asks, by official key."""
        where = own_municipalities(request.user) | ({"stage": stage} if stage else {})
        return listing(await municipalities.page(where, after=cursor_place(cursor), limit=limit))

    @get("/municipalities/{ags:str}")
    async def municipality(request: Asked, ags: FromPath[str]) -> Response[Municipality]:
        """One municipality, with the ETag that a change may refer to."""
        found, version = await municipalities.versioned(ags)
        must_see(request.user, found)
        return versioned(found, version)

    @get("/municipalities/{ags:str}/history")
    async def municipality_history(request: Asked, ags: FromPath[str]) -> Listing[dict[str, Any]]:
        """What happened to a municipality, oldest first."""
        must_see(request.user, await municipalities.get(ags))
        return Listing(items=await history(database, ags), next=None)

    @post("/municipalities/{ags:str}/consultations")
    async def consultation(
        request: Asked, ags: FromPath[str], data: JSONBody[ConsultationHeld]
    ) -> Response[Municipality]:
        """The LPR records a consultation."""
        request.user.require(Role.LPR)
        held = Consultation(held_on=data.held_on, topics=data.topics, next_step=data.next_step)
        cause = await request_cause(request, clock)
        return _created_municipality(await use_cases.hold_consultation(municipalities, ags, held, cause))

    @post("/municipalities/{ags:str}/cooperation")
    async def cooperation(
        request: Asked, ags: FromPath[str], data: JSONBody[CooperationBegun]
    ) -> Response[Municipality]:
        """The LPR records that a municipality works closely with the alliance."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        return _created_municipality(await use_cases.begin_cooperation(municipalities, ags, data.began_on, cause))

    @put("/municipalities/{ags:str}/action-fields")
    async def action_fields(request: Asked, ags: FromPath[str], data: JSONBody[ActionFields]) -> Municipality:
        """The LPR records the action fields; `If-Match` makes sure that nobody else changed them in between."""
        request.user.require(Role.LPR)
        expected = expected_version(request.headers.get("if-match"))
        cause = await request_cause(request, clock)
        return await use_cases.choose_action_fields(municipalities, ags, data.action_fields, cause, expected=expected)

    return [municipality_list, municipality, municipality_history, consultation, cooperation, action_fields]


def _agreement_routes(
    agreements: Agreements, municipalities: Municipalities, database: Database, clock: Clock
) -> list[ControllerRouterHandler]:
    @get("/agreements")
    async def agreement_list(
        request: Asked, cursor: FromQuery[str | None] = None, limit: Limit = 50
    ) -> Listing[Agreement]:
        """The agreements in the area of whoever asks, by file number."""
        where = own_agreements(request.user)
        return listing(await agreements.page(where, after=cursor_place(cursor), limit=limit))

    @get("/agreements/{id:str}")
    async def agreement(request: Asked, id: FromPath[str]) -> Response[Agreement]:
        """One agreement, with who has signed."""
        found, version = await agreements.versioned(id)
        must_see_agreement(request.user, found)
        return versioned(found, version)

    @get("/agreements/{id:str}/history")
    async def agreement_history(request: Asked, id: FromPath[str]) -> Listing[dict[str, Any]]:
        """What happened to an agreement, oldest first."""
        must_see_agreement(request.user, await agreements.get(id))
        return Listing(items=await history(database, id), next=None)

    @post("/agreements")
    async def drafting(request: Asked, data: JSONBody[Draft]) -> Response[Agreement]:
        """The LPR drafts an agreement."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        drafted = await use_cases.draft_agreement(
            agreements, municipalities, data.municipalities, data.required_parties, cause
        )
        return _created_agreement(drafted)

    @post("/agreements/{id:str}/readiness")
    async def readiness(request: Asked, id: FromPath[str], data: JSONBody[Readiness]) -> Response[Agreement]:
        """The LPR opens an agreement for signature."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        return _created_agreement(await use_cases.make_agreement_ready(agreements, id, data.ready_on, cause))

    @post("/agreements/{id:str}/signatures")
    async def signature(request: Asked, id: FromPath[str], data: JSONBody[SignatureGiven]) -> Response[Agreement]:
        """A party records its own signature; nobody signs for another."""
        must_see_agreement(request.user, await agreements.get(id))
        if not acts_for(request.user, data.party):
            raise NotAllowed(f"{request.user.subject} may not sign for {data.party}")
        given = Signature(
            party=data.party, person=data.person, function=data.function, deputy=data.deputy,
            signed_on=data.signed_on, place=data.place, form=data.form,
        )  # fmt: skip
        cause = await request_cause(request, clock)
        return _created_agreement(await use_cases.sign_agreement(agreements, id, given, cause))

    return [agreement_list, agreement, agreement_history, drafting, readiness, signature]


def _created_municipality(municipality: Municipality) -> Response[Municipality]:
    location = f"/membership/v1/municipalities/{municipality.ags}"
    return Response(municipality, status_code=201, headers={"Location": location})


def _created_agreement(agreement: Agreement) -> Response[Agreement]:
    return Response(agreement, status_code=201, headers={"Location": f"/membership/v1/agreements/{agreement.id}"})
