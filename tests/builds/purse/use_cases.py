"""What happens to purses: one function per command."""

from shared.kernel.cause import Cause
from shared.kernel.ids import new_file_number
from shared.store.repository import Repository
from tests.builds.purse import domain
from tests.builds.purse.domain import Grant, Purse

Purses = Repository[Purse]
Grants = Repository[Grant]


async def open_purse(purses: Purses, id: str | None, total_cents: int, cause: Cause) -> Purse:
    """Open a purse, under an id of ours where none is given; raises Taken."""
    purse, facts = domain.open_purse(id or new_file_number("GB", cause.at.year), total_cents)
    return await purses.add(purse, facts, cause)


async def grant(purses: Purses, grants: Grants, purse: str, amount_cents: int, cause: Cause) -> Grant:
    """Grant money from a purse, both in one transaction, or neither; raises Overdrawn, NotFound."""
    made, facts = domain.make_grant(new_file_number("ZW", cause.at.year), purse, amount_cents)
    drawing = purses.changing(purse, lambda one: one.draw(amount_cents, made.id))
    _, stored = await purses.store.commit(cause, drawing, grants.adding(made, facts))
    return grants.kind_of(stored)
