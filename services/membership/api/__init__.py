"""HTTP routes of membership."""

from litestar import Router
from litestar.types import ControllerRouterHandler

from services.membership.api.agreements import agreement_routes
from services.membership.api.alliance import alliance_routes
from services.membership.api.analyses import analysis_routes
from services.membership.api.certificates import certificate_routes
from services.membership.api.directory import directory_routes
from services.membership.api.documents import document_routes
from services.membership.api.milestones import milestone_routes
from services.membership.api.municipalities import municipality_routes
from services.membership.api.municipality_lists import municipality_list_routes
from services.membership.api.templates import template_routes
from services.membership.certificate import Keyring
from services.membership.records import Records
from shared.kernel.clock import Clock
from shared.store.mongo import Database


def routes(records: Records, keyring: Keyring, database: Database, clock: Clock) -> list[ControllerRouterHandler]:
    """The routes of membership."""
    handlers = [
        *alliance_routes(records, database, clock),
        *directory_routes(records, database, clock),
        *municipality_list_routes(records, clock),
        *municipality_routes(records, database, clock),
        *milestone_routes(records.municipalities, clock),
        *agreement_routes(records, database, clock),
        *certificate_routes(records.agreements, database, keyring),
        *document_routes(records.agreements, database, keyring),
        *analysis_routes(records, clock),
        *template_routes(records.templates, clock),
    ]
    return [Router("/membership/v1", route_handlers=handlers)]
