"""Puts the purse together."""

from litestar import Litestar

from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.store.repository import Index
from tests.builds.purse.api import routes
from tests.builds.purse.domain import Grant, Purse


def create_app(settings: Settings) -> Litestar:
    """The service, which lives as long as its HTTP API does."""
    service = Service("purse", settings)
    purses = service.repository("purses", Purse)
    grants = service.repository("grants", Grant, indexes=[Index(("purse",))])
    return service.application(routes(purses, grants, service.clock))
