"""Use cases of agreements, from their texts to their ends."""

from collections.abc import Sequence
from datetime import date
from functools import partial

from services.membership.domain import drafting, ending, signing, template
from services.membership.domain.agreement import Agreement
from services.membership.domain.drafting import AgreementExists, Terms
from services.membership.domain.ending import ONE_DAY
from services.membership.domain.signatures import Decline, Signature
from services.membership.domain.template import Template
from services.membership.domain.term import ACTIVE, Notice, Stage
from services.membership.records import Agreements, Records, Templates
from shared.kernel.cause import Cause
from shared.kernel.decision import Decision
from shared.kernel.errors import Taken
from shared.kernel.ids import new_file_number


async def publish_template(templates: Templates, id: str, text: str, cause: Cause) -> Template:
    """Publish a new version of a template; the first one creates it."""
    changed = await templates.store.commit(
        cause, templates.changing(id, lambda stored: template.publish(stored, text), new=Template(id=id))
    )
    return templates.kind_of(changed[0]) if changed else await templates.get(id)


async def draft_agreement(records: Records, ags: Sequence[str], terms: Terms, template: str, cause: Cause) -> Agreement:
    """Draft an agreement; raises NotFound for an unknown municipality, AgreementExists where one is active."""
    municipalities = [await records.municipalities.get(key) for key in sorted(set(ags))]
    number = new_file_number("KV", cause.at.year)
    drafted = drafting.draft(number, municipalities, terms, cause.at, await records.templates.get(template))
    try:
        return await records.agreements.add(*drafted, cause)
    except Taken as taken:
        clash = taken.values.get("covered")
        if clash is None:
            raise
        [active] = await records.agreements.all({"covered": clash, "stage": {"$in": list(ACTIVE)}})
        raise AgreementExists(f"municipality {clash} has agreement {active.id}, which is {active.stage}") from taken


async def adapt_text(agreements: Agreements, id: str, text: str, cause: Cause, *, expected: int | None) -> Agreement:
    """Adapt the text of a draft; `expected` is the version that the editor has seen."""
    return await agreements.change(id, lambda agreement: drafting.adapt_text(agreement, text), cause, expected=expected)


async def make_agreement_ready(
    agreements: Agreements, id: str, ready_on: date, sign_by: date | None, cause: Cause
) -> Agreement:
    """Open an agreement for signature."""
    return await agreements.change(
        id, lambda agreement: drafting.make_ready(agreement, ready_on, cause.at, sign_by), cause
    )


async def sign_agreement(
    agreements: Agreements, id: str, signature: Signature, text_sha256: str | None, cause: Cause
) -> Agreement:
    """Record a party's signature; the last one puts the agreement into force."""
    return await agreements.change(
        id, lambda agreement: signing.sign(agreement, signature, cause.at, text_sha256), cause
    )


async def correct_signature(
    agreements: Agreements, id: str, signature: Signature, reason: str, cause: Cause
) -> Agreement:
    """Correct the record of a signature."""
    return await agreements.change(id, lambda agreement: signing.correct(agreement, signature, reason, cause.at), cause)


async def decline_agreement(agreements: Agreements, id: str, declined: Decline, cause: Cause) -> Agreement:
    """Record that a party does not want to sign."""
    return await agreements.change(id, lambda agreement: signing.decline(agreement, declined, cause.at), cause)


async def withdraw_agreement(agreements: Agreements, id: str, reason: str, cause: Cause) -> Agreement:
    """Abandon an agreement that is not in force yet."""
    return await agreements.change(id, lambda agreement: ending.withdraw(agreement, reason, cause.at), cause)


async def renew_agreement(agreements: Agreements, id: str, ends_on: date | None, cause: Cause) -> Agreement:
    """Extend the term of an agreement, or remove it."""
    return await agreements.change(id, lambda agreement: ending.renew(agreement, ends_on, cause.at), cause)


async def give_notice(
    agreements: Agreements,
    id: str,
    party: str,
    given_on: date,
    cause: Cause,
    *,
    ends_on: date | None,
    reason: str | None,
) -> Agreement:
    """Record a party's notice; without `ends_on` the agreement ends as early as its months of notice allow."""

    def decide(agreement: Agreement) -> Decision[Agreement]:
        last_day = ends_on or ending.earliest_end(agreement, given_on)
        notice = Notice(party=party, given_on=given_on, ends_on=last_day, reason=reason)
        return ending.give_notice(agreement, notice, cause.at)

    return await agreements.change(id, decide, cause)


async def fall_due(agreements: Agreements, id: str, cause: Cause) -> None:
    """Handle the deadlines of an agreement that are due by today."""
    await agreements.change(id, lambda agreement: ending.fall_due(agreement, cause.at), cause)


async def pass_on(records: Records, ags: str, cause: Cause) -> None:
    """Pass the agreement in force of a merged municipality on to its successor, or end it if that has its own."""
    merged, agreements = await records.municipalities.get(ags), records.agreements
    covering = await agreements.all({"covered": ags, "stage": Stage.IN_FORCE})
    if merged.successor is None or merged.valid_to is None or not covering:
        await agreements.store.commit(cause)  # Nothing to pass on: the cause has had its effect.
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
