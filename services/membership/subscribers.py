"""Which news membership reacts to: its own, because a signed agreement makes members."""

from services.membership import use_cases
from services.membership.use_cases import Municipalities
from shared.cause import Cause
from shared.events.membership import AgreementSigned
from shared.inbox import Subscription


def subscriptions(municipalities: Municipalities) -> list[Subscription]:
    """What the service reacts to, and how."""

    async def agreement_signed(fact: AgreementSigned, cause: Cause) -> None:
        await use_cases.join(municipalities, fact, cause)

    return [Subscription("membership", {AgreementSigned: agreement_signed})]
