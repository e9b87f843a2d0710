"""The judgement: compares the promises with the evidence, using set arithmetic."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from tests.chaos.evidence import Document, Evidence, Told, fact
from tests.chaos.journal import Journal, Outcome
from tests.chaos.told import expected_emails
from tests.chaos.world import Allowance

SHOWN = 5


@dataclass
class Verdict:
    """How often each promise was broken; every count must be 0."""

    lost: int = 0
    """Accepted, stored or published, but missing at the next stage."""
    unexpected: int = 0
    """Present, though nobody asked for it, or though it was refused."""
    doubled: int = 0
    """Effects that occurred twice."""
    disorder: int = 0
    """Places where an aggregate's events are out of order or have gaps."""
    overdrawn: int = 0
    """Cents spent that did not exist."""
    complaints: int = 0
    """Observations by clients that the promises rule out."""
    emails_twice: int = 0
    """Emails sent twice without a cut after the final dot."""
    emails_twice_allowed: int = 0
    """Emails sent twice because sending was cut after the final dot, and recorded as such; these are allowed."""
    details: list[str] = field(default_factory=list)
    """A short description of each."""

    @property
    def holds(self) -> bool:
        """True if every promise held."""
        wrong = (self.lost, self.unexpected, self.doubled, self.disorder, self.overdrawn)
        return not any((*wrong, self.complaints, self.emails_twice))

    def note(self, kind: str, what: Iterable[object], text: str) -> None:
        """Count a finding and describe it."""
        found = sorted(map(str, what))
        if found:
            setattr(self, kind, getattr(self, kind) + len(found))
            self.details.append(f"{kind}: {text}: {', '.join(found[:SHOWN])}{' …' if len(found) > SHOWN else ''}")


def judge(evidence: Evidence, journal: Journal, allowance: Allowance) -> Verdict:
    """Check every promise."""
    verdict = Verdict()
    verdict.note("complaints", journal.complaints, "seen by who asked")
    for service in evidence.databases:
        _requests(verdict, service, evidence.rows(service), journal)
        _aggregates(verdict, service, evidence)
        _stream(verdict, service, evidence, allowance)
    for service, publisher in evidence.durables:
        _reactions(verdict, service, publisher, evidence, allowance)
    _members(verdict, evidence)
    _emails(verdict, evidence, allowance)
    if "purse" in evidence.databases:
        _purses(verdict, evidence)
    return verdict


def _requests(verdict: Verdict, service: str, rows: list[Document], journal: Journal) -> None:
    """Accepted requests have their events, refused ones have none, and nobody else caused any."""
    caused: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        if not row["actor"].startswith(("service:", "operator")) and not row["history"]:
            caused[row["trace"]][row["type"]] += 1
    unasked = [trace for trace in caused if trace not in journal.attempts]
    verdict.note("unexpected", unasked, f"events of {service} that nobody asked for")
    for attempt in journal.attempts.values():
        if not any(type.startswith(f"{service}.") for type in attempt.expects):
            continue
        found, expected = caused.get(attempt.trace, Counter()), Counter(dict(attempt.expects))
        name = f"{attempt.what} {attempt.about} ({attempt.outcome})"
        if attempt.outcome is Outcome.OK:
            verdict.note("lost", (expected - found).elements(), f"accepted, not stored: {name}")
        if attempt.outcome is Outcome.FAILED:
            verdict.note("unexpected", found.elements(), f"refused, yet stored: {name}")
        twice = [type for type, times in found.items() if times > max(1, expected[type])]
        verdict.note("doubled", twice, f"one key, several effects: {name}")


def _aggregates(verdict: Verdict, service: str, evidence: Evidence) -> None:
    """Each state has the version and the last event of its rows, whose versions have no gaps."""
    rows: dict[str, list[Document]] = defaultdict(list)
    for row in evidence.rows(service):
        rows[row["subject"]].append(row)
    states = {
        state["_id"]: state
        for documents in evidence.databases[service].values()
        for state in documents
        if state.get("head")
    }
    verdict.note("lost", set(rows) - set(states), f"events of {service} without a state")
    for id, state in states.items():
        history = sorted(rows.get(id, []), key=lambda row: row["version"])
        versions = [row["version"] for row in history]
        if versions != list(range(1, len(versions) + 1)):
            verdict.note("disorder", [f"{id} {versions}"], f"versions of {service}")
        if not history or (state["version"], state["head"]) != (versions[-1], history[-1]["_id"]):
            verdict.note("lost", [id], f"state and events of {service} are not stored together")
        if "signatures" in state:
            signed = {row["data"]["party"] for row in history if row["type"].endswith("signed_by_party.v1")}
            if signed != {one["party"] for one in state["signatures"]}:
                verdict.note("lost", [id], "signatures and their events differ")


def _stream(verdict: Verdict, publisher: str, evidence: Evidence, allowance: Allowance) -> None:
    """The stream has every row once, in the order of its aggregate, and nothing else."""
    rows = {row["_id"]: row for row in evidence.rows(publisher)}
    if not rows:
        return
    told = [one for one in evidence.streams.get(publisher, []) if one.id not in allowance.foreign]
    times = Counter(one.id for one in told)
    verdict.note("lost", set(rows) - set(times), f"stored by {publisher}, not in its stream")
    verdict.note("unexpected", set(times) - set(rows), f"in the stream of {publisher}, not stored")
    if not allowance.stream_doubles:
        verdict.note("doubled", [id for id, count in times.items() if count > 1], f"in the stream of {publisher} twice")
    for one in told:
        row = rows.get(one.id)
        if row and (fact(one), one.subject, one.version) != (row["data"], row["subject"], row["version"]):
            verdict.note("unexpected", [one.id], "the stream tells another fact than was stored")
    _in_order(verdict, ((one.subject, one.version) for one in told), f"in the stream of {publisher}")


def _in_order(verdict: Verdict, seen: Iterable[tuple[str, int]], where: str) -> None:
    """When a version of an aggregate first appears, all earlier ones have appeared."""
    versions: dict[str, list[int]] = defaultdict(list)
    for subject, version in seen:
        if version not in versions[subject]:
            versions[subject].append(version)
    wrong = [f"{id} {found}" for id, found in versions.items() if any(a > b for a, b in pairwise(found))]
    verdict.note("disorder", wrong, where)


def _reactions(verdict: Verdict, service: str, publisher: str, evidence: Evidence, allowance: Allowance) -> None:
    """The service has processed every event in its filter once, in the order of each aggregate."""
    causes = handled(evidence, service, allowance)
    kinds = {subject.rpartition(".*.*")[0] for subject in evidence.durables[service, publisher]}
    told = {one.id: one for one in evidence.streams.get(publisher, []) if _kind(one) in kinds}
    told = {id: one for id, one in told.items() if id not in allowance.foreign | allowance.parked}
    if service == "notifications":
        # Nobody is notified of history, so no cause needs to be stored.
        told = {id: one for id, one in told.items() if not one.history}
    verdict.note("lost", set(told) - set(causes), f"{service} has not reacted to")
    order = ((told[id].subject, told[id].version) for id in causes if id in told)
    _in_order(verdict, order, f"reactions of {service}")


def _kind(one: Told) -> str:
    """Publisher and event name, for every version."""
    return ".".join(one.address.split(".")[:2])


def handled(evidence: Evidence, service: str, allowance: Allowance) -> list[str]:
    """Return the events that a service has processed, in order."""
    causes = evidence.databases[service].get("causes", [])
    # The natural order is correct until mongod is killed: it then rewrites the latest documents.
    if not allowance.clocks_jumped:
        causes = sorted(causes, key=lambda cause: cause["at"])
    found: dict[str, None] = {}
    for cause in causes:
        kind, _, rest = cause["_id"].partition(":")
        if kind == "event":
            found.setdefault(rest.partition(":")[0])
    return list(found)


def _members(verdict: Verdict, evidence: Evidence) -> None:
    """Each municipality of an agreement in force has joined once, and notifications knows all members."""
    rows = evidence.rows("membership")
    signed = Counter(
        (row["data"]["agreement_id"], one["ags"])
        for row in rows
        if row["type"] == "membership.agreement_signed.v1"
        for one in row["data"]["municipalities"]
    )
    joined = Counter(
        (row["data"]["agreement_id"], row["data"]["ags"])
        for row in rows
        if row["type"] == "membership.member_joined.v1"
    )
    verdict.note("doubled", [one for one, times in signed.items() if times > 1], "in force twice")
    verdict.note("doubled", [one for one, times in joined.items() if times > 1], "joined twice")
    verdict.note("lost", set(signed) - set(joined), "in force, not joined")
    verdict.note("unexpected", set(joined) - set(signed), "joined without an agreement in force")
    known = {one["_id"] for one in evidence.databases["notifications"].get("members", [])}
    verdict.note("lost", {ags for _, ags in joined} - known, "members that notifications does not know")


def _emails(verdict: Verdict, evidence: Evidence, allowance: Allowance) -> None:
    """Everybody is told what concerns them and nothing else; emails recorded as sent are in the mailbox once."""
    database = evidence.databases["notifications"]
    deliveries = {(one["event_id"], one["contact_id"], one["template"]): one for one in database.get("deliveries", [])}
    rows = [row for row in evidence.rows("membership") if row["_id"] not in allowance.parked]
    expected = expected_emails(rows, database["contacts"], _neighbours(evidence, allowance))
    verdict.note("lost", expected - set(deliveries), "emails that were not written")
    verdict.note("unexpected", set(deliveries) - expected, "emails that nobody expects")
    undone = [one["_id"] for one in deliveries.values() if one["state"] not in {"sent", "failed"}]
    verdict.note("lost", undone, "emails that are neither sent nor failed")
    copies: dict[str, list[str]] = defaultdict(list)
    for letter in evidence.letters:
        copies[letter.message_id].append(letter.digest)
    sent = {one["message_id"]: one for one in deliveries.values() if one["state"] == "sent"}
    verdict.note("lost", set(sent) - set(copies), "recorded as sent, not in the mailbox")
    known = {one["message_id"] for one in deliveries.values()}
    verdict.note("unexpected", set(copies) - known, "emails in the mailbox that nobody wrote")
    verdict.note("unexpected", [id for id, found in copies.items() if len(set(found)) > 1], "copies that differ")
    _copies(verdict, {id: len(found) for id, found in copies.items() if id in sent}, sent, allowance)


def _copies(verdict: Verdict, copies: Mapping[str, int], sent: Mapping[str, Document], allowance: Allowance) -> None:
    """A second copy is allowed if the record has an attempt without an answer and the fault explains it."""
    twice = {id: count - 1 for id, count in copies.items() if count > 1}
    wrong = {id for id, more in twice.items() if more > sent[id]["unknown"]}
    verdict.note("emails_twice", wrong, "emails that came twice without a reason")
    verdict.emails_twice_allowed = sum(twice[id] for id in twice.keys() - wrong)
    if verdict.emails_twice_allowed > allowance.unknown_emails:
        more = verdict.emails_twice_allowed - allowance.unknown_emails
        verdict.note("emails_twice", [f"{more} more than the fault explains"], "emails that came twice")


def _neighbours(evidence: Evidence, allowance: Allowance) -> dict[str, list[str]]:
    """Return, for each event of a joining municipality, the members of its district at that time."""
    joined = {
        row["_id"]: row["data"] for row in evidence.rows("membership") if row["type"] == "membership.member_joined.v1"
    }
    order = [id for id in handled(evidence, "notifications", allowance) if id in joined]
    if not allowance.clocks_jumped:
        # For two in the same millisecond, the number of neighbours that each notified shows which came first.
        database = evidence.databases["notifications"]
        at = {cause["_id"]: cause["at"] for cause in database.get("causes", [])}
        told = Counter(one["event_id"] for one in database.get("deliveries", []) if one["template"] == "new_neighbour")
        order.sort(key=lambda event: (at[f"event:{event}"], told[event]))
    found: dict[str, list[str]] = {}
    districts: dict[str, list[str]] = defaultdict(list)
    for id in order:
        district = districts[joined[id]["district_key"]]
        found[id] = [ags for ags in district if ags != joined[id]["ags"]]
        district.append(joined[id]["ags"])
    return found


def _purses(verdict: Verdict, evidence: Evidence) -> None:
    """The money drawn from a purse equals the grants, and never exceeds its total."""
    grants: Counter[str] = Counter()
    for grant in evidence.databases["purse"].get("grants", []):
        grants[grant["purse"]] += grant["amount_cents"]
    for purse in evidence.databases["purse"].get("purses", []):
        spent = grants[purse["_id"]]
        verdict.overdrawn += max(0, spent - purse["total_cents"])
        if spent != purse["total_cents"] - purse["left_cents"]:
            verdict.note("lost", [purse["_id"]], f"{spent} cents were granted, the purse says otherwise")
