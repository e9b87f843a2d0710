"""Commands that bring the municipalities up to date with a newer official list."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from operations.cli.settings import console, find_settings

if TYPE_CHECKING:
    from services.membership.domain.list_diff import ListDiff
    from services.membership.domain.registry import Official
    from services.membership.records import Records

municipalities = typer.Typer(
    help="Bring the municipalities up to date with a newer official list, a CSV file.", no_args_is_help=True
)

ListFile = Annotated[typer.FileBinaryRead, typer.Argument(help="The list as CSV in UTF-8; - for standard input.")]
ValidFrom = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day from which on the list is valid.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@municipalities.command()
def preview(file: ListFile, valid_from: ValidFrom, *, as_json: AsJson = False) -> None:
    """Show what a list would change; the status is 0 if it can be applied, 1 if it has problems."""
    changes = asyncio.run(_previewed(_rows(file), valid_from.date()))
    _show(changes, as_json=as_json)
    raise typer.Exit(1 if changes.problems else 0)


@municipalities.command()
def apply(
    file: ListFile,
    valid_from: ValidFrom,
    by: Annotated[str, typer.Option(help="Who decided this; it is kept.")] = "operator",
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a list would change, ask, and change it: all of it, or nothing."""
    rows = _rows(file)
    changes = asyncio.run(_previewed(rows, valid_from.date()))
    _show(changes, as_json=as_json)
    if not (changes.problems or yes):
        typer.confirm("Change all of this?", abort=True, err=True)
    asyncio.run(_apply(rows, changes, by))
    console.print("applied")


def _rows(file: typer.FileBinaryRead) -> "tuple[Official, ...]":
    from services.membership.domain.list_file import decode, read_list  # noqa: PLC0415

    return read_list(decode(file.read()))


async def _previewed(rows: "tuple[Official, ...]", valid_from: date) -> "ListDiff":
    from services.membership.use_cases import registry  # noqa: PLC0415
    from shared.kernel.clock import berlin_day  # noqa: PLC0415

    async with _records() as records:
        return await registry.preview(records, rows, valid_from, berlin_day(find_settings().clock()))


async def _apply(rows: "tuple[Official, ...]", previewed: "ListDiff", by: str) -> None:
    from services.membership.use_cases import registry  # noqa: PLC0415
    from shared.kernel.cause import Cause  # noqa: PLC0415
    from shared.kernel.ids import new_id, new_trace  # noqa: PLC0415

    cause = Cause(actor=by, at=find_settings().clock(), id=new_id(), trace=new_trace())
    async with _records() as records:
        await registry.apply(records, rows, previewed.valid_from, previewed.digest, cause)


@asynccontextmanager
async def _records() -> "AsyncIterator[Records]":
    from services.membership.records import records  # noqa: PLC0415
    from shared.runtime.service import Service  # noqa: PLC0415

    service = Service("membership", find_settings())
    service.database.open()
    try:
        yield records(service)
    finally:
        await service.database.close()


def _show(changes: "ListDiff", *, as_json: bool) -> None:
    if as_json:
        typer.echo(msgspec.json.encode({"digest": changes.digest, "changes": changes}).decode())
        return
    _table("added", ("ags", "name", "kind", "district"), (
        (row.ags, _both(row.name, row.name_sorbian), row.kind, row.district) for row in changes.added
    ))  # fmt: skip
    _table("renamed", ("ags", "old name", "new name"), (
        (renamed.ags, _both(renamed.old, renamed.old_sorbian), _both(renamed.new, renamed.new_sorbian))
        for renamed in changes.renamed
    ))  # fmt: skip
    _table("merged", ("ags", "name", "into", "its name"), (
        (merged.ags, merged.name, merged.successor, merged.successor_name) for merged in changes.merged
    ))  # fmt: skip
    _table("changed", ("ags", "name", "what", "old", "new"), (
        (row.ags, row.name, datum.field, *("–" if value is None else str(value) for value in (datum.old, datum.new)))
        for row in changes.changed for datum in row.fields
    ))  # fmt: skip
    typer.echo(f"{changes.unchanged} unchanged")
    for what, findings in (("warning", changes.warnings), ("problem", changes.problems)):
        for finding in findings:
            typer.echo(f"{what} ({finding.code}): {finding.message}")


def _both(name: str, name_sorbian: str | None) -> str:
    return f"{name} / {name_sorbian}" if name_sorbian else name


def _table(title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    found = list(rows)
    if not found:
        return
    table = Table(*columns, title=f"{title}: {len(found)}", title_justify="left")
    for row in found:
        table.add_row(*row)
    Console(markup=False, highlight=False).print(table)
