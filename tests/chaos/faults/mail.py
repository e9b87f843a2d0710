"""The mail server rejects emails, or the link breaks after the final dot."""

import asyncio

from operations.embedded.mail_sink import set_faults
from tests.chaos.fault import fault
from tests.chaos.faults.crashes import CONNECTIONS
from tests.chaos.office import Offices
from tests.chaos.world import World

PRESS = "presse@smi-sachsen.example"


@fault("mail.refused-for-now", "the mail server refuses everything for the time being (451), 4 s", seconds=20)
async def refused_for_now(world: World, offices: Offices) -> None:
    """Each email waits, and is sent later."""
    async with offices.at_work(2):
        set_faults(world.mail.maildir, {"refuse_all": "451 4.3.0 later"})
        await asyncio.sleep(4)
        set_faults(world.mail.maildir, {})
        world.healed()


@fault("mail.refused-for-good", "the mail server does not know one recipient (550)")
async def refused_for_good(world: World, offices: Offices) -> None:
    """These emails fail, and the failure is visible."""
    set_faults(world.mail.maildir, {"refuse": {PRESS: "550 5.1.1 no such user"}})
    await offices.accessions(3)
    world.healed()
    async with asyncio.timeout(30):
        while not (await world.run("status", "--json"))["notifications"]["deliveries"].get("failed"):
            await asyncio.sleep(0.2)
    set_faults(world.mail.maildir, {})


@fault("mail.cut-beyond-the-dot", "the link breaks after the final dot, before the answer", short=True, seconds=15)
async def cut_beyond_the_dot(world: World, offices: Offices) -> None:
    """The email has arrived, but the sender cannot know: it is sent again, under the same Message-ID."""
    world.allowance.unknown_emails += CONNECTIONS
    set_faults(world.mail.maildir, {"cut_after_dot": {"to": PRESS, "times": CONNECTIONS}})
    await offices.accessions(CONNECTIONS + 1)
    set_faults(world.mail.maildir, {})
