"""The services there are, by name."""

from collections.abc import Callable, Sequence
from typing import cast

from litestar import Litestar

from services.membership.app import create_app as create_membership
from services.membership.settings import MembershipSettings
from services.notifications.app import create_app as create_notifications
from services.notifications.settings import NotificationsSettings
from shared.events import all_events
from shared.kernel.errors import NotFound
from shared.runtime.service import Service
from shared.runtime.settings import Environ, SettingsMissing, read_settings

SERVICES: dict[str, Callable[[Environ], Litestar]] = {
    "membership": lambda environ: create_membership(read_settings(MembershipSettings, environ)),
    "notifications": lambda environ: create_notifications(read_settings(NotificationsSettings, environ)),
}
"""Each service, put together with its own settings in an environment; raises SettingsMissing."""


def service_of(app: Litestar) -> Service:
    """The service behind an application."""
    return cast("Service", app.state["service"])


def create_apps(environ: Environ) -> dict[str, Litestar]:
    """All services, put together but not running; raises SettingsMissing with all that any of them lacks."""
    apps, wrong = {}, list[str]()
    for name, create in SERVICES.items():
        try:
            apps[name] = create(environ)
        except SettingsMissing as missing:
            wrong += str(missing).splitlines()
    if wrong:
        raise SettingsMissing("\n".join(dict.fromkeys(wrong)))
    return apps


def create_services(environ: Environ) -> list[Service]:
    """All services, put together but not running, for commands that work on their databases."""
    return [service_of(app) for app in create_apps(environ).values()]


def named(services: Sequence[Service], name: str) -> Service:
    """The service of this name; raises NotFound."""
    for service in services:
        if service.name == name:
            return service
    raise NotFound(f"there is no service {name}; these are {', '.join(service.name for service in services)}")


def publishers() -> list[str]:
    """The services that publish events, each into a stream of its own."""
    return sorted({kind.type.partition(".")[0] for kind in all_events()})
