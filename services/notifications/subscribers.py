"""Which news notifications reacts to: those that somebody is told of."""

from services.notifications import use_cases
from services.notifications.use_cases import Mailroom
from shared.cause import Cause
from shared.events import Event
from shared.events.membership import (
    AgreementReady,
    AgreementSigned,
    AgreementSignedByParty,
    ConsultationHeld,
    MemberJoined,
)
from shared.inbox import Subscription


def subscriptions(mailroom: Mailroom) -> list[Subscription]:
    """What the service reacts to, and how."""

    async def tell(fact: Event, cause: Cause) -> None:
        await use_cases.tell(mailroom, fact, cause)

    async def welcome(fact: MemberJoined, cause: Cause) -> None:
        await use_cases.welcome(mailroom, fact, cause)

    return [
        Subscription(
            "membership",
            {
                ConsultationHeld: tell,
                AgreementReady: tell,
                AgreementSignedByParty: tell,
                AgreementSigned: tell,
                MemberJoined: welcome,
            },
        )
    ]
