"""`asskomm up`: everything here, until Ctrl-C."""

import asyncio
import signal
from datetime import date, timedelta

from rich.console import Console
from rich.progress import Progress

from operations.demo.load import load
from operations.embedded.servers import EmbeddedServers
from operations.running.local import running_system
from services.membership.domain.official import ATTRIBUTION
from shared.runtime.log import configure_logs
from shared.web.rights import Role, actor
from shared.web.tokens import issue_token


async def run_up(servers: EmbeddedServers, progress: Progress, *, port: int, as_of: date | None) -> None:
    """Run the system, print its address and sample requests, and wait for Ctrl-C."""
    with (servers.folder / "services.log").open("ab", buffering=0) as logs:
        configure_logs("up", stream=logs)
        task = progress.add_task("Dienste starten", total=None)
        async with running_system(servers, port=port, as_of=as_of) as system:
            progress.update(task, description="Kommunen, Geschichte und Kontakte laden")
            await load(system.environ)
            progress.remove_task(task)
            who = actor("lpr/up", Role.LPR)
            token = issue_token(who, system.settings.token_private_key, timedelta(days=1))
            out = Console(highlight=False, soft_wrap=True)
            out.print(f"[bold]Ready[/] at {system.url} (Ctrl-C ends it; data stays in {servers.folder})\n")
            out.print(f"  figures   {system.url}/membership/v1/alliance")
            out.print(f"  API       {system.url}/membership/openapi.json, {system.url}/notifications/openapi.json")
            out.print(f"  MongoDB   {servers.mongo_uri}\n  NATS      {servers.nats_url}")
            out.print("  emails    asskomm mail list      events    asskomm events tail      state    asskomm status\n")
            out.print(f"A token of the LPR for a day:\n\n{token}\n", markup=False)
            out.print(f'curl -H "Authorization: Bearer $TOKEN" {system.url}/membership/v1/alliance', markup=False)
            out.print(f"\nPartly illustrative data. {ATTRIBUTION}", markup=False)
            await _ctrl_c()
            out.print("\nstopping")


async def _ctrl_c() -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
