"""The email tables of all publishers: which event sends which emails to whom."""

from services.notifications.domain.emails import Email
from services.notifications.emails import membership
from services.notifications.emails.table import Members, Table
from shared.kernel.event import Event

TABLES: dict[str, Table] = {"membership": membership.EMAILS}
"""The table of each publisher."""


def emails_about(event: Event, members: Members = ()) -> list[Email]:
    """The emails about an event; `MemberJoined` and `MemberLeft` need the members of their district."""
    publisher = event.type.partition(".")[0]
    return [email for function in TABLES[publisher].get(type(event), ()) for email in function(event, members)]
