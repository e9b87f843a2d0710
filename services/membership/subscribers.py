"""The events that membership reacts to: its own, because agreements make members and municipalities are merged."""

from services.membership.records import Records
from services.membership.use_cases import agreements, municipalities
from shared.events.membership.agreements import AgreementEnded, AgreementPassedOn, AgreementSigned
from shared.events.membership.municipalities import MunicipalityMerged
from shared.inbox.reactions import Reactions
from shared.kernel.cause import Cause


def subscribers(records: Records) -> Reactions:
    """The reactions of membership."""
    reactions = Reactions("membership")

    @reactions.to(AgreementSigned)
    async def agreement_signed(event: AgreementSigned, cause: Cause) -> None:
        """Each municipality of the agreement joins."""
        await municipalities.join(records.municipalities, event, cause)

    @reactions.to(AgreementEnded)
    async def agreement_ended(event: AgreementEnded, cause: Cause) -> None:
        """Each municipality for which it ended leaves."""
        await municipalities.leave(records.municipalities, event, cause)

    @reactions.to(AgreementPassedOn)
    async def agreement_passed_on(event: AgreementPassedOn, cause: Cause) -> None:
        """The merged municipality leaves and its successor joins."""
        await municipalities.succeed(records.municipalities, event, cause)
        # The successor may itself have been merged before this event arrived.
        await agreements.pass_on(records, event.successor.ags, cause.part("further"))

    @reactions.to(MunicipalityMerged)
    async def municipality_merged(event: MunicipalityMerged, cause: Cause) -> None:
        """Its agreement in force is passed on to the successor, or ends."""
        await agreements.pass_on(records, event.ags, cause)

    return reactions
