"""The stored steps of an agreement, and keys, to write tests about certificates."""

import hashlib
from datetime import UTC, date, datetime
from typing import Any

from services.membership.certificate import Keyring
from shared.events.membership.agreements import (
    AgreementDrafted,
    AgreementReady,
    AgreementSigned,
    AgreementSignedByParty,
)
from shared.events.membership.refs import MunicipalityRef
from shared.kernel.cause import Cause
from shared.kernel.event import Event
from shared.store.mongo import Document
from shared.store.rows import event_rows
from shared.web.tokens import new_keys, public_key_of

ID = "KV-2023-7QX4M2"
DAY = date(2023, 1, 27)
TEXT = "Die Stadt Rothenburg/O.L. und der Freistaat Sachsen vereinbaren …"
SHA256 = hashlib.sha256(TEXT.encode()).hexdigest()

KEY, OTHER_KEY = new_keys()[0], new_keys()[0]
KEYRING = Keyring.of(KEY)
FOREIGN = Keyring.of(OTHER_KEY)
ROTATED = Keyring.of(OTHER_KEY, public_key_of(KEY))
"""KEY was replaced by OTHER_KEY."""


def rows(id: str = ID, *, text_sha256: str = SHA256, signed_sha256: str = SHA256) -> list[Document]:
    """The steps of an agreement from the draft to the last of two signatures."""
    parties = ("municipality:14626480", "lpr")
    about: dict[str, Any] = {
        "agreement_id": id,
        "municipalities": (MunicipalityRef(ags="14626480", name="Rothenburg/O.L.", police_directorate="PD Görlitz"),),
    }
    signature: dict[str, Any] = about | {
        "function": "Bürgermeisterin", "deputy": False, "signed_on": DAY, "place": "Rothenburg/O.L.", "form": "paper",
        "text_sha256": signed_sha256,
    }  # fmt: skip
    events: list[Event] = [
        AgreementDrafted(**about, parties=parties),
        AgreementReady(**about, parties=parties, ready_on=DAY, text=TEXT, text_sha256=text_sha256),
        AgreementSignedByParty(**signature, party=parties[0], person="P. Muster", missing=parties[1:]),
        AgreementSignedByParty(**signature, party=parties[1], person="L. Muster", missing=()),
        AgreementSigned(**about, parties=parties, in_force_since=DAY),
    ]
    cause = Cause(actor="lpr", at=datetime(2023, 1, 27, 10, 30, tzinfo=UTC), id="cause", trace="trace")
    return event_rows(events, id, before={"version": 0, "head": "", "chain": ""}, cause=cause)
