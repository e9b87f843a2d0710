"""The reactions of notifications: to the events in the email tables, and to new names of members."""

from services.notifications import use_cases
from services.notifications.emails import TABLES
from services.notifications.use_cases import Postroom
from shared.events.membership.members import MemberJoined, MemberLeft
from shared.events.membership.municipalities import MunicipalityRenamed
from shared.inbox.reactions import Reactions
from shared.kernel.cause import Cause
from shared.kernel.event import Event


def subscribers(post: Postroom) -> Reactions:
    """The reactions of notifications."""
    reactions = Reactions("membership")

    @reactions.to(MemberJoined)
    async def welcome(event: MemberJoined, cause: Cause) -> None:
        """Remember the new member; email it and its neighbours."""
        await use_cases.notify_of_member(post, event, cause)

    @reactions.to(MemberLeft)
    async def farewell(event: MemberLeft, cause: Cause) -> None:
        """Remember that it left; email it and its neighbours."""
        await use_cases.notify_of_member(post, event, cause)

    @reactions.to(MunicipalityRenamed)
    async def rename(event: MunicipalityRenamed, cause: Cause) -> None:
        """Call the member by its new name."""
        await use_cases.rename(post.records.members, event, cause)

    async def notify(event: Event, cause: Cause) -> None:
        """Email the offices concerned."""
        await use_cases.notify(post, event, cause)

    others = TABLES["membership"].keys() - reactions.functions.keys()
    for kind in sorted(others, key=lambda kind: kind.type):
        reactions.to(kind)(notify)
    return reactions
