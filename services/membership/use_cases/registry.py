"""How the municipalities are brought up to date with a newer official list: previewed first, then applied."""

from collections.abc import Sequence
from datetime import date
from typing import NoReturn

from services.membership.domain.list_changes import Changes, PreviewOutdated
from services.membership.domain.list_consequences import with_agreements
from services.membership.domain.municipality import Municipality
from services.membership.domain.municipality_list import compare
from services.membership.domain.registry import Official
from services.membership.domain.term import ACTIVE
from services.membership.use_cases import Records
from shared.kernel.cause import Cause
from shared.kernel.clock import berlin_day
from shared.kernel.errors import Refused, Taken


async def preview(records: Records, rows: Sequence[Official], valid_from: date, today: date) -> Changes:
    """What a list would change, what becomes of agreements, and what stands against it; changes nothing."""
    return await _compared(records, await records.municipalities.all({}), rows, valid_from, today)


async def apply(records: Records, rows: Sequence[Official], valid_from: date, digest: str, cause: Cause) -> None:
    """Change all that a list changes, or nothing; `digest` is that of the changes that were previewed.

    Raises ListHasProblems, and PreviewOutdated where the list would change something else by now.
    """
    repository = records.municipalities
    stored = await repository.all({})
    changes = await _compared(records, stored, rows, valid_from, berlin_day(cause.at))
    if refusal := changes.refusal(digest):
        await _refuse(records, stored, refusal, cause)
        return
    decisions = changes.decisions({one.ags: one for one in stored})
    try:
        await repository.store.commit(
            cause,
            *(repository.adding(one, facts) for one, facts in changes.registered().values()),
            *(repository.changing(ags, decide) for ags, decide in decisions.items()),
        )
    except Taken as taken:
        raise PreviewOutdated(f"nothing was applied: {taken}; preview the list again") from taken


async def _compared(
    records: Records, stored: Sequence[Municipality], rows: Sequence[Official], valid_from: date, today: date
) -> Changes:
    changes = compare(stored, rows, valid_from, today)
    concerned = sorted({ags for one in changes.merged for ags in (one.ags, one.successor)})
    active = {"covered": {"$in": concerned}, "stage": {"$in": list(ACTIVE)}}
    return with_agreements(changes, await records.agreements.all(active) if concerned else [])


async def _refuse(records: Records, stored: Sequence[Municipality], refusal: Refused, cause: Cause) -> None:
    """Refuse, unless this same request was accepted before: then the list is applied, and its answer holds."""

    def refuse(_: Municipality) -> NoReturn:
        raise refusal

    if not stored:
        raise refusal
    await records.municipalities.store.commit(cause, records.municipalities.changing(stored[0].ags, refuse))
