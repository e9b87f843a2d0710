"""The consequences of a newer list for the agreements of municipalities that it dissolves."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from services.membership.domain.agreement import Agreement
from services.membership.domain.list_diff import Finding, ListDiff, Merged
from services.membership.domain.term import ACTIVE, Stage


def with_agreements(diff: ListDiff, agreements: Sequence[Agreement]) -> ListDiff:
    """The difference with its consequences for these agreements, as warnings or as problems."""
    active = [agreement for agreement in agreements if agreement.stage in ACTIVE]
    found = [finding for merged in diff.merged for finding in _of_merged(merged, diff, active)]
    against = {"agreement_open", "agreement_too_late"}
    return replace(
        diff,
        warnings=(*diff.warnings, *(finding for finding in found if finding.code not in against)),
        problems=(*diff.problems, *(finding for finding in found if finding.code in against)),
    )


def _of_merged(merged: Merged, diff: ListDiff, active: Sequence[Agreement]) -> Iterator[Finding]:
    who, successor = f"{merged.name} ({merged.ags})", f"{merged.successor_name} ({merged.successor})"
    last = diff.valid_from - timedelta(days=1)
    for agreement in active:
        if merged.ags not in agreement.covered:
            continue
        if agreement.stage is not Stage.IN_FORCE:
            yield Finding(
                code="agreement_open", ags=merged.ags,
                message=f"{who} is dissolved, but its agreement {agreement.id} is {agreement.stage}: "
                f"withdraw it, and draft another one with {successor}",
            )  # fmt: skip
        elif agreement.in_force_since and agreement.in_force_since > last:
            yield Finding(
                code="agreement_too_late", ags=merged.ags,
                message=f"{who} is dissolved on {last}, but its agreement {agreement.id} is in force since "
                f"{agreement.in_force_since}: mend the day of the list, or give notice of the agreement",
            )  # fmt: skip
        else:
            yield _passed_on(agreement, merged, diff, active)


def _passed_on(agreement: Agreement, merged: Merged, diff: ListDiff, active: Sequence[Agreement]) -> Finding:
    successor = f"{merged.successor_name} ({merged.successor})"
    last = diff.valid_from - timedelta(days=1)
    siblings = {municipality.ags for municipality in diff.merged if municipality.successor == merged.successor}
    own = [other.id for other in active if other.id != agreement.id and merged.successor in other.covered]
    rivals = [other.id for other in active if other.id != agreement.id and siblings & set(other.covered)]
    if merged.successor in {ref.ags for ref in agreement.municipalities} - set(agreement.covered):
        code, then = "agreement_ends", f"ends for it on {last}, because {successor} has left this agreement before"
    elif own:
        code, then = "agreement_ends", f"ends for it on {last}, because {successor} has agreement {own[0]}"
    elif rivals:
        code = "agreements_meet"
        then = f"goes on with {successor}, or ends for it on {last} if {' or '.join(rivals)} is passed on first"
    else:
        code, then = "agreement_passed_on", f"goes on with {successor} from {diff.valid_from} on"
    return Finding(
        code=code, ags=merged.ags, message=f"{merged.name} ({merged.ags}): its agreement {agreement.id} {then}"
    )
