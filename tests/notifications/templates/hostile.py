"""Facts whose words want to be more than words: HTML, templates, line breaks."""

from dataclasses import replace
from datetime import date

from shared.events.membership.agreements import AgreementReady, AgreementSigned, AgreementSignedByParty
from shared.events.membership.refs import MunicipalityRef
from shared.kernel.event import Event
from tests.notifications.examples import (
    ANALYSED,
    COACHING,
    CONSULTED,
    CORRECTED,
    DECLINED,
    DRAFT_WITHDRAWN,
    ENDS_SOON,
    GOES_ON,
    INTERESTED,
    JOINED,
    LAPSED,
    LEFT,
    MATCHED,
    NOTICE,
    NOTICE_FOR_ITSELF,
    OVERDUE,
    PASSED_ON,
    READY,
    RENEWED,
    SIGNED,
    WITHDRAWN,
)

EVIL = "<script>alert('ä')</script> {{7*7}} {% if %} „Ö“ & Co."
EVIL_WITH_CONTROLS = EVIL.replace(" ", "\r\n\u2028\x00\x1b", 1)

EVIL_TOWN = MunicipalityRef(ags="14626480", name=EVIL_WITH_CONTROLS, police_directorate="PD Görlitz")
HOSTILE: list[Event] = [
    replace(INTERESTED, name=EVIL_WITH_CONTROLS, note=EVIL_WITH_CONTROLS),
    replace(
        CONSULTED,
        name=EVIL_WITH_CONTROLS,
        topics=(EVIL_WITH_CONTROLS,),
        next_step=EVIL_WITH_CONTROLS,
        held_by=EVIL_WITH_CONTROLS,
    ),
    replace(COACHING, name=EVIL_WITH_CONTROLS, topic=EVIL_WITH_CONTROLS),
    replace(MATCHED, name=EVIL_WITH_CONTROLS, coach=EVIL_WITH_CONTROLS),
    replace(ANALYSED, municipalities=(EVIL_TOWN,), summary=EVIL_WITH_CONTROLS),
    AgreementReady(
        agreement_id=EVIL_WITH_CONTROLS,
        municipalities=(EVIL_TOWN,),
        parties=READY.parties,
        ready_on=date(2023, 1, 20),
    ),
    AgreementSignedByParty(
        agreement_id=EVIL_WITH_CONTROLS,
        municipalities=(EVIL_TOWN,),
        party="municipality:14626480",
        person=EVIL_WITH_CONTROLS,
        function=EVIL_WITH_CONTROLS,
        deputy=False,
        signed_on=date(2023, 1, 27),
        place=EVIL_WITH_CONTROLS,
        form=EVIL_WITH_CONTROLS,
        missing=("lpr",),
        turn=("lpr",),
    ),
    replace(OVERDUE, municipalities=(EVIL_TOWN,), missing=("municipality:14626480",)),
    replace(DECLINED, municipalities=(EVIL_TOWN,), reason=EVIL_WITH_CONTROLS),
    replace(CORRECTED, municipalities=(EVIL_TOWN,), person=EVIL_WITH_CONTROLS, reason=EVIL_WITH_CONTROLS),
    replace(WITHDRAWN, municipalities=(EVIL_TOWN,), reason=EVIL_WITH_CONTROLS),
    replace(DRAFT_WITHDRAWN, municipalities=(EVIL_TOWN,), reason=EVIL_WITH_CONTROLS),
    replace(LAPSED, municipalities=(EVIL_TOWN,), missing=("municipality:14626480",)),
    AgreementSigned(
        agreement_id=EVIL_WITH_CONTROLS,
        municipalities=(EVIL_TOWN,),
        parties=SIGNED.parties,
        in_force_since=date(2023, 1, 27),
        action_fields=(EVIL_WITH_CONTROLS,),
    ),
    replace(ENDS_SOON, municipalities=(EVIL_TOWN,)),
    replace(RENEWED, municipalities=(EVIL_TOWN,)),
    replace(NOTICE, municipalities=(EVIL_TOWN,), reason=EVIL_WITH_CONTROLS),
    replace(NOTICE_FOR_ITSELF, municipalities=(EVIL_TOWN,), remaining=(EVIL_TOWN,)),
    replace(GOES_ON, municipalities=(EVIL_TOWN,), remaining=(EVIL_TOWN,), how=EVIL_WITH_CONTROLS),
    replace(PASSED_ON, municipality=EVIL_TOWN, successor=EVIL_TOWN),
    replace(JOINED, name=EVIL_WITH_CONTROLS, district=EVIL_WITH_CONTROLS, agreement_id=EVIL_WITH_CONTROLS),
    replace(LEFT, name=EVIL_WITH_CONTROLS, district=EVIL_WITH_CONTROLS, how=EVIL_WITH_CONTROLS),
]
