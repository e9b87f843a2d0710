"""The composition of notifications."""

from litestar import Litestar

from services.notifications.api import routes
from services.notifications.mailer import Mailer
from services.notifications.records import records
from services.notifications.settings import NotificationsSettings
from services.notifications.subscribers import subscribers
from services.notifications.templates import composer
from services.notifications.use_cases import Postroom
from shared.runtime.service import Service


def create_app(settings: NotificationsSettings) -> Litestar:
    """The service as an ASGI application; it runs for as long as the application does."""
    service = Service("notifications", settings)
    kept = records(service)
    mailer = Mailer(kept.deliveries, settings, service.lease)
    service.subscribe(subscribers(Postroom(kept, composer(settings.public_url, settings.mail_from), mailer)))
    service.in_background(mailer.run)
    return service.application(routes(kept, service.clock))
