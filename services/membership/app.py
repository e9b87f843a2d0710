"""The composition of membership."""

from litestar import Litestar

from services.membership.api import routes
from services.membership.certificate import Keyring
from services.membership.deadlines import deadlines
from services.membership.records import records
from services.membership.settings import MembershipSettings
from services.membership.subscribers import subscribers
from shared.runtime.service import Service


def create_app(settings: MembershipSettings) -> Litestar:
    """The service as an ASGI application; it runs for as long as the application does."""
    service = Service("membership", settings)
    kept = records(service)
    service.subscribe(subscribers(kept))
    service.schedule_deadlines(*deadlines(kept.agreements))
    keyring = Keyring.of(settings.certificate_key, settings.certificate_retired_keys)
    return service.application(routes(kept, keyring, service.database, service.clock))
