"""`python -m tests.builds` is `asskomm` with the service `purse`, broken as the variable SABOTAGE says.

Services and shared mechanisms know nothing of it: what is broken is replaced here, before a service starts.
"""

import argparse
import os
import sys

from operations import cli
from operations.cli.settings import find_environ
from operations.running import setup
from operations.running.serve import serve_service
from operations.services import SERVICES, publishers
from shared.runtime.settings import Settings, read_settings
from tests.builds.purse.app import create_app
from tests.builds.sabotage import SABOTAGES

VARIABLE = "SABOTAGE"


def main() -> None:
    """Put in what is to be there, then do what the command line says."""
    SERVICES["purse"] = lambda environ: create_app(read_settings(Settings, environ))
    setattr(setup, "publishers", lambda: [*publishers(), "purse"])  # noqa: B010 -- it is not exported, but used
    if name := os.environ.get(VARIABLE):
        SABOTAGES[name]()
    if sys.argv[1:2] == ["serve"]:
        _serve()
    else:
        cli.main()


def _serve() -> None:
    """The real command knows the real services alone."""
    parser = argparse.ArgumentParser(prog="python -m tests.builds serve")
    parser.add_argument("service", choices=sorted(SERVICES))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args(sys.argv[2:])
    serve_service(options.service, find_environ(), host=options.host, port=options.port)


main()
