"""Puts membership together."""

from litestar import Litestar

from services.membership.api import routes
from services.membership.domain.agreement import ACTIVE, Agreement
from services.membership.domain.municipality import Municipality
from services.membership.queries import AllianceFigures
from services.membership.subscribers import subscriptions
from shared.repository import Index
from shared.service import Service
from shared.settings import Settings


def create_app(settings: Settings) -> Litestar:
    """The service, which lives as long as its HTTP API does."""
    service = Service("membership", settings)
    municipalities = service.repository(
        "municipalities", Municipality, key="ags", indexes=[Index(("stage",)), Index(("police_directorate",))]
    )
    agreements = service.repository(
        "agreements",
        Agreement,
        indexes=[
            # At most one active agreement per municipality.
            Index(("municipalities.ags",), unique=True, where={"stage": {"$in": list(ACTIVE)}}),
            Index(("municipalities.police_directorate",)),
        ],
    )
    service.subscribe(*subscriptions(municipalities))
    return service.application(
        routes(municipalities, agreements, AllianceFigures(service.database), service.database, service.clock)
    )
