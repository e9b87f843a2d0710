"""Purses and the grants from them: states, what events make of them, and the rules."""

from dataclasses import replace

from shared.kernel.copying import copy_as
from shared.kernel.decision import Decision, Evolve
from shared.kernel.errors import Refused
from shared.kernel.value import value
from tests.builds.purse.events import MoneyDrawn, MoneyGranted, PurseOpened


class Overdrawn(Refused):
    """The purse does not hold enough money."""

    code = "overdrawn"


@value
class Purse:
    """An amount of money, and what is left of it, in cents."""

    id: str
    total_cents: int
    left_cents: int


@value
class Grant:
    """Money that was granted from a purse, in cents."""

    id: str
    purse: str
    amount_cents: int


evolve_purse = Evolve[Purse](
    creates={PurseOpened: lambda event: copy_as(Purse, event, id=event.purse, left_cents=event.total_cents)},
    changes={MoneyDrawn: lambda purse, event: replace(purse, left_cents=purse.left_cents - event.amount_cents)},
)
evolve_grant = Evolve[Grant](creates={MoneyGranted: lambda event: copy_as(Grant, event, id=event.grant)}, changes={})


def open_purse(id: str, total_cents: int) -> Decision[Purse]:
    """Open a purse with all of its money left."""
    return evolve_purse.decision(None, PurseOpened(purse=id, total_cents=total_cents))


def draw(purse: Purse, amount_cents: int, grant: str) -> Decision[Purse]:
    """Draw money for a grant, as long as there is enough."""
    if amount_cents > purse.left_cents:
        raise Overdrawn(f"purse {purse.id} has {purse.left_cents} cents left, not {amount_cents}")
    return evolve_purse.decision(purse, MoneyDrawn(purse=purse.id, grant=grant, amount_cents=amount_cents))


def make_grant(id: str, purse: str, amount_cents: int) -> Decision[Grant]:
    """Make a grant; its money is drawn from the purse in the same transaction."""
    return evolve_grant.decision(None, MoneyGranted(grant=id, purse=purse, amount_cents=amount_cents))
