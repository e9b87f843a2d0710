"""Events that the tests of emails are about: as they usually are, and with as little as possible."""

from dataclasses import replace
from datetime import date

from services.notifications.domain.members import Member
from shared.events.membership.agreements import (
    AgreementEnded,
    AgreementEndsSoon,
    AgreementLapsed,
    AgreementPassedOn,
    AgreementReady,
    AgreementRenewed,
    AgreementSigned,
    AgreementSignedByParty,
    AgreementWithdrawn,
    NoticeGiven,
    SignatureCorrected,
    SignatureDeclined,
    SignatureOverdue,
)
from shared.events.membership.members import MemberJoined, MemberLeft
from shared.events.membership.milestones import (
    CoachingRequested,
    CoachMatched,
    ConsultationHeld,
    InterestShown,
    SecurityAnalysisFinished,
)
from shared.events.membership.refs import MunicipalityRef
from shared.kernel.event import Event

ROTHENBURG = MunicipalityRef(ags="14626480", name="Rothenburg/O.L.", police_directorate="PD Görlitz")
BAUTZEN = MunicipalityRef(ags="14625020", name="Bautzen", police_directorate="PD Görlitz")
PIRNA = MunicipalityRef(ags="14628270", name="Pirna", police_directorate="PD Dresden")
PARTIES = ("municipality:14626480", "police_directorate:PD Görlitz", "lpr", "ministry")
FIELDS = ("drugs", "extremism", "graffiti", "littering", "violence")
NEIGHBOURS = [
    Member(
        ags="14626110", name="Görlitz", district_key="14626", agreement_id="KV-2020-000000", joined_on=date(2020, 9, 1)
    ),
    Member(
        ags="14626480",
        name="Rothenburg/O.L.",
        district_key="14626",
        agreement_id="KV-2023-7QX4M2",
        joined_on=date(2023, 1, 27),
    ),
    Member(
        ags="14626610", name="Zittau", district_key="14626", agreement_id="KV-2021-000000", joined_on=date(2021, 6, 1)
    ),
]

CONSULTED = ConsultationHeld(
    ags="14626480",
    name="Rothenburg/O.L.",
    police_directorate="PD Görlitz",
    held_on=date(2022, 9, 14),
    topics=("Graffiti am Marktplatz", "Vermüllung an der Neiße"),
    next_step="Entwurf der Kooperationsvereinbarung bis Ende Oktober",
)
READY = AgreementReady(
    agreement_id="KV-2023-7QX4M2", municipalities=(ROTHENBURG,), parties=PARTIES, ready_on=date(2023, 1, 20)
)
SIGNED_BY_POLICE = AgreementSignedByParty(
    agreement_id="KV-2023-7QX4M2",
    municipalities=(ROTHENBURG,),
    party="police_directorate:PD Görlitz",
    person="Jörg Muster",
    function="Leiter des Führungsstabes",
    deputy=True,
    signed_on=date(2023, 1, 27),
    place="Rothenburg/O.L.",
    form="paper",
    missing=("lpr", "ministry"),
)
SIGNED = AgreementSigned(
    agreement_id="KV-2023-7QX4M2",
    municipalities=(ROTHENBURG,),
    parties=PARTIES,
    in_force_since=date(2023, 1, 27),
    action_fields=FIELDS,
)
JOINED = MemberJoined(
    ags="14626480",
    name="Rothenburg/O.L.",
    kind="Stadt",
    district_key="14626",
    district="Görlitz",
    police_directorate="PD Görlitz",
    agreement_id="KV-2023-7QX4M2",
    joined_on=date(2023, 1, 27),
    action_fields=FIELDS,
)
JOINT = (ROTHENBURG, BAUTZEN, PIRNA)
JOINT_PARTIES = (
    "municipality:14626480",
    "municipality:14625020",
    "municipality:14628270",
    "police_directorate:PD Görlitz",
    "police_directorate:PD Dresden",
    "lpr",
)
JOINT_READY = AgreementReady(
    agreement_id="KV-2023-3TOWNS", municipalities=JOINT, parties=JOINT_PARTIES, ready_on=date(2023, 3, 1)
)
JOINT_SIGNED = AgreementSigned(
    agreement_id="KV-2023-3TOWNS", municipalities=JOINT, parties=JOINT_PARTIES, in_force_since=date(2023, 3, 9)
)
INTERESTED = InterestShown(
    ags="14626480",
    name="Rothenburg/O.L.",
    police_directorate="PD Görlitz",
    shown_on=date(2022, 3, 3),
    note="Anruf der Bürgermeisterin nach dem Präventionstag.",
)
COACHING = CoachingRequested(
    ags="14626480",
    name="Rothenburg/O.L.",
    police_directorate="PD Görlitz",
    coaching=2,
    requested_on=date(2023, 5, 4),
    topic="Jugendliche am Bahnhof",
)
MATCHED = CoachMatched(
    ags="14626480",
    name="Rothenburg/O.L.",
    police_directorate="PD Görlitz",
    coaching=2,
    coach="Hochschule der Sächsischen Polizei",
    matched_on=date(2023, 6, 1),
)
ANALYSED = SecurityAnalysisFinished(
    analysis_id="SA-2023-7QX4M2",
    municipalities=(ROTHENBURG,),
    started_on=date(2023, 3, 6),
    finished_on=date(2023, 11, 17),
    respondents=1234,
    summary="Am Markt fühlen sich viele nachts unsicher.",
)
ORDERED_READY = replace(READY, turn=("municipality:14626480",), sign_by=date(2023, 3, 31))
SIGNED_IN_ORDER = replace(SIGNED_BY_POLICE, turn=("lpr",), sign_by=date(2023, 3, 31))
OVERDUE = SignatureOverdue(
    agreement_id="KV-2023-7QX4M2",
    municipalities=(ROTHENBURG,),
    missing=("police_directorate:PD Görlitz", "ministry"),
    ready_on=date(2023, 1, 20),
    due_on=date(2023, 2, 3),
    remind_on=date(2023, 2, 17),
    sign_by=date(2023, 3, 31),
)
DECLINED = SignatureDeclined(
    agreement_id="KV-2023-7QX4M2",
    municipalities=(ROTHENBURG,),
    party="municipality:14626480",
    declined_on=date(2023, 2, 1),
    reason="Der Stadtrat hat noch nicht zugestimmt.",
)
CORRECTED = SignatureCorrected(
    agreement_id="KV-2023-7QX4M2",
    municipalities=(ROTHENBURG,),
    party="police_directorate:PD Görlitz",
    person="Jörg Muster",
    function="Leiter des Führungsstabes",
    deputy=True,
    signed_on=date(2023, 1, 26),
    place="Görlitz",
    form="paper",
    reason="Der Tag war falsch übertragen.",
)
WITHDRAWN = AgreementWithdrawn(
    agreement_id="KV-2023-7QX4M2",
    municipalities=(ROTHENBURG,),
    parties=PARTIES,
    ready_on=date(2023, 1, 20),
    withdrawn_on=date(2023, 2, 10),
    reason="Die Handlungsfelder werden neu abgestimmt.",
)
DRAFT_WITHDRAWN = replace(WITHDRAWN, ready_on=None)
LAPSED = AgreementLapsed(
    agreement_id="KV-2023-7QX4M2",
    municipalities=(ROTHENBURG,),
    parties=PARTIES,
    missing=("lpr", "ministry"),
    sign_by=date(2023, 3, 31),
)
ENDS_SOON = AgreementEndsSoon(
    agreement_id="KV-2023-7QX4M2",
    municipalities=(ROTHENBURG,),
    parties=PARTIES,
    ends_on=date(2026, 1, 26),
    days=90,
)
RENEWED = AgreementRenewed(
    agreement_id="KV-2023-7QX4M2",
    municipalities=(ROTHENBURG,),
    parties=PARTIES,
    renewed_on=date(2025, 12, 4),
    ends_on=date(2029, 1, 26),
)
NOTICE = NoticeGiven(
    agreement_id="KV-2023-7QX4M2",
    municipalities=(ROTHENBURG,),
    remaining=(),
    parties=PARTIES,
    party="municipality:14626480",
    given_on=date(2025, 6, 30),
    ends_on=date(2025, 12, 31),
    reason="Der Stadtrat hat es so beschlossen.",
)
JOINT_NOTICE = replace(NOTICE, municipalities=JOINT, parties=JOINT_PARTIES, party="lpr")
NOTICE_FOR_ITSELF = replace(NOTICE, remaining=(BAUTZEN, PIRNA), parties=JOINT_PARTIES)
GOES_ON = AgreementEnded(
    agreement_id="KV-2023-3TOWNS",
    municipalities=(ROTHENBURG,),
    remaining=(BAUTZEN, PIRNA),
    ended_on=date(2025, 12, 31),
    how="terminated",
)
ENDED = replace(GOES_ON, remaining=())
PASSED_ON = AgreementPassedOn(
    agreement_id="KV-2023-3TOWNS", municipality=ROTHENBURG, successor=PIRNA, passed_on=date(2025, 1, 1)
)
LEFT = MemberLeft(
    ags="14626480",
    name="Rothenburg/O.L.",
    kind="Stadt",
    district_key="14626",
    district="Görlitz",
    police_directorate="PD Görlitz",
    agreement_id="KV-2023-7QX4M2",
    joined_on=date(2023, 1, 27),
    left_on=date(2025, 12, 31),
    how="terminated",
)
JOINT_ANALYSED = replace(ANALYSED, municipalities=JOINT, respondents=None)
JOINT_OVERDUE = replace(OVERDUE, municipalities=JOINT, missing=("municipality:14628270",))
JOINT_ENDS_SOON = replace(ENDS_SOON, municipalities=JOINT, parties=JOINT_PARTIES)
JOINT_RENEWED = replace(RENEWED, municipalities=JOINT, parties=JOINT_PARTIES, ends_on=None)

EVENTS: list[Event] = [
    *(INTERESTED, CONSULTED, COACHING, MATCHED, ANALYSED, JOINT_ANALYSED),
    *(READY, ORDERED_READY, SIGNED_BY_POLICE, SIGNED_IN_ORDER, SIGNED, JOINED, JOINT_READY, JOINT_SIGNED),
    *(OVERDUE, JOINT_OVERDUE, DECLINED, CORRECTED, WITHDRAWN, DRAFT_WITHDRAWN, LAPSED),
    *(ENDS_SOON, JOINT_ENDS_SOON, RENEWED, JOINT_RENEWED, NOTICE, JOINT_NOTICE, NOTICE_FOR_ITSELF),
    *(GOES_ON, ENDED, PASSED_ON, LEFT),
]

SPARSE: list[Event] = [
    replace(INTERESTED, shown_on=None, note=None),
    replace(CONSULTED, held_on=None, topics=(), next_step=None),
    replace(CONSULTED, held_by="Polizeidirektion Görlitz"),
    replace(ANALYSED, respondents=None, summary=None),
    AgreementReady(
        agreement_id="KV-1", municipalities=READY.municipalities, parties=("lpr",), ready_on=date(2024, 2, 29)
    ),
    replace(SIGNED_BY_POLICE, missing=(), deputy=False, form="remote"),
    replace(SIGNED, action_fields=(), ends_on=date(2026, 1, 26)),
    replace(OVERDUE, missing=("lpr",), sign_by=None),
    replace(LAPSED, missing=("lpr",)),
    replace(RENEWED, ends_on=None),
    replace(NOTICE, reason=None),
    replace(NOTICE_FOR_ITSELF, remaining=(PIRNA,), reason=None),
    replace(GOES_ON, municipalities=(ROTHENBURG, BAUTZEN), remaining=(PIRNA,), how="merged"),
    replace(JOINED, action_fields=()),
    replace(LEFT, how="merged"),
]
