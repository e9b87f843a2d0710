"""What is true of purses and of what is granted from them."""

from dataclasses import dataclass, replace
from typing import Any

from shared.kernel.errors import Refused
from shared.kernel.event import Event
from shared.kernel.facts import told
from tests.builds.purse.events import MoneyDrawn, MoneyGranted, PurseOpened


class Overdrawn(Refused):
    """There is not enough left."""

    code = "overdrawn"


@dataclass(frozen=True, kw_only=True, slots=True)
class Purse:
    """An amount of money, and what is left of it."""

    id: str
    total_cents: int
    left_cents: int

    @classmethod
    def begun(cls, fact: Any) -> "Purse":
        """The purse that was opened."""
        if not isinstance(fact, PurseOpened):
            raise TypeError(f"{type(fact).__name__} opens no purse")
        return cls(id=fact.purse, total_cents=fact.total_cents, left_cents=fact.total_cents)

    def after(self, fact: Any) -> "Purse":
        """The purse with less in it."""
        if not isinstance(fact, MoneyDrawn):
            raise TypeError(f"{type(fact).__name__} takes nothing out of a purse")
        return replace(self, left_cents=self.left_cents - fact.amount_cents)

    def draw(self, amount_cents: int, grant: str) -> tuple["Purse", list[Event]]:
        """Take money out for a grant, as long as there is enough."""
        if amount_cents > self.left_cents:
            raise Overdrawn(f"purse {self.id} has {self.left_cents} cents left, not {amount_cents}")
        return told(self, MoneyDrawn(purse=self.id, grant=grant, amount_cents=amount_cents))


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """Money that was granted from a purse."""

    id: str
    purse: str
    amount_cents: int

    @classmethod
    def begun(cls, fact: Any) -> "Grant":
        """The grant that was made."""
        if not isinstance(fact, MoneyGranted):
            raise TypeError(f"{type(fact).__name__} makes no grant")
        return cls(id=fact.grant, purse=fact.purse, amount_cents=fact.amount_cents)

    def after(self, fact: Any) -> "Grant":
        """Nothing happens to a grant once it is made."""
        raise TypeError(f"{type(fact).__name__} changes no grant")


def open_purse(id: str, total_cents: int) -> tuple[Purse, list[Event]]:
    """A new purse, with all of its money left."""
    opened = PurseOpened(purse=id, total_cents=total_cents)
    return Purse.begun(opened), [opened]


def make_grant(id: str, purse: str, amount_cents: int) -> tuple[Grant, list[Event]]:
    """A new grant, whose money is to be drawn from the purse in the same transaction."""
    granted = MoneyGranted(grant=id, purse=purse, amount_cents=amount_cents)
    return Grant.begun(granted), [granted]
