"""Deadlines of membership: reminders, signing deadlines and ends of agreements."""

from services.membership.records import Agreements
from services.membership.use_cases import agreements
from shared.kernel.cause import Cause
from shared.runtime.schedule import Deadline


def deadlines(repository: Agreements) -> list[Deadline]:
    """Return the deadlines of agreements, with the use cases that handle them."""

    async def agreement(id: str, cause: Cause) -> None:
        await agreements.fall_due(repository, id, cause)

    return [Deadline(repository, agreement)]
