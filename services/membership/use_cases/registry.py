"""Use cases of the official register: a newer list is previewed first, then applied."""

from collections.abc import Sequence
from datetime import date
from typing import NoReturn

from services.membership.domain.list_consequences import with_agreements
from services.membership.domain.list_diff import ListDiff, PreviewOutdated
from services.membership.domain.municipality import Municipality
from services.membership.domain.municipality_list import compare
from services.membership.domain.registry import Official
from services.membership.domain.term import ACTIVE
from services.membership.records import Records
from shared.kernel.cause import Cause
from shared.kernel.clock import berlin_day
from shared.kernel.errors import Refused, Taken


async def preview(records: Records, rows: Sequence[Official], valid_from: date, today: date) -> ListDiff:
    """The difference that a list would make, with its consequences and problems; diff nothing."""
    return await _compared(records, await records.municipalities.all({}), rows, valid_from, today)


async def apply(records: Records, rows: Sequence[Official], valid_from: date, digest: str, cause: Cause) -> None:
    """Apply a whole list or nothing; `digest` is that of the previewed difference.

    Raises ListHasProblems, and PreviewOutdated if the list would make another difference by now.
    """
    repository = records.municipalities
    stored = await repository.all({})
    diff = await _compared(records, stored, rows, valid_from, berlin_day(cause.at))
    if refusal := diff.refusal(digest):
        await _refuse(records, stored, refusal, cause)
        return
    decisions = diff.decisions({municipality.ags: municipality for municipality in stored})
    try:
        await repository.store.commit(
            cause,
            *(repository.adding(*decision) for decision in diff.registered().values()),
            *(repository.changing(ags, decide) for ags, decide in decisions.items()),
        )
    except Taken as taken:
        raise PreviewOutdated(f"nothing was applied: {taken}; preview the list again") from taken


async def _compared(
    records: Records, stored: Sequence[Municipality], rows: Sequence[Official], valid_from: date, today: date
) -> ListDiff:
    diff = compare(stored, rows, valid_from, today)
    concerned = sorted({ags for merged in diff.merged for ags in (merged.ags, merged.successor)})
    active = {"covered": {"$in": concerned}, "stage": {"$in": list(ACTIVE)}}
    return with_agreements(diff, await records.agreements.all(active) if concerned else [])


async def _refuse(records: Records, stored: Sequence[Municipality], refusal: Refused, cause: Cause) -> None:
    """Raise the refusal, unless the same request was accepted before: then the list is applied already."""

    def refuse(_: Municipality) -> NoReturn:
        raise refusal

    if not stored:
        raise refusal
    await records.municipalities.store.commit(cause, records.municipalities.changing(stored[0].ags, refuse))
