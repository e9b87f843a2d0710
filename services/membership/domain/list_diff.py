"""The difference that a newer list of municipalities makes: previewed first, then applied exactly as previewed."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

from services.membership.domain import registry
from services.membership.domain.municipality import Municipality
from services.membership.domain.registry import OFFICIAL_DATA, Official
from shared.kernel.chain import canonical
from shared.kernel.copying import copy_as
from shared.kernel.decision import Decision
from shared.kernel.errors import Refused
from shared.kernel.event import Event
from shared.kernel.value import value

NAMED_PROBLEMS = 5
"""Maximum number of problems in a refusal; a preview lists all of them."""

Datum = str | float | int | None


class ListHasProblems(Refused):
    """The list cannot be applied as it is."""

    code = "list_has_problems"


class PreviewOutdated(Refused):
    """The list would make another difference than the one that was previewed."""

    code = "preview_outdated"


@value
class Finding:
    """A problem or warning about a list before it is applied: `code` is for programs, `message` for people."""

    code: str
    message: str
    ags: str | None = None
    row: int | None = None
    """The row of the list, from 1; None if it is about no row."""


@value
class Renamed:
    """A municipality that gets another name."""

    ags: str
    old: str
    new: str
    old_sorbian: str | None
    new_sorbian: str | None

    def decide(self, municipality: Municipality, valid_from: date) -> Decision[Municipality]:
        """Rename the municipality; refuses if it no longer has the old name."""
        if (municipality.name, municipality.name_sorbian) != (self.old, self.old_sorbian):
            raise _outdated(municipality, "name", self.old)
        return registry.rename(municipality, self.new, self.new_sorbian, valid_from)


@value
class NewDatum:
    """One official datum with its old and its new value."""

    field: str
    old: Datum
    new: Datum


@value
class Updated:
    """A municipality whose official data other than its name changes."""

    ags: str
    name: str
    fields: tuple[NewDatum, ...]

    def decide(self, municipality: Municipality, valid_from: date) -> Decision[Municipality]:
        """Update the municipality; refuses if it no longer has the old data."""
        for datum in self.fields:
            if getattr(municipality, datum.field) != datum.old:
                raise _outdated(municipality, datum.field, datum.old)
        stored = {name: getattr(municipality, name) for name in OFFICIAL_DATA}
        new = {datum.field: datum.new for datum in self.fields}
        return registry.update(municipality, copy_as(Official, municipality, **(stored | new)), valid_from)


@value
class Merged:
    """A municipality that is dissolved into another one."""

    ags: str
    name: str
    successor: str
    successor_name: str

    def decide(self, municipality: Municipality, successor: Municipality, valid_from: date) -> Decision[Municipality]:
        """Merge the municipality; refuses if it has been dissolved meanwhile."""
        if municipality.valid_to:
            raise _outdated(municipality, "valid_to", None)
        return registry.merge(municipality, replace(successor, name=self.successor_name), valid_from)


@value
class ListDiff:
    """The whole difference that a list makes, each part sorted by key, so the order of the list does not matter."""

    valid_from: date
    added: tuple[Official, ...]
    renamed: tuple[Renamed, ...]
    merged: tuple[Merged, ...]
    changed: tuple[Updated, ...]
    unchanged: int
    """The number of municipalities of the list that are neither added, renamed nor changed."""
    warnings: tuple[Finding, ...] = ()
    problems: tuple[Finding, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of the difference as canonical JSON; sending it back proves that one has seen the preview."""
        return hashlib.sha256(canonical(self)).hexdigest()

    def refusal(self, digest: str) -> Refused | None:
        """The reason why it cannot be applied by someone who previewed the difference with this digest, if any."""
        if self.problems:
            more = f" and {len(self.problems) - NAMED_PROBLEMS} more" if len(self.problems) > NAMED_PROBLEMS else ""
            named = "; ".join(problem.message for problem in self.problems[:NAMED_PROBLEMS])
            return ListHasProblems(f"nothing was applied, because the list has problems: {named}{more}")
        if self.digest != digest:
            return PreviewOutdated(
                f"nothing was applied: the list would change {self.digest[:12]}…, previewed was {digest[:12]}…; "
                "preview it again, and apply what you see then"
            )
        return None

    def registered(self) -> dict[str, Decision[Municipality]]:
        """The added municipalities by key, each with its events."""
        return {official.ags: registry.register(official, self.valid_from) for official in self.added}

    def decisions(
        self, stored: Mapping[str, Municipality]
    ) -> dict[str, Callable[[Municipality], Decision[Municipality]]]:
        """The rule for each other municipality, by key; it refuses with PreviewOutdated what changed meanwhile."""
        named = {**stored} | {ags: municipality for ags, (municipality, _) in self.registered().items()}
        renamed = {part.ags: part for part in self.renamed}
        changed = {part.ags: part for part in self.changed}

        def update(municipality: Municipality) -> Decision[Municipality]:
            events: list[Event] = []
            for part in (renamed.get(municipality.ags), changed.get(municipality.ags)):
                if part:
                    municipality, more = part.decide(municipality, self.valid_from)
                    events += more
            return municipality, events

        def merge(merged: Merged) -> Callable[[Municipality], Decision[Municipality]]:
            return lambda municipality: merged.decide(municipality, named[merged.successor], self.valid_from)

        return dict.fromkeys((*renamed, *changed), update) | {part.ags: merge(part) for part in self.merged}


def _outdated(municipality: Municipality, field: str, old: Datum) -> PreviewOutdated:
    now = getattr(municipality, field)
    return PreviewOutdated(
        f"nothing was applied: {field} of {municipality.name} ({municipality.ags}) is {now} by now, not {old}; "
        "preview the list again"
    )
