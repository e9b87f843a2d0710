"""The accession of Rothenburg/O.L. on 27 January 2023, played over HTTP as its staff would."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import nats
from nats.js.api import ConsumerConfig, DeliverPolicy

from operations.demo.accessions import DAY, LPR, MINISTRY, Staff, accepted
from operations.embedded.mail_sink import Mail, read_mails
from operations.running.local import System
from services.membership.certificate import check, read_keys
from shared.nats.streams import stream_name
from shared.web.rights import Role, actor

ROTHENBURG, GOERLITZ = "14626480", "14626110"
ACTION_FIELDS = ["graffiti", "littering", "violence", "extremism", "drugs"]

MAYOR = actor("rothenburg/buergermeisteramt", Role.MUNICIPALITY, ROTHENBURG)
MAYOR_OF_GOERLITZ = actor("goerlitz/oberbuergermeisteramt", Role.MUNICIPALITY, GOERLITZ)
POLICE = actor("pd-goerlitz/leitung", Role.POLICE, "PD Görlitz")

SIGNATURES = (
    (MAYOR, f"municipality:{ROTHENBURG}", "die Bürgermeisterin oder der Bürgermeister", "Stadt Rothenburg/O.L."),
    (
        POLICE,
        "police_directorate:PD Görlitz",
        "die Leitung der Polizeidirektion",
        "Polizeidirektion Görlitz",
    ),
    (LPR, "lpr", "die Geschäftsführung des LPR", "Landespräventionsrat Sachsen"),
    (MINISTRY, "ministry", "der Staatsminister des Innern", "Sächsisches Staatsministerium des Innern"),
)

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Told:
    """The outcome of the story."""

    figures_before: dict[str, Any]
    figures_after: dict[str, Any]
    agreement_id: str
    events: list[dict[str, str]]
    emails: list[Mail]
    last_signature_to_last_email: float
    """Milliseconds from the answer to the last signature until the mail server accepted the last email."""


async def play(system: System, tell: Tell) -> Told:
    """Play the story and tell it, a line at a time; the system must have the alliance of January 2023 loaded."""
    async with httpx.AsyncClient(base_url=system.url, timeout=30) as http:
        staff = Staff(http, system.settings.token_private_key)
        before = accepted(await staff.get(LPR, "/membership/v1/alliance"))
        seen = {mail.key for mail in read_mails(system.maildir)}
        tell(_figures("Vorher: ", before))
        agreement = await _prepare(staff, tell)
        answered_at = await _sign(staff, agreement, tell)
        await system.quiet()
        after = accepted(await staff.get(LPR, "/membership/v1/alliance"))
        tell(_figures("Nachher:", after))
        await _look_back(staff, agreement, tell)
    emails = [mail for mail in read_mails(system.maildir) if mail.key not in seen]
    return Told(
        figures_before=before,
        figures_after=after,
        agreement_id=agreement,
        events=await published(system, {agreement, ROTHENBURG}),
        emails=emails,
        last_signature_to_last_email=(max(mail.received_at for mail in emails).timestamp() - answered_at) * 1000,
    )


async def _prepare(staff: Staff, tell: Tell) -> str:
    """Everything up to the day of signing; returns the file number of the agreement."""
    municipality = f"/membership/v1/municipalities/{ROTHENBURG}"
    accepted(
        await staff.post(
            LPR, f"{municipality}/consultations", held_on="2023-01-12",
            topics=["Lagebild der Stadt", "Handlungsfelder"], next_step="Kooperationsvereinbarung entwerfen",
        )
    )  # fmt: skip
    tell("Der LPR berät Rothenburg/O.L. am 12.01.2023.")
    accepted(await staff.post(LPR, f"{municipality}/action-fields", method="PUT", action_fields=ACTION_FIELDS))
    tell("Fünf Handlungsfelder: Graffiti, Vermüllung, Gewalt, Extremismus, Drogen.")
    drafted = accepted(await staff.post(LPR, "/membership/v1/agreements", municipalities=[ROTHENBURG]))
    tell(f"Entwurf der Kooperationsvereinbarung {drafted['id']} mit {len(drafted['parties'])} Vertragsparteien.")
    agreement = f"/membership/v1/agreements/{drafted['id']}"
    early = await staff.post(MAYOR, f"{agreement}/signatures", **_signature(0))
    tell(f"Eine Unterschrift vor der Zeit wird abgewiesen: {early.status_code} {early.json()['code']}.")
    accepted(await staff.post(LPR, f"{agreement}/readiness", ready_on=str(DAY)))
    tell("Am 27.01.2023 liegt sie zur Unterzeichnung bereit.")
    return str(drafted["id"])


async def _sign(staff: Staff, agreement: str, tell: Tell) -> float:
    """All parties sign, each for itself; returns when the last signature was answered, in seconds since the epoch."""
    path = f"/membership/v1/agreements/{agreement}/signatures"
    for_police = await staff.post(MAYOR, path, **_signature(1))
    by_other_town = await staff.post(MAYOR_OF_GOERLITZ, path, **_signature(0))
    tell(f"Das Rathaus unterschreibt nicht für die Polizei ({for_police.status_code}), "
         f"Görlitz nicht für Rothenburg ({by_other_town.status_code}).")  # fmt: skip
    for number, (who, _, name, _) in enumerate(SIGNATURES):
        signed = accepted(await staff.post(who, path, **_signature(number)))
        tell(f"Es unterzeichnet {name}: {number + 1} von 4, Stand {signed['stage']}.")
    return time.time()


async def _look_back(staff: Staff, agreement: str, tell: Tell) -> None:
    """Show the lasting results: the figures of any day, and a certificate that anybody can verify."""
    before = accepted(await staff.get(LPR, f"/membership/v1/alliance?on={DAY - timedelta(days=1)}"))
    tell(f"Und am Tag davor, im Rückblick: {before['members']} Mitglieder.")
    certificate = await staff.get(MAYOR, f"/membership/v1/agreements/{agreement}/certificate")
    keys = await staff.get(MAYOR, "/membership/v1/certificate-keys")
    findings = check(certificate.content, read_keys(keys.text))
    tell(
        f"Nachweis über {len(certificate.json()['steps'])} Schritte der Vereinbarung geprüft: "
        f"{'; '.join(finding.message for finding in findings) or 'gültig'}."
    )


def _signature(number: int) -> dict[str, str]:
    _, party, person, function = SIGNATURES[number]
    return {"party": party, "person": person, "function": function, "signed_on": str(DAY), "place": "Rothenburg/O.L."}


def _figures(when: str, figures: dict[str, Any]) -> str:
    return (
        f"{when} {figures['advised']} Kommunen beraten, {figures['working_closely']} arbeiten eng mit, "
        f"{figures['members']} sind Mitglied."
    )


async def published(system: System, subjects: set[str]) -> list[dict[str, str]]:
    """The events about some aggregates in the order of their publication, without history."""
    client = await nats.connect(system.settings.nats_url)
    try:
        js, stream = client.jetstream(), stream_name("membership")
        last = (await js.stream_info(stream)).state.last_seq
        found = []
        reading = await js.subscribe(
            "membership.>", stream=stream, ordered_consumer=True,
            config=ConsumerConfig(deliver_policy=DeliverPolicy.ALL),
        )  # fmt: skip
        async for message in reading.messages:
            headers = message.headers or {}
            if headers["ce-subject"] in subjects and headers["ce-history"] == "false":
                found.append({"type": headers["ce-type"], "subject": headers["ce-subject"], "id": headers["ce-id"]})
            if message.metadata.sequence.stream >= last:
                break
        return found
    finally:
        await client.close()
