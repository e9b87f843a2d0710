"""What a newer list of municipalities changes: shown before it happens, and applied exactly as it was shown."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from services.membership.domain import registry
from services.membership.domain.municipality import Decided, Municipality
from services.membership.domain.registry import Official
from shared.kernel.chain import canonical
from shared.kernel.errors import Refused
from shared.kernel.event import Event

SAID = 5
"""So many problems are told in a refusal; a preview tells all of them."""

Value = str | float | int | None


class ListHasProblems(Refused):
    """The list cannot be applied as it is."""

    code = "list_has_problems"


class PreviewOutdated(Refused):
    """These are not the changes that were previewed."""

    code = "preview_outdated"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What must be mended, or known, before a list is applied: `code` is for programs, `message` for people."""

    code: str
    message: str
    ags: str | None = None
    row: int | None = None
    """Its place among the municipalities of the list, from 1; None where it is about none of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Renamed:
    """A municipality gets another name."""

    ags: str
    old: str
    new: str
    old_sorbian: str | None
    new_sorbian: str | None

    def decide(self, one: Municipality, valid_from: date) -> Decided:
        """Rename the municipality, if it still has the old name."""
        if (one.name, one.name_sorbian) != (self.old, self.old_sorbian):
            raise _outdated(one, "name", self.old)
        return registry.rename(one, self.new, self.new_sorbian, valid_from)


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldChange:
    """One official datum that changes."""

    field: str
    old: Value
    new: Value


@dataclass(frozen=True, kw_only=True, slots=True)
class Changed:
    """Official data of a municipality change, but for its name."""

    ags: str
    name: str
    fields: tuple[FieldChange, ...]

    def decide(self, one: Municipality, valid_from: date) -> Decided:
        """Change the municipality, if it still has the old data."""
        for field in self.fields:
            if getattr(one, field.field) != field.old:
                raise _outdated(one, field.field, field.old)
        official = Official(
            ags=one.ags, name=one.name, kind=one.kind, district=one.district, nuts3=one.nuts3,
            latitude=one.latitude, longitude=one.longitude, population=one.population,
        )  # fmt: skip
        changes = {field.field: field.new for field in self.fields}
        return registry.change(one, replace(official, **changes), valid_from)  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True, slots=True)
class Merged:
    """A municipality is dissolved; another one takes its place."""

    ags: str
    name: str
    successor: str
    successor_name: str

    def decide(self, one: Municipality, successor: Municipality, valid_from: date) -> Decided:
        """Merge the municipality, if it has not been dissolved meanwhile."""
        if one.valid_to:
            raise _outdated(one, "valid_to", None)
        return registry.merge(one, replace(successor, name=self.successor_name), valid_from)


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """All that a list changes, each part in the order of keys; the order of the list does not matter."""

    valid_from: date
    added: tuple[Official, ...]
    renamed: tuple[Renamed, ...]
    merged: tuple[Merged, ...]
    changed: tuple[Changed, ...]
    unchanged: int
    """How many municipalities of the list are neither added, renamed nor changed."""
    warnings: tuple[Finding, ...] = ()
    problems: tuple[Finding, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of the changes as canonical JSON: whoever applies them shows by it that they have seen them."""
        return hashlib.sha256(canonical(self)).hexdigest()

    def refusal(self, digest: str) -> Refused | None:
        """Why these changes cannot be applied by somebody who has previewed those with this digest."""
        if self.problems:
            more = f" and {len(self.problems) - SAID} more" if len(self.problems) > SAID else ""
            said = "; ".join(each.message for each in self.problems[:SAID])
            return ListHasProblems(f"nothing was applied, because the list has problems: {said}{more}")
        if self.digest != digest:
            return PreviewOutdated(
                f"nothing was applied: the list would change {self.digest[:12]}…, previewed was {digest[:12]}…; "
                "preview it again, and apply what you see then"
            )
        return None

    def registered(self) -> dict[str, Decided]:
        """The municipalities that are added, by key, each with its facts."""
        return {official.ags: registry.register(official, self.valid_from) for official in self.added}

    def decisions(self, stored: Mapping[str, Municipality]) -> dict[str, Callable[[Municipality], Decided]]:
        """How each of the others is decided on, by key; refuses with PreviewOutdated what has changed meanwhile."""
        named = {**stored} | {ags: one for ags, (one, _) in self.registered().items()}
        renamed = {one.ags: one for one in self.renamed}
        changed = {one.ags: one for one in self.changed}

        def update(one: Municipality) -> Decided:
            parts = [part for part in (renamed.get(one.ags), changed.get(one.ags)) if part]
            facts: list[Event] = []
            for part in parts:
                one, more = part.decide(one, self.valid_from)
                facts += more
            return one, facts

        def merge(merged: Merged) -> Callable[[Municipality], Decided]:
            return lambda one: merged.decide(one, named[merged.successor], self.valid_from)

        return dict.fromkeys((*renamed, *changed), update) | {one.ags: merge(one) for one in self.merged}


def _outdated(one: Municipality, field: str, old: Value) -> PreviewOutdated:
    return PreviewOutdated(
        f"nothing was applied: {field} of {one.name} ({one.ags}) is {getattr(one, field)} by now, not {old}; "
        "preview the list again"
    )
