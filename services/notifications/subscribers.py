"""The events that notifications reacts to: those in the table of who is told what, and new names of members."""

from services.notifications import use_cases
from services.notifications.emails import TOLD
from services.notifications.use_cases import Mailroom
from shared.events.membership.members import MemberJoined, MemberLeft
from shared.events.membership.municipalities import MunicipalityRenamed
from shared.inbox.reactions import Reactions
from shared.kernel.cause import Cause
from shared.kernel.event import Event


def subscribers(mailroom: Mailroom) -> Reactions:
    """The reactions of notifications."""
    reactions = Reactions("membership")

    async def tell(event: Event, cause: Cause) -> None:
        """Email the offices concerned."""
        await use_cases.tell(mailroom, event, cause)

    for kind in TOLD:
        if kind not in {MemberJoined, MemberLeft}:
            reactions.to(kind)(tell)

    @reactions.to(MemberJoined)
    async def welcome(event: MemberJoined, cause: Cause) -> None:
        """Remember the new member; email it and its neighbours."""
        await use_cases.welcome(mailroom, event, cause)

    @reactions.to(MemberLeft)
    async def farewell(event: MemberLeft, cause: Cause) -> None:
        """Remember that it left; email it and its neighbours."""
        await use_cases.farewell(mailroom, event, cause)

    @reactions.to(MunicipalityRenamed)
    async def rename(event: MunicipalityRenamed, cause: Cause) -> None:
        """Call the member by its new name."""
        await use_cases.rename(mailroom.members, event, cause)

    return reactions
