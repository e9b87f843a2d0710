"""The command that republishes events that NATS has lost."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.progress import Progress

from operations.cli.settings import console, find_environ, find_settings

if TYPE_CHECKING:
    from operations.care.replay import Replayed


def replay(
    service: Annotated[str, typer.Argument(help="The service, such as membership; every one when left out.")] = "",
    *,
    wait: Annotated[bool, typer.Option(help="Wait until the services have published it.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Republish events that a stream has lost, from the database; no email is sent twice."""
    found = asyncio.run(_replay(service, wait=wait))
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    for name, replayed in found.items():
        stored = f"{name}: {replayed.events} events stored"
        if not replayed.missing:
            typer.echo(f"{stored}, none of them missing in the stream: nothing to do")
        elif wait:
            typer.echo(f"{stored}, {replayed.missing} of them were missing in the stream and are published again")
        else:
            typer.echo(f"{stored}, {replayed.missing} of them are missing in the stream and will be published again")


async def _replay(name: str, *, wait: bool) -> "dict[str, Replayed]":
    from operations.care.replay import replay as replay_service  # noqa: PLC0415
    from operations.care.replay import replayable, until_published  # noqa: PLC0415
    from operations.services import create_services  # noqa: PLC0415

    services, nats_url, done = create_services(find_environ()), find_settings().nats_url, {}
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("", total=None)

        def report(what: str, count: int, total: int) -> None:
            progress.update(task, description=what, completed=count, total=total)

        for service in replayable(services, name):
            service.database.open()
            try:
                report(f"waiting until {service.name} pauses", 0, 1)
                done[service.name] = await replay_service(service, nats_url, report)
                if wait and done[service.name].missing:
                    await until_published(service, report)
            finally:
                await service.database.close()
    return done
