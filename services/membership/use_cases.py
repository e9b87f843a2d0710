"""What membership does: one function per command or reaction."""

from collections.abc import Collection, Sequence
from datetime import date

from services.membership.domain.agreement import (
    ACTIVE,
    Agreement,
    AgreementExists,
    PartyKind,
    Signature,
    draft,
)
from services.membership.domain.municipality import ActionField, Consultation, Municipality
from shared.cause import Cause
from shared.errors import Taken
from shared.events.membership import AgreementSigned
from shared.ids import new_file_number
from shared.repository import Repository

Municipalities = Repository[Municipality]
Agreements = Repository[Agreement]


async def hold_consultation(
    municipalities: Municipalities, ags: str, consultation: Consultation, cause: Cause
) -> Municipality:
    """The LPR has advised a municipality."""
    return await municipalities.change(ags, lambda one: one.hold_consultation(consultation, cause.at), cause)


async def choose_action_fields(
    municipalities: Municipalities, ags: str, chosen: Collection[ActionField], cause: Cause, *, expected: int | None
) -> Municipality:
    """LPR and municipality have agreed on what to work on; `expected` is the version that they have seen."""
    return await municipalities.change(ags, lambda one: one.choose_action_fields(chosen), cause, expected=expected)


async def begin_cooperation(
    municipalities: Municipalities, ags: str, began_on: date | None, cause: Cause
) -> Municipality:
    """A municipality works closely with the alliance from now on."""
    return await municipalities.change(ags, lambda one: one.begin_cooperation(began_on, cause.at), cause)


async def draft_agreement(
    agreements: Agreements,
    municipalities: Municipalities,
    ags: Sequence[str],
    required: Collection[PartyKind],
    cause: Cause,
) -> Agreement:
    """Draft an agreement; raises NotFound for an unknown municipality, AgreementExists where one is active."""
    covered = [await municipalities.get(one) for one in sorted(set(ags))]
    agreement, events = draft(new_file_number("KV", cause.at.year), covered, required, cause.at)
    try:
        return await agreements.add(agreement, events, cause)
    except Taken as taken:
        clash = taken.values.get("municipalities.ags")
        if clash is None:
            raise
        [active] = await agreements.all({"municipalities.ags": clash, "stage": {"$in": list(ACTIVE)}})
        raise AgreementExists(f"municipality {clash} has agreement {active.id}, which is {active.stage}") from taken


async def make_agreement_ready(agreements: Agreements, id: str, ready_on: date, cause: Cause) -> Agreement:
    """Open an agreement for signature."""
    return await agreements.change(id, lambda agreement: agreement.make_ready(ready_on, cause.at), cause)


async def sign_agreement(agreements: Agreements, id: str, signature: Signature, cause: Cause) -> Agreement:
    """A party has signed; the last signature puts the agreement into force."""
    return await agreements.change(id, lambda agreement: agreement.sign(signature, cause.at), cause)


async def join(municipalities: Municipalities, fact: AgreementSigned, cause: Cause) -> None:
    """An agreement is in force: each of its municipalities becomes a member."""
    for ref in fact.municipalities:
        await municipalities.change(
            ref.ags, lambda one: one.join(fact.agreement_id, fact.in_force_since), cause.part(ref.ags)
        )
