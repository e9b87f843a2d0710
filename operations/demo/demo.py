"""`asskomm demo`: the story of Rothenburg on the whole system, told on the terminal or as JSON."""

import json
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from operations.demo.accessions import DAY
from operations.demo.load import load
from operations.demo.story import Told, play
from operations.embedded.mail_sink import Mail
from operations.embedded.servers import EmbeddedServers
from operations.running.local import System, run, running_system
from services.membership.domain.official import ATTRIBUTION
from shared.runtime.log import configure_logs


def play_demo(servers: EmbeddedServers, progress: Progress, *, as_json: bool) -> None:
    """Play the story and print it."""
    with (servers.folder / "services.log").open("ab", buffering=0) as logs:
        configure_logs("demo", stream=logs)
        run(_play(servers, progress, as_json=as_json))


async def _play(servers: EmbeddedServers, progress: Progress, *, as_json: bool) -> None:
    out = Console(highlight=False, quiet=as_json, soft_wrap=True)
    task = progress.add_task("Dienste starten", total=None)
    async with running_system(servers, as_of=DAY) as system:
        ready = since_start()
        progress.remove_task(task)
        out.print(f"Alles bereit nach {ready:.1f} s: {_breakdown(system)}")
        await _load(system, progress, out)
        told = await play(system, out.print)
    if as_json:
        sys.stdout.write(json.dumps(_as_json(told, ready), ensure_ascii=False, indent=2) + "\n")
    else:
        _show(told, out)


async def _load(system: System, progress: Progress, out: Console) -> None:
    began = time.perf_counter()
    tasks: dict[str, Any] = {}

    def report(what: str, done: int, total: int) -> None:
        if what not in tasks:
            tasks[what] = progress.add_task(f"{what} laden")
        progress.update(tasks[what], completed=done, total=total)

    loaded = await load(system.environ, report)
    waiting = progress.add_task("Ereignisse verarbeiten", total=None)
    await system.quiet()
    for task in (*tasks.values(), waiting):
        progress.remove_task(task)
    out.print(
        f"Geladen in {time.perf_counter() - began:.1f} s: {loaded.municipalities} Kommunen, {loaded.consultations} "
        f"beraten, {loaded.agreements} mit Vereinbarung (teils zur Anschauung ergänzt), {loaded.contacts} Kontakte."
    )


def _show(told: Told, out: Console) -> None:
    out.print()
    events = Table("Ereignis", "zu", title=f"{len(told.events)} Ereignisse, in der Reihenfolge der Veröffentlichung")
    for event in told.events:
        events.add_row(event["type"], event["subject"])
    out.print(events)
    emails = Table("an", "Betreff", title=f"{len(told.emails)} E-Mails")
    for mail in told.emails:
        emails.add_row(mail.to, mail.subject)
    out.print(emails)
    out.print("\n[bold]Eine davon im Ganzen[/]\n")
    welcome = next(mail for mail in told.emails if mail.subject.startswith("Willkommen"))
    out.print(textwrap.indent(as_text(welcome), "  "), markup=False)
    out.print(f"\n{ATTRIBUTION}. Was nicht belegt ist, dient der Anschauung.")
    out.print(f"\nVon der letzten Unterschrift bis zur letzten E-Mail: {told.last_signature_to_last_email:.0f} ms")


def as_text(mail: Mail) -> str:
    """An email as people read it: its headers, then its plain text."""
    body = mail.message.get_body(("plain",))
    shown = ("From", "To", "Date", "Subject", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress")
    headers = "\n".join(f"{name}: {mail.message[name]}" for name in shown if mail.message[name])
    return f"{headers}\n\n{body.get_content() if body else ''}"


def _as_json(told: Told, ready: float) -> dict[str, Any]:
    return {
        "figures_before": told.figures_before,
        "figures_after": told.figures_after,
        "events": told.events,
        "emails": [{"to": email.to, "subject": email.subject, "message_id": email.message_id} for email in told.emails],
        "milliseconds": {
            "last_signature_to_last_email": round(told.last_signature_to_last_email, 1),
            "start_to_ready": round(ready * 1000),
        },
    }


def _breakdown(system: System) -> str:
    return ", ".join(f"{name} {seconds:.2f} s" for name, seconds in system.seconds.items())


def since_start() -> float:
    """Seconds since this process began, the start of Python included where the system tells."""
    try:
        began = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]) / 100
    except OSError:
        return time.process_time()
    return time.clock_gettime(time.CLOCK_BOOTTIME) - began
