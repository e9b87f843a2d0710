"""HTTP routes for agreements, with their permissions."""

from functools import partial

from litestar import Response, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from services.membership.api import bodies
from services.membership.api.rights import (
    must_see_agreement,
    own_agreements,
    require_party,
    require_party_or_lpr,
)
from services.membership.domain.agreement import Agreement
from services.membership.domain.drafting import Terms
from services.membership.domain.signatures import Decline, Signature
from services.membership.domain.term import Stage
from services.membership.records import Agreements, Records
from services.membership.use_cases import agreements as use_cases
from shared.kernel.clock import Clock
from shared.kernel.copying import copy_as
from shared.store.mongo import Database
from shared.web.answers import created, versioned
from shared.web.history import history_route
from shared.web.paging import Limit, Listing, cursor_place, listing
from shared.web.problems import Asked
from shared.web.requests import expected_version, request_cause
from shared.web.rights import Role


def agreement_routes(records: Records, database: Database, clock: Clock) -> list[ControllerRouterHandler]:
    """The routes for agreements."""
    return [
        *_reading_routes(records.agreements, database),
        *_preparing_routes(records, clock),
        *_signing_routes(records.agreements, clock),
        *_ending_routes(records.agreements, clock),
    ]


def _reading_routes(agreements: Agreements, database: Database) -> list[ControllerRouterHandler]:
    @get("/agreements")
    async def agreement_list(
        request: Asked, stage: FromQuery[Stage | None] = None, ags: FromQuery[str | None] = None,
        cursor: FromQuery[str | None] = None, limit: Limit = 50,
    ) -> Listing[Agreement]:  # fmt: skip
        """List the agreements in the areas of the caller by file number, of one stage or one municipality."""
        wanted = ({"stage": stage} if stage else {}) | ({"municipalities.ags": ags} if ags else {})
        where = {"$and": [own_agreements(request.user), wanted]}
        return listing(await agreements.page(where, after=cursor_place(cursor), limit=limit))

    @get("/agreements/{id:str}")
    async def agreement(request: Asked, id: FromPath[str]) -> Response[Agreement]:
        """Get one agreement with its signatures."""
        return versioned(*await agreements.guarded(partial(must_see_agreement, request.user)).versioned(id))

    return [agreement_list, agreement, history_route("/agreements/{id:str}", agreements, database, must_see_agreement)]


def _preparing_routes(records: Records, clock: Clock) -> list[ControllerRouterHandler]:
    @post("/agreements")
    async def drafting(request: Asked, data: JSONBody[bodies.Draft]) -> Response[Agreement]:
        """Draft an agreement. For the LPR."""
        request.user.require(Role.LPR)
        terms = copy_as(Terms, data, required=data.required_parties)
        cause = await request_cause(request, clock)
        return _created(await use_cases.draft_agreement(records, data.municipalities, terms, data.template, cause))

    @put("/agreements/{id:str}/text")
    async def text(request: Asked, id: FromPath[str], data: JSONBody[bodies.AgreementText]) -> Agreement:
        """Adapt the text of a draft; `If-Match` guards against concurrent edits. For the LPR."""
        request.user.require(Role.LPR)
        expected = expected_version(request.headers.get("if-match"))
        cause = await request_cause(request, clock)
        return await use_cases.adapt_text(records.agreements, id, data.text, cause, expected=expected)

    @post("/agreements/{id:str}/readiness")
    async def readiness(request: Asked, id: FromPath[str], data: JSONBody[bodies.Readiness]) -> Response[Agreement]:
        """Open an agreement for signature; from then on its text is fixed. For the LPR."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        return _created(
            await use_cases.make_agreement_ready(records.agreements, id, data.ready_on, data.sign_by, cause)
        )

    @post("/agreements/{id:str}/withdrawal")
    async def withdrawal(request: Asked, id: FromPath[str], data: JSONBody[bodies.Withdrawal]) -> Response[Agreement]:
        """Withdraw an agreement that is not in force yet. For the LPR."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        return _created(await use_cases.withdraw_agreement(records.agreements, id, data.reason, cause))

    return [drafting, text, readiness, withdrawal]


def _signing_routes(agreements: Agreements, clock: Clock) -> list[ControllerRouterHandler]:
    @post("/agreements/{id:str}/signatures")
    async def signature(
        request: Asked, id: FromPath[str], data: JSONBody[bodies.SignatureGiven]
    ) -> Response[Agreement]:
        """Record a signature. For the party itself; nobody signs for another."""
        own = agreements.guarded(partial(require_party, request.user, data.party))
        cause = await request_cause(request, clock)
        return _created(await use_cases.sign_agreement(own, id, copy_as(Signature, data), data.text_sha256, cause))

    @post("/agreements/{id:str}/corrections")
    async def correction(
        request: Asked, id: FromPath[str], data: JSONBody[bodies.SignatureCorrected]
    ) -> Response[Agreement]:
        """Correct the record of a signature while the agreement is open. For the party and the LPR."""
        own = agreements.guarded(partial(require_party_or_lpr, request.user, data.party))
        cause = await request_cause(request, clock)
        return _created(await use_cases.correct_signature(own, id, copy_as(Signature, data), data.reason, cause))

    @post("/agreements/{id:str}/declines")
    async def decline(request: Asked, id: FromPath[str], data: JSONBody[bodies.Declined]) -> Response[Agreement]:
        """Record that a party does not want to sign. For the party and the LPR."""
        own = agreements.guarded(partial(require_party_or_lpr, request.user, data.party))
        declined = copy_as(Decline, data)
        cause = await request_cause(request, clock)
        return _created(await use_cases.decline_agreement(own, id, declined, cause))

    return [signature, correction, decline]


def _ending_routes(agreements: Agreements, clock: Clock) -> list[ControllerRouterHandler]:
    @post("/agreements/{id:str}/renewals")
    async def renewal(request: Asked, id: FromPath[str], data: JSONBody[bodies.Renewal]) -> Response[Agreement]:
        """Renew an agreement. For the LPR."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        return _created(await use_cases.renew_agreement(agreements, id, data.ends_on, cause))

    @post("/agreements/{id:str}/notices")
    async def notice(request: Asked, id: FromPath[str], data: JSONBody[bodies.NoticeGiven]) -> Response[Agreement]:
        """Record a notice; without `ends_on` the agreement ends as early as it can. For the party and the LPR."""
        own = agreements.guarded(partial(require_party_or_lpr, request.user, data.party))
        cause = await request_cause(request, clock)
        return _created(
            await use_cases.give_notice(
                own, id, data.party, data.given_on, cause, ends_on=data.ends_on, reason=data.reason
            )
        )

    return [renewal, notice]


def _created(agreement: Agreement) -> Response[Agreement]:
    return created(agreement, f"/membership/v1/agreements/{agreement.id}")
