"""Which news notifications reacts to: those that somebody is told of, and new names of members."""

from services.notifications import use_cases
from services.notifications.use_cases import Mailroom
from shared.events.membership.agreements import (
    AgreementEnded,
    AgreementEndsSoon,
    AgreementLapsed,
    AgreementPassedOn,
    AgreementReady,
    AgreementRenewed,
    AgreementSigned,
    AgreementSignedByParty,
    AgreementWithdrawn,
    NoticeGiven,
    SignatureCorrected,
    SignatureDeclined,
    SignatureOverdue,
)
from shared.events.membership.members import MemberJoined, MemberLeft
from shared.events.membership.milestones import (
    CoachingRequested,
    CoachMatched,
    ConsultationHeld,
    InterestShown,
    SecurityAnalysisFinished,
)
from shared.events.membership.municipalities import MunicipalityRenamed
from shared.inbox.inbox import Subscription
from shared.kernel.cause import Cause
from shared.kernel.event import Event


def subscriptions(mailroom: Mailroom) -> list[Subscription]:
    """What the service reacts to, and how."""

    async def tell(fact: Event, cause: Cause) -> None:
        await use_cases.tell(mailroom, fact, cause)

    async def welcome(fact: MemberJoined, cause: Cause) -> None:
        await use_cases.welcome(mailroom, fact, cause)

    async def farewell(fact: MemberLeft, cause: Cause) -> None:
        await use_cases.farewell(mailroom, fact, cause)

    async def rename(fact: MunicipalityRenamed, cause: Cause) -> None:
        await use_cases.rename(mailroom.members, fact, cause)

    return [
        Subscription(
            "membership",
            {
                InterestShown: tell,
                ConsultationHeld: tell,
                CoachingRequested: tell,
                CoachMatched: tell,
                SecurityAnalysisFinished: tell,
                AgreementReady: tell,
                AgreementSignedByParty: tell,
                SignatureOverdue: tell,
                SignatureDeclined: tell,
                SignatureCorrected: tell,
                AgreementWithdrawn: tell,
                AgreementLapsed: tell,
                AgreementSigned: tell,
                AgreementEndsSoon: tell,
                AgreementRenewed: tell,
                AgreementPassedOn: tell,
                NoticeGiven: tell,
                AgreementEnded: tell,
                MemberJoined: welcome,
                MemberLeft: farewell,
                MunicipalityRenamed: rename,
            },
        )
    ]
