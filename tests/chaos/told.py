"""The referee's own rules for which emails an event causes, for the events that its offices cause."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Document = Mapping[str, Any]
Expected = tuple[str, str, str]
"""Event, contact, template."""

SAXONY = "Sachsen"
PARTY_ROLES = {"municipality": "municipality", "police_directorate": "police_directorate"}


def expected_emails(
    rows: Iterable[Document], contacts: Iterable[Document], neighbours: Mapping[str, list[str]]
) -> set[Expected]:
    """Return all emails that these events cause; `neighbours` maps an event to the other members of its district."""
    offices: dict[tuple[str, str], list[str]] = {}
    for contact in contacts:
        if contact["active"]:
            offices.setdefault((contact["role"], contact["area"]), []).append(contact["_id"])
    return {
        (row["_id"], contact, template)
        for row in rows
        if not row["history"]
        for template, role, area in _told(row, neighbours.get(row["_id"], []))
        for contact in offices.get((role, area), [])
    }


def _told(row: Document, neighbours: list[str]) -> Iterator[tuple[str, str, str]]:
    data = row["data"]
    match row["type"].split(".")[1]:
        case "interest_shown" | "consultation_held" as template:
            yield template, "lpr_contact", data["police_directorate"]
        case "agreement_ready":
            for party in data["parties"]:
                yield "agreement_to_sign", *_office(party)
            yield from (("agreement_ready", "lpr_contact", area) for area in _police(data))
        case "agreement_signed_by_party":
            yield "signature_receipt", *_office(data["party"])
            yield from (("signature_progress", "lpr_contact", area) for area in _police(data))
        case "agreement_signed":
            yield from (("agreement_in_force", "police_directorate", area) for area in _police(data))
            yield "agreement_in_force", "lpr_head", SAXONY
            yield "agreement_for_press", "press_office", SAXONY
        case "member_joined":
            yield "member_welcome", "municipality", data["ags"]
            yield from (("new_neighbour", "municipality", ags) for ags in neighbours)


def _office(party: str) -> tuple[str, str]:
    kind, _, area = party.partition(":")
    match kind:
        case "lpr":
            return "lpr_head", SAXONY
        case "ministry":
            return "ministry", SAXONY
    return PARTY_ROLES[kind], area


def _police(data: Document) -> list[str]:
    return sorted({municipality["police_directorate"] for municipality in data["municipalities"]})
