"""The services there are, by name."""

from collections.abc import Callable, Sequence
from typing import cast

from litestar import Litestar

from services.membership.app import create_app as create_membership
from services.notifications.app import create_app as create_notifications
from shared.events import all_events
from shared.kernel.errors import NotFound
from shared.runtime.service import Service
from shared.runtime.settings import Settings

SERVICES: dict[str, Callable[[Settings], Litestar]] = {
    "membership": create_membership,
    "notifications": create_notifications,
}


def service_of(app: Litestar) -> Service:
    """The service behind an application."""
    return cast("Service", app.state["service"])


def create_services(settings: Settings) -> list[Service]:
    """All services, put together but not running, for commands that work on their databases."""
    return [service_of(create(settings)) for create in SERVICES.values()]


def named(services: Sequence[Service], name: str) -> Service:
    """The service of this name; raises NotFound."""
    for service in services:
        if service.name == name:
            return service
    raise NotFound(f"there is no service {name}; these are {', '.join(one.name for one in services)}")


def publishers() -> list[str]:
    """The services that publish events, each into a stream of its own."""
    return sorted({kind.type.partition(".")[0] for kind in all_events()})
