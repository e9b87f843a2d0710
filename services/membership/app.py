"""Puts membership together."""

from litestar import Litestar

from services.membership.api import routes
from services.membership.certificate import Keyring
from services.membership.deadlines import deadlines
from services.membership.domain.agreement import Agreement
from services.membership.domain.analysis import SecurityAnalysis
from services.membership.domain.municipality import Municipality
from services.membership.domain.people import Person
from services.membership.domain.template import Template
from services.membership.domain.term import ACTIVE
from services.membership.subscribers import subscriptions
from services.membership.use_cases import Records
from shared.runtime.schedule import DUE_ON
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.store.repository import Index


def create_app(settings: Settings) -> Litestar:
    """The service, which lives as long as its HTTP API does."""
    service = Service("membership", settings)
    records = Records(
        municipalities=service.repository(
            "municipalities",
            Municipality,
            key="ags",
            indexes=[Index(("stage",)), Index(("police_directorate",)), Index(("district_key",))],
        ),
        agreements=service.repository(
            "agreements",
            Agreement,
            indexes=[
                # At most one active agreement per municipality.
                Index(("covered",), unique=True, where={"stage": {"$in": list(ACTIVE)}}),
                Index(("municipalities.ags",)),
                Index(("municipalities.police_directorate",)),
                DUE_ON,
            ],
        ),
        analyses=service.repository("analyses", SecurityAnalysis, indexes=[Index(("municipalities.ags",))]),
        templates=service.repository("templates", Template),
        people=service.repository("people", Person),
    )
    service.subscribe(*subscriptions(records))
    service.let_fall_due(*deadlines(records.agreements))
    keyring = Keyring.of(settings.certificate_key, settings.certificate_retired_keys)
    return service.application(routes(records, keyring, service.database, service.clock))
