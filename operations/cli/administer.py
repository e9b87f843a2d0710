"""Commands that prepare the system, issue tokens, and show the state of the services."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from operations.cli.settings import console, find_environ, find_settings, folder
from shared.web.rights import SAXONY, Actor, Grant, Role, actor

if TYPE_CHECKING:
    from operations.care.status import ServiceStatus


def setup() -> None:
    """Create or update streams, durables, collections and indexes; this is idempotent."""
    from operations.running.setup import set_up  # noqa: PLC0415
    from operations.services import create_services  # noqa: PLC0415

    services = create_services(find_environ())
    with console.status("setting up streams, durables, collections and indexes"):
        asyncio.run(set_up(services, find_settings().nats_url))
    console.print("set up")


def load(*, as_json: Annotated[bool, typer.Option("--json", help="Print what was new as JSON.")] = False) -> None:
    """Load the 418 municipalities, the alliance of January 2023 and the contacts; loading again loads nothing."""
    from operations.demo.load import load as load_all  # noqa: PLC0415
    from services.membership.domain.official import ATTRIBUTION  # noqa: PLC0415

    with console.status("loading municipalities, history and contacts"):
        loaded = asyncio.run(load_all(find_environ()))
    if as_json:
        typer.echo(msgspec.json.encode(loaded).decode())
        return
    typer.echo(
        f"new: {loaded.municipalities} municipalities, {loaded.consultations} consultations, "
        f"{loaded.agreements} agreements, {loaded.contacts} contacts\n"
        f"Partly illustrative data. {ATTRIBUTION}"
    )


def token(
    *,
    role: Annotated[Role | None, typer.Option(help="What the holder is to the alliance.")] = None,
    ags: Annotated[list[str] | None, typer.Option(help="A municipality's official key; for role municipality.")] = None,
    police_directorate: Annotated[str | None, typer.Option(help="Such as 'PD Görlitz'; for role police.")] = None,
    grant: Annotated[
        list[str] | None,
        typer.Option(help="A role and its area, such as 'police:PD Görlitz' or lpr; for holders of several."),
    ] = None,
    subject: Annotated[str, typer.Option(help="Whom the audit log names.")] = "",
    hours: Annotated[int, typer.Option(min=1, max=24 * 366, help="How long the token is valid.")] = 12,
) -> None:
    """Print a bearer token."""
    from shared.kernel.errors import Invalid  # noqa: PLC0415
    from shared.web.tokens import issue_token  # noqa: PLC0415

    settings = find_settings()
    if not settings.token_private_key:
        raise Invalid("tokens are signed with a private key: set ASSKOMM_TOKEN_PRIVATE_KEY_FILE")
    areas = [*(ags or []), *filter(None, [police_directorate])]
    if areas and role is None:
        raise Invalid(f"for {', '.join(areas)} a --role is missing")
    grants = {_grant(words) for words in grant or []}
    if role is not None:
        grants |= actor("", role, *areas).grants
    named = subject or "/".join([*filter(None, [role]), *areas, *(grant or [])])
    who = Actor(subject=named, grants=frozenset(grants))
    typer.echo(issue_token(who, settings.token_private_key, timedelta(hours=hours)))


def _grant(words: str) -> Grant:
    """A grant as it is written on the command line: `role:area`, or `role` for all of Saxony."""
    from shared.kernel.errors import Invalid  # noqa: PLC0415

    role, _, area = words.partition(":")
    if role not in list(Role):
        raise Invalid(f"there is no role {role!r}; these are {', '.join(Role)}")
    return Grant(role=Role(role), area=area or SAXONY)


def rotate_certificate_key() -> None:
    """Replace the key that the embedded system signs certificates with; existing certificates stay valid."""
    from operations.running.keys import rotate_certificate_key as rotate  # noqa: PLC0415

    rotate(folder())
    console.print("certificates are signed with another key from the next start on")


def status(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show what is under way and what is stuck: outbox, consumers' lag, parked events, emails by state."""
    found = asyncio.run(_status())
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    table = Table("service", "events", "outbox", "lag", "parked", "emails")
    for name, service in found.items():
        emails = ", ".join(f"{count} {state}" for state, count in sorted(service.deliveries.items()))
        table.add_row(
            name,
            str(service.events),
            str(service.outbox),
            "–" if service.lag is None else str(service.lag),
            str(service.parked),
            emails or "–",
        )
    Console().print(table)


async def _status() -> "dict[str, ServiceStatus]":
    from operations.care.status import status as status_of  # noqa: PLC0415
    from operations.services import create_services  # noqa: PLC0415

    services = create_services(find_environ())
    for service in services:
        service.database.open()
    try:
        return await status_of(services, find_settings().nats_url)
    finally:
        for service in services:
            await service.database.close()
