"""The command line `asskomm`, for operators.

Commands import what they need when they run: so the help is quick, and servers start while libraries are still loading.
"""

import sys

import typer

from operations.cli import administer, audit, inspect, municipalities, replay, run, verify
from operations.cli.settings import console, say_error

app = typer.Typer(
    help="Allianz Sichere Sächsische Kommunen: run the system and look after it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
)
app.command()(run.demo)
app.command()(run.up)
app.command()(run.serve)
app.command()(administer.setup)
app.command()(administer.load)
app.command()(administer.token)
app.command()(administer.rotate_certificate_key)
app.command()(administer.status)
app.command()(verify.verify)
app.command()(audit.audit)
app.command()(replay.replay)
app.add_typer(inspect.mail, name="mail")
app.add_typer(inspect.events, name="events")
app.add_typer(inspect.parked, name="parked")
app.add_typer(municipalities.municipalities, name="municipalities")


def main() -> None:
    """Run the command line; errors that users can fix are shown without a traceback."""
    try:
        app()
    except KeyboardInterrupt:
        console.print("stopped")
        sys.exit(130)
    except Exception as error:
        if not say_error(error):
            raise
        sys.exit(1)
