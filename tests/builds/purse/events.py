"""The events of the purse; each is about one aggregate, the purse or the grant."""

from typing import ClassVar

from shared.kernel.value import value


@value
class PurseOpened:
    """There is money to be granted; the aggregate is the purse."""

    type: ClassVar[str] = "purse.purse_opened.v1"

    purse: str
    total_cents: int


@value
class MoneyDrawn:
    """Money left a purse for a grant; the aggregate is the purse."""

    type: ClassVar[str] = "purse.money_drawn.v1"

    purse: str
    grant: str
    amount_cents: int


@value
class MoneyGranted:
    """A grant was made, and its money taken out of a purse; the aggregate is the grant."""

    type: ClassVar[str] = "purse.money_granted.v1"

    grant: str
    purse: str
    amount_cents: int
