"""Municipalities, agreements and a day to write tests about."""

import csv
from collections.abc import Sequence
from datetime import UTC, date, datetime
from importlib.resources import files

from services.membership.domain import accession, advising, cooperation, drafting, signing
from services.membership.domain.agreement import Agreement
from services.membership.domain.drafting import Terms, draft
from services.membership.domain.milestones import Consultation, Stage
from services.membership.domain.municipality import Municipality
from services.membership.domain.parties import PartyKind
from services.membership.domain.registry import Official, register
from services.membership.domain.signatures import Signature
from shared.kernel.event import Event

TODAY = date(2023, 1, 27)
TOMORROW = date(2023, 1, 28)
NOW = datetime(2023, 1, 27, 10, 30, tzinfo=UTC)
JUST_AFTER_MIDNIGHT_IN_SAXONY = datetime(2023, 1, 27, 23, 30, tzinfo=UTC)


def at(day: date) -> datetime:
    """Late in the morning of a day."""
    return datetime(day.year, day.month, day.day, 10, 30, tzinfo=UTC)


def municipality(ags: str, name: str, district: str) -> Municipality:
    """A municipality as it is when it has just been registered."""
    registered, _ = register(
        Official(ags=ags, name=name, kind="Stadt", district=district, nuts3="DED2D", latitude=51.33, longitude=14.97)
    )
    return registered


ROTHENBURG = municipality("14626480", "Rothenburg/O.L.", "Görlitz")
ZITTAU = municipality("14626610", "Zittau", "Görlitz")
PIRNA = municipality("14628270", "Pirna", "Sächsische Schweiz-Osterzgebirge")

INTERESTED, _ = advising.show_interest(ROTHENBURG, TODAY, None, NOW)
ADVISED, _ = advising.hold_consultation(ROTHENBURG, Consultation(held_on=TODAY), NOW)
COOPERATING, _ = cooperation.begin(ROTHENBURG, date(2023, 1, 2), NOW)
DORMANT, _ = cooperation.fall_dormant(COOPERATING, date(2023, 1, 16), None, NOW)
MEMBER, _ = accession.join(ROTHENBURG, "KV-2023-7QX4M2", TODAY)
DORMANT_MEMBER, _ = cooperation.fall_dormant(MEMBER, TODAY, None, NOW)
LEFT, _ = accession.leave(MEMBER, "KV-2023-7QX4M2", TODAY, "terminated")

EVERY_STAGE = {
    Stage.UNCONTACTED: ROTHENBURG,
    Stage.INTERESTED: INTERESTED,
    Stage.ADVISED: ADVISED,
    Stage.COOPERATING: COOPERATING,
    Stage.DORMANT: DORMANT,
    Stage.MEMBER: MEMBER,
    Stage.LEFT: LEFT,
}

ID = "KV-2023-7QX4M2"
READY_ON = date(2023, 1, 20)
FOUR = ("municipality:14626480", "police_directorate:PD Görlitz", "lpr", "ministry")
WITHOUT_MINISTRY = (PartyKind.MUNICIPALITY, PartyKind.POLICE_DIRECTORATE, PartyKind.LPR)
STANDARD_TERMS = Terms()


def drafted(*covered: Municipality, terms: Terms = STANDARD_TERMS) -> Agreement:
    """A draft for these municipalities, or for Rothenburg."""
    made, _ = draft(ID, covered or [ROTHENBURG], terms, NOW)
    return made


def ready(*covered: Municipality, terms: Terms = STANDARD_TERMS, sign_by: date | None = None) -> Agreement:
    """An agreement that is ready for signature since READY_ON."""
    made, _ = drafting.make_ready(drafted(*covered, terms=terms), READY_ON, NOW, sign_by)
    return made


def signature(party: str, signed_on: date = TODAY) -> Signature:
    """A signature as it is usually given."""
    return Signature(party=party, person="K. Muster", function="Amtsleitung", signed_on=signed_on, place="Zittau")


def signed(agreement: Agreement, *parties: str) -> tuple[Agreement, list[Event]]:
    """The agreement after these have signed, and the events of that."""
    events: list[Event] = []
    for party in parties:
        agreement, more = signing.sign(agreement, signature(party), NOW)
        events += more
    return agreement, events


def in_force(*covered: Municipality, terms: Terms = STANDARD_TERMS) -> Agreement:
    """An agreement in force since TODAY."""
    open_ = ready(*covered, terms=terms)
    return signed(open_, *open_.parties)[0]


def official_list() -> Sequence[dict[str, str]]:
    """The municipalities of Saxony as they are loaded."""
    with files("operations.demo").joinpath("data", "municipalities.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))
