"""The command that compares stored aggregates with their events."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.progress import Progress

from operations.cli.settings import console, find_environ

if TYPE_CHECKING:
    from operations.care.audit import Audit


def audit(
    service: Annotated[str, typer.Argument(help="The service, such as membership.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Rebuild every aggregate of a service from its events and report differences from the stored state."""
    found = asyncio.run(_audit(service))
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
    else:
        for difference in found.differences:
            typer.echo(f"{difference.collection} {difference.id}: {difference.reason}")
        typer.echo(
            f"{found.service}: {found.aggregates} aggregates rebuilt from {found.events} events, "
            f"{len(found.differences)} differences"
        )
        for collection, documents in found.without_events.items():
            typer.echo(f"{collection}: {documents} documents that are not made of events were not compared")
    raise typer.Exit(1 if found.differences else 0)


async def _audit(name: str) -> "Audit":
    from operations.care.audit import audit as audit_service  # noqa: PLC0415
    from operations.services import create_services, named  # noqa: PLC0415

    service = named(create_services(find_environ()), name)
    service.database.open()
    try:
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task(f"auditing {name}", total=None)
            return await audit_service(service, lambda done, total: progress.update(task, completed=done, total=total))
    finally:
        await service.database.close()
