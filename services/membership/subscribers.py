"""Which news membership reacts to: its own, because agreements make members, and municipalities are merged."""

from services.membership.records import Records
from services.membership.use_cases import agreements, municipalities
from shared.events.membership.agreements import AgreementEnded, AgreementPassedOn, AgreementSigned
from shared.events.membership.municipalities import MunicipalityMerged
from shared.inbox.inbox import Subscription
from shared.kernel.cause import Cause


def subscriptions(records: Records) -> list[Subscription]:
    """What the service reacts to, and how."""

    async def agreement_signed(fact: AgreementSigned, cause: Cause) -> None:
        await municipalities.join(records.municipalities, fact, cause)

    async def agreement_ended(fact: AgreementEnded, cause: Cause) -> None:
        await municipalities.leave(records.municipalities, fact, cause)

    async def agreement_passed_on(fact: AgreementPassedOn, cause: Cause) -> None:
        await municipalities.succeed(records.municipalities, fact, cause)
        # The successor may have been merged itself before this news arrived.
        await agreements.pass_on(records, fact.successor.ags, cause.part("further"))

    async def municipality_merged(fact: MunicipalityMerged, cause: Cause) -> None:
        await agreements.pass_on(records, fact.ags, cause)

    return [
        Subscription(
            "membership",
            {
                AgreementSigned: agreement_signed,
                AgreementEnded: agreement_ended,
                AgreementPassedOn: agreement_passed_on,
                MunicipalityMerged: municipality_merged,
            },
        )
    ]
