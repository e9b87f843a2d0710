"""What becomes due in membership as time passes: reminders, last days for signing, ends of agreements."""

from services.membership.records import Agreements
from services.membership.use_cases import agreements
from shared.kernel.cause import Cause
from shared.runtime.schedule import Deadline


def deadlines(repository: Agreements) -> list[Deadline]:
    """What is due by itself, and what happens then."""

    async def agreement(id: str, cause: Cause) -> None:
        await agreements.fall_due(repository, id, cause)

    return [Deadline(repository, agreement)]
