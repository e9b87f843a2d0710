"""`asskomm serve`: one service in one process, as in production."""

import uvicorn

from operations.services import SERVICES, service_of
from shared.log import configure_logs
from shared.settings import Settings
from shared.watchdog import Watchdog

STOP_SECONDS = 15


def serve_service(name: str, settings: Settings, *, host: str, port: int) -> None:
    """Serve until SIGTERM; a watchdog ends the process when it is beyond repair."""
    configure_logs(name, settings.log_level)
    app = SERVICES[name](settings)
    service = service_of(app)
    service.in_background(Watchdog(service.broker).run)
    uvicorn.run(
        app,
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
