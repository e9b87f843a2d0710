"""Use cases of purses: one function per command."""

from shared.kernel.cause import Cause
from shared.kernel.ids import new_file_number
from shared.store.repository import Repository
from tests.builds.purse import domain
from tests.builds.purse.domain import Grant, Purse

Purses = Repository[Purse]
Grants = Repository[Grant]


async def open_purse(purses: Purses, id: str | None, total_cents: int, cause: Cause) -> Purse:
    """Open a purse, under a new id if none is given; raises Taken."""
    return await purses.add(*domain.open_purse(id or new_file_number("GB", cause.at.year), total_cents), cause)


async def grant(purses: Purses, grants: Grants, purse: str, amount_cents: int, cause: Cause) -> Grant:
    """Grant money from a purse, both in one transaction, or neither; raises Overdrawn, NotFound."""
    made, events = domain.make_grant(new_file_number("ZW", cause.at.year), purse, amount_cents)
    drawing = purses.changing(purse, lambda held: domain.draw(held, amount_cents, made.id))
    _, stored = await purses.store.commit(cause, drawing, grants.adding(made, events))
    return grants.kind_of(stored)
