"""Who may ask what about agreements, prepare them, sign them, and end them."""

from functools import partial
from typing import Any

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
from services.membership.domain.ending import earliest_end
from services.membership.domain.signatures import Decline, Signature
from services.membership.domain.term import Notice, Stage
from services.membership.use_cases import Agreements, Records
from services.membership.use_cases import agreements as use_cases
from shared.kernel.clock import Clock
from shared.store.mongo import Database
from shared.store.rows import history
from shared.web.auth import Role
from shared.web.frame import (
    Asked,
    Limit,
    Listing,
    cursor_place,
    expected_version,
    listing,
    request_cause,
    versioned,
)


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
        """The agreements in the area of whoever asks, by file number; of one stage or one municipality."""
        wanted = ({"stage": stage} if stage else {}) | ({"municipalities.ags": ags} if ags else {})
        where = {"$and": [own_agreements(request.user), wanted]}
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

    return [agreement_list, agreement, agreement_history]


def _preparing_routes(records: Records, clock: Clock) -> list[ControllerRouterHandler]:
    @post("/agreements")
    async def drafting(request: Asked, data: JSONBody[bodies.Draft]) -> Response[Agreement]:
        """The LPR drafts an agreement."""
        request.user.require(Role.LPR)
        terms = Terms(
            required=data.required_parties, ordered=data.ordered, witnesses=data.witnesses,
            ends_on=data.ends_on, notice_months=data.notice_months,
        )  # fmt: skip
        cause = await request_cause(request, clock)
        return _created(await use_cases.draft_agreement(records, data.municipalities, terms, data.template, cause))

    @put("/agreements/{id:str}/text")
    async def text(request: Asked, id: FromPath[str], data: JSONBody[bodies.AgreementText]) -> Agreement:
        """The LPR adapts the text of a draft; `If-Match` makes sure that nobody else changed it in between."""
        request.user.require(Role.LPR)
        expected = expected_version(request.headers.get("if-match"))
        cause = await request_cause(request, clock)
        return await use_cases.adapt_text(records.agreements, id, data.text, cause, expected=expected)

    @post("/agreements/{id:str}/readiness")
    async def readiness(request: Asked, id: FromPath[str], data: JSONBody[bodies.Readiness]) -> Response[Agreement]:
        """The LPR opens an agreement for signature; its text is fixed from now on."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        return _created(
            await use_cases.make_agreement_ready(records.agreements, id, data.ready_on, data.sign_by, cause)
        )

    @post("/agreements/{id:str}/withdrawal")
    async def withdrawal(request: Asked, id: FromPath[str], data: JSONBody[bodies.Withdrawal]) -> Response[Agreement]:
        """The LPR gives up an agreement that is not in force yet."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        return _created(await use_cases.withdraw_agreement(records.agreements, id, data.reason, cause))

    return [drafting, text, readiness, withdrawal]


def _signing_routes(agreements: Agreements, clock: Clock) -> list[ControllerRouterHandler]:
    @post("/agreements/{id:str}/signatures")
    async def signature(
        request: Asked, id: FromPath[str], data: JSONBody[bodies.SignatureGiven]
    ) -> Response[Agreement]:
        """A party records its own signature; nobody signs for another."""
        own = agreements.guarded(partial(require_party, request.user, data.party))
        cause = await request_cause(request, clock)
        return _created(await use_cases.sign_agreement(own, id, _signature(data), data.text_sha256, cause))

    @post("/agreements/{id:str}/corrections")
    async def correction(
        request: Asked, id: FromPath[str], data: JSONBody[bodies.SignatureCorrected]
    ) -> Response[Agreement]:
        """The party, or the LPR, mends what was recorded of a signature, before the agreement is complete."""
        own = agreements.guarded(partial(require_party_or_lpr, request.user, data.party))
        cause = await request_cause(request, clock)
        return _created(await use_cases.correct_signature(own, id, _signature(data), data.reason, cause))

    @post("/agreements/{id:str}/declines")
    async def decline(request: Asked, id: FromPath[str], data: JSONBody[bodies.Declined]) -> Response[Agreement]:
        """The party, or the LPR for it, records that it does not want to sign."""
        own = agreements.guarded(partial(require_party_or_lpr, request.user, data.party))
        declined = Decline(party=data.party, declined_on=data.declined_on, reason=data.reason)
        cause = await request_cause(request, clock)
        return _created(await use_cases.decline_agreement(own, id, declined, cause))

    return [signature, correction, decline]


def _ending_routes(agreements: Agreements, clock: Clock) -> list[ControllerRouterHandler]:
    @post("/agreements/{id:str}/renewals")
    async def renewal(request: Asked, id: FromPath[str], data: JSONBody[bodies.Renewal]) -> Response[Agreement]:
        """The LPR records that the parties let an agreement go on."""
        request.user.require(Role.LPR)
        cause = await request_cause(request, clock)
        return _created(await use_cases.renew_agreement(agreements, id, data.ends_on, cause))

    @post("/agreements/{id:str}/notices")
    async def notice(request: Asked, id: FromPath[str], data: JSONBody[bodies.NoticeGiven]) -> Response[Agreement]:
        """The party, or the LPR for it, records that it gave notice."""
        found = await agreements.get(id)
        require_party_or_lpr(request.user, data.party, found)
        ends_on = data.ends_on or earliest_end(found, data.given_on)
        given = Notice(party=data.party, given_on=data.given_on, ends_on=ends_on, reason=data.reason)
        cause = await request_cause(request, clock)
        return _created(await use_cases.give_notice(agreements, id, given, cause))

    return [renewal, notice]


def _signature(data: bodies.SignatureGiven | bodies.SignatureCorrected) -> Signature:
    return Signature(
        party=data.party, person=data.person, function=data.function, deputy=data.deputy,
        signed_on=data.signed_on, place=data.place, form=data.form,
    )  # fmt: skip


def _created(agreement: Agreement) -> Response[Agreement]:
    return Response(agreement, status_code=201, headers={"Location": f"/membership/v1/agreements/{agreement.id}"})
