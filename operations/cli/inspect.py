"""Commands that inspect the system: emails, events and parked events."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from operations.cli.settings import console, find_environ, find_settings, folder

if TYPE_CHECKING:
    from operations.embedded.mail_sink import Mail
    from shared.runtime.service import Service

mail = typer.Typer(help="Read the emails that the embedded system has sent.", no_args_is_help=True)
events = typer.Typer(help="Follow the events.", no_args_is_help=True)
parked = typer.Typer(help="Look after events that a service could not react to.", no_args_is_help=True)


@mail.command("list")
def mail_list(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the emails in order of arrival."""
    mails = _mails()
    if as_json:
        plain = [{"key": m.key, "to": m.to, "subject": m.subject, "message_id": m.message_id} for m in mails]
        typer.echo(msgspec.json.encode(plain).decode())
        return
    table = Table("no.", "at", "to", "subject")
    for number, mail in enumerate(mails, start=1):
        table.add_row(str(number), f"{mail.received_at.astimezone():%d.%m. %H:%M:%S}", mail.to, mail.subject)
    Console().print(table)


@mail.command("show")
def mail_show(
    number: Annotated[int, typer.Argument(min=1, help="The number that `asskomm mail list` shows.")],
    *,
    html: Annotated[bool, typer.Option(help="Print the HTML instead of the text.")] = False,
) -> None:
    """Show one email in full."""
    from operations.demo.demo import as_text  # noqa: PLC0415
    from shared.kernel.errors import NotFound  # noqa: PLC0415

    mails = _mails()
    if number > len(mails):
        raise NotFound(f"there are {len(mails)} emails, so none has number {number}")
    chosen = mails[number - 1]
    body = chosen.message.get_body(("html",)) if html else None
    typer.echo(body.get_content() if body else as_text(chosen))


def _mails() -> "list[Mail]":
    from operations.embedded.mail_sink import read_mails  # noqa: PLC0415

    return read_mails(folder() / "mail")


@events.command("tail")
def events_tail(
    subject: Annotated[
        str, typer.Argument(help="Such as 'membership.*.*.14626480'; all when left out.")
    ] = "membership.>",
    start: Annotated[str, typer.Option("--from", help="start, now, or a time such as 2023-01-27T10:00.")] = "now",
    *,
    follow: Annotated[bool, typer.Option(help="Wait for more, until Ctrl-C.")] = True,
) -> None:
    """Print events as they are published, one JSON object per line."""
    from operations.care.tail import tail  # noqa: PLC0415

    asyncio.run(tail(find_settings().nats_url, subject, start, follow=follow, tell=typer.echo))


@parked.command("list")
def parked_list(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the parked events of all services, with the reasons."""
    found = asyncio.run(_parked())
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    table = Table("service", "id", "event", "state", "tries", "reason")
    for row in found:
        table.add_row(*(str(row[column]) for column in ("service", "id", "event", "state", "tries", "reason")))
    Console().print(table)


async def _parked() -> list[dict[str, str | int]]:
    async with _services() as services:
        return [
            {
                "service": service.name, "id": event.id, "event": event.address, "state": event.state,
                "tries": event.tries, "reason": event.reason,
            }
            for service in services for event in await service.parking.list()
        ]  # fmt: skip


@parked.command("retry")
def parked_retry(
    service: Annotated[str, typer.Argument(help="The service, as `asskomm parked list` shows it.")],
    id: Annotated[str, typer.Argument(help="The id, as `asskomm parked list` shows it.")],
) -> None:
    """Retry a parked event."""
    from operations.services import named  # noqa: PLC0415

    async def retry() -> None:
        async with _services() as services:
            owner = named(services, service)
            await owner.parking.retry(id, owner.clock())

    asyncio.run(retry())
    console.print(f"{service} tries {id} again")


@parked.command("drop")
def parked_drop(
    service: Annotated[str, typer.Argument(help="The service, as `asskomm parked list` shows it.")],
    ids: Annotated[list[str], typer.Argument(help="The ids, as `asskomm parked list` shows them.")],
    by: Annotated[str, typer.Option(help="Who decided this; it is kept.")] = "operator",
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Drop parked events for good, so that later events of their aggregates go on."""
    if not yes:
        typer.confirm(f"{service} will never react to {', '.join(ids)}. Drop it?", abort=True)

    from operations.services import named  # noqa: PLC0415

    async def drop() -> None:
        async with _services() as services:
            for id in ids:
                await named(services, service).parking.drop(id, by, datetime.now(UTC))
                console.print(f"{id} is dropped; later events of its aggregate go on")

    asyncio.run(drop())


@asynccontextmanager
async def _services() -> "AsyncIterator[list[Service]]":
    from operations.services import create_services  # noqa: PLC0415

    services = create_services(find_environ())
    for service in services:
        service.database.open()
    try:
        yield services
    finally:
        for service in services:
            await service.database.close()
