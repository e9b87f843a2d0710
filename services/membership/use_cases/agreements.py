"""What happens to agreements, from their texts to their ends."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial

from services.membership.domain import drafting, ending
from services.membership.domain.agreement import Agreement, AgreementExists
from services.membership.domain.drafting import Terms
from services.membership.domain.signatures import Decline, Signature
from services.membership.domain.template import Template
from services.membership.domain.term import ACTIVE, Notice, Stage
from services.membership.use_cases import Agreements, Records, Templates
from shared.kernel.cause import Cause
from shared.kernel.errors import Taken
from shared.kernel.ids import new_file_number

ONE_DAY = timedelta(days=1)


async def publish_template(templates: Templates, id: str, text: str, cause: Cause) -> Template:
    """Publish a text for agreements to come, as a new version where there is one already."""
    await templates.store.commit(cause, templates.changing(id, lambda one: one.publish(text), new=Template(id=id)))
    return await templates.get(id)


async def draft_agreement(records: Records, ags: Sequence[str], terms: Terms, template: str, cause: Cause) -> Agreement:
    """Draft an agreement; raises NotFound for an unknown municipality, AgreementExists where one is active."""
    covered = [await records.municipalities.get(one) for one in sorted(set(ags))]
    number = new_file_number("KV", cause.at.year)
    agreement, facts = drafting.draft(number, covered, terms, cause.at, await records.templates.get(template))
    try:
        return await records.agreements.add(agreement, facts, cause)
    except Taken as taken:
        clash = taken.values.get("covered")
        if clash is None:
            raise
        [active] = await records.agreements.all({"covered": clash, "stage": {"$in": list(ACTIVE)}})
        raise AgreementExists(f"municipality {clash} has agreement {active.id}, which is {active.stage}") from taken


async def adapt_text(agreements: Agreements, id: str, text: str, cause: Cause, *, expected: int | None) -> Agreement:
    """Adapt the text of a draft; `expected` is the version that was seen."""
    return await agreements.change(id, lambda one: one.adapt_text(text), cause, expected=expected)


async def make_agreement_ready(
    agreements: Agreements, id: str, ready_on: date, sign_by: date | None, cause: Cause
) -> Agreement:
    """Open an agreement for signature."""
    return await agreements.change(id, lambda one: one.make_ready(ready_on, cause.at, sign_by), cause)


async def sign_agreement(
    agreements: Agreements, id: str, signature: Signature, text_sha256: str | None, cause: Cause
) -> Agreement:
    """A party has signed; the last signature puts the agreement into force."""
    return await agreements.change(id, lambda one: one.sign(signature, cause.at, text_sha256), cause)


async def correct_signature(
    agreements: Agreements, id: str, signature: Signature, reason: str, cause: Cause
) -> Agreement:
    """What was recorded of a signature is mended."""
    return await agreements.change(id, lambda one: one.correct(signature, reason, cause.at), cause)


async def decline_agreement(agreements: Agreements, id: str, decline: Decline, cause: Cause) -> Agreement:
    """A party does not want to sign."""
    return await agreements.change(id, lambda one: one.decline(decline, cause.at), cause)


async def withdraw_agreement(agreements: Agreements, id: str, reason: str, cause: Cause) -> Agreement:
    """Give up an agreement that is not in force yet."""
    return await agreements.change(id, lambda one: one.withdraw(reason, cause.at), cause)


async def renew_agreement(agreements: Agreements, id: str, ends_on: date | None, cause: Cause) -> Agreement:
    """Let an agreement go on."""
    return await agreements.change(id, lambda one: ending.renew(one, ends_on, cause.at), cause)


async def give_notice(agreements: Agreements, id: str, notice: Notice, cause: Cause) -> Agreement:
    """A party gives notice."""
    return await agreements.change(id, lambda one: ending.give_notice(one, notice, cause.at), cause)


async def fall_due(agreements: Agreements, id: str, cause: Cause) -> None:
    """What becomes due of an agreement by itself happens."""
    await agreements.change(id, lambda one: ending.fall_due(one, cause.at), cause)


async def pass_on(records: Records, ags: str, cause: Cause) -> None:
    """A municipality was merged: its agreement in force goes on with its successor, or ends where that has its own."""
    merged, agreements = await records.municipalities.get(ags), records.agreements
    covering = await agreements.all({"covered": ags, "stage": Stage.IN_FORCE})
    if merged.successor is None or merged.valid_to is None or not covering:
        await agreements.store.commit(cause)  # There is nothing to pass on; this cause has had its effect.
        return
    for agreement in covering:
        successor = (await records.municipalities.get(merged.successor)).ref
        leaving = tuple(ref for ref in agreement.remaining if ref.ags == ags)
        pass_on = partial(ending.pass_on, ags=ags, successor=successor, passed_on=merged.valid_to + ONE_DAY)
        end = partial(ending.end, leaving=leaving, ended_on=merged.valid_to, how="merged")
        try:
            await agreements.change(agreement.id, pass_on, cause)
        except Taken:
            await agreements.change(agreement.id, end, cause)
