"""Puts the purse together."""

from litestar import Litestar

from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.store.repository import Index
from tests.builds.purse.api import routes
from tests.builds.purse.domain import Grant, Purse, evolve_grant, evolve_purse


def create_app(settings: Settings) -> Litestar:
    """The service as an ASGI application."""
    service = Service("purse", settings)
    purses = service.repository("purses", Purse, evolve=evolve_purse)
    grants = service.repository("grants", Grant, evolve=evolve_grant, indexes=[Index(("purse",))])
    return service.application(routes(purses, grants, service.clock))
