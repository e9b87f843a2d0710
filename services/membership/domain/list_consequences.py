"""What becomes of the agreements of municipalities that a newer list dissolves."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from services.membership.domain.agreement import Agreement
from services.membership.domain.list_changes import Changes, Finding, Merged
from services.membership.domain.term import ACTIVE, Stage


def with_agreements(changes: Changes, agreements: Sequence[Agreement]) -> Changes:
    """The changes, with what they do to these agreements, or what of these stands against them."""
    active = [one for one in agreements if one.stage in ACTIVE]
    found = [each for merged in changes.merged for each in _of_merged(merged, changes, active)]
    against = {"agreement_open", "agreement_too_late"}
    return replace(
        changes,
        warnings=(*changes.warnings, *(each for each in found if each.code not in against)),
        problems=(*changes.problems, *(each for each in found if each.code in against)),
    )


def _of_merged(merged: Merged, changes: Changes, active: Sequence[Agreement]) -> Iterator[Finding]:
    who, successor = f"{merged.name} ({merged.ags})", f"{merged.successor_name} ({merged.successor})"
    last = changes.valid_from - timedelta(days=1)
    for one in active:
        if merged.ags not in one.covered:
            continue
        if one.stage is not Stage.IN_FORCE:
            yield Finding(
                code="agreement_open", ags=merged.ags,
                message=f"{who} is dissolved, but its agreement {one.id} is {one.stage}: "
                f"withdraw it, and draft another one with {successor}",
            )  # fmt: skip
        elif one.in_force_since and one.in_force_since > last:
            yield Finding(
                code="agreement_too_late", ags=merged.ags,
                message=f"{who} is dissolved on {last}, but its agreement {one.id} is in force since "
                f"{one.in_force_since}: mend the day of the list, or give notice of the agreement",
            )  # fmt: skip
        else:
            yield _passed_on(one, merged, changes, active)


def _passed_on(one: Agreement, merged: Merged, changes: Changes, active: Sequence[Agreement]) -> Finding:
    successor = f"{merged.successor_name} ({merged.successor})"
    last = changes.valid_from - timedelta(days=1)
    siblings = {each.ags for each in changes.merged if each.successor == merged.successor}
    own = [each.id for each in active if each.id != one.id and merged.successor in each.covered]
    rivals = [each.id for each in active if each.id != one.id and siblings & set(each.covered)]
    if merged.successor in {ref.ags for ref in one.municipalities} - set(one.covered):
        code, then = "agreement_ends", f"ends for it on {last}, because {successor} has left this agreement before"
    elif own:
        code, then = "agreement_ends", f"ends for it on {last}, because {successor} has agreement {own[0]}"
    elif rivals:
        code = "agreements_meet"
        then = f"goes on with {successor}, or ends for it on {last} if {' or '.join(rivals)} is passed on first"
    else:
        code, then = "agreement_passed_on", f"goes on with {successor} from {changes.valid_from} on"
    return Finding(code=code, ags=merged.ags, message=f"{merged.name} ({merged.ags}): its agreement {one.id} {then}")
