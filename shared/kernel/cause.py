"""Why something changes."""

from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Cause:
    """Why something changes: who wants it, when, and what makes it happen one time only.

    A request over HTTP is a cause, and so is an event that a service reacts to.
    """

    actor: str
    """Who: the subject of the token, or `service:<name>` for a reaction."""
    at: datetime
    """When, in UTC; rules take it as "now"."""
    id: str
    """The id of the request or event, kept with each event that follows from it."""
    trace: str
    """W3C `traceparent`, passed on from cause to effect."""
    once: str | None = None
    """The same key changes things one time only; None where nothing can come twice."""
    digest: str = ""
    """SHA-256 of the request under an Idempotency-Key; empty for events, whose id says it all."""
    history: bool = False
    """The event happened long before it was recorded: it counts as usual, but sends no emails."""

    def part(self, name: str) -> "Cause":
        """The same cause for one of several changes that follow from it."""
        return replace(self, once=f"{self.once}:{name}") if self.once else self
