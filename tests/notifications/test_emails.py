import csv
from collections import Counter
from datetime import date
from pathlib import Path
from typing import get_type_hints

import pytest

import operations
from services.notifications.domain import Email, Member, Role
from services.notifications.emails import TOLD, emails_about
from shared.events import Event
from shared.events.membership import (
    AgreementReady,
    AgreementSigned,
    AgreementSignedByParty,
    ConsultationHeld,
    MemberJoined,
    MunicipalityRef,
    MunicipalityRegistered,
)

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
FACTS: list[Event] = [CONSULTED, READY, SIGNED_BY_POLICE, SIGNED, JOINED, JOINT_READY, JOINT_SIGNED]

WHO_IS_TOLD: list[tuple[Event, set[tuple[str, str, str]]]] = [
    (CONSULTED, {("consultation_held", "lpr_contact", "PD Görlitz")}),
    (
        READY,
        {
            ("agreement_to_sign", "municipality", "14626480"),
            ("agreement_to_sign", "police_directorate", "PD Görlitz"),
            ("agreement_to_sign", "lpr_head", "Sachsen"),
            ("agreement_to_sign", "ministry", "Sachsen"),
            ("agreement_ready", "lpr_contact", "PD Görlitz"),
        },
    ),
    (
        SIGNED_BY_POLICE,
        {
            ("signature_receipt", "police_directorate", "PD Görlitz"),
            ("signature_progress", "lpr_contact", "PD Görlitz"),
        },
    ),
    (
        SIGNED,
        {
            ("agreement_in_force", "police_directorate", "PD Görlitz"),
            ("agreement_in_force", "lpr_head", "Sachsen"),
            ("agreement_for_press", "press_office", "Sachsen"),
        },
    ),
    (
        JOINED,
        {
            ("member_welcome", "municipality", "14626480"),
            ("new_neighbour", "municipality", "14626110"),
            ("new_neighbour", "municipality", "14626610"),
        },
    ),
    (
        JOINT_READY,
        {
            ("agreement_to_sign", "municipality", "14626480"),
            ("agreement_to_sign", "municipality", "14625020"),
            ("agreement_to_sign", "municipality", "14628270"),
            ("agreement_to_sign", "police_directorate", "PD Görlitz"),
            ("agreement_to_sign", "police_directorate", "PD Dresden"),
            ("agreement_to_sign", "lpr_head", "Sachsen"),
            ("agreement_ready", "lpr_contact", "PD Görlitz"),
            ("agreement_ready", "lpr_contact", "PD Dresden"),
        },
    ),
    (
        JOINT_SIGNED,
        {
            ("agreement_in_force", "police_directorate", "PD Görlitz"),
            ("agreement_in_force", "police_directorate", "PD Dresden"),
            ("agreement_in_force", "lpr_head", "Sachsen"),
            ("agreement_for_press", "press_office", "Sachsen"),
        },
    ),
]


def _only(template: str, emails: list[Email]) -> Email:
    (email,) = (email for email in emails if email.template == template)
    return email


@pytest.mark.parametrize(("fact", "told"), WHO_IS_TOLD, ids=lambda value: getattr(value, "type", ""))
def test_the_right_offices_are_told(fact: Event, told: set[tuple[str, str, str]]) -> None:
    assert {(email.template, email.role, email.area) for email in emails_about(fact, NEIGHBOURS)} == told


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.type)
def test_nobody_is_told_of_one_event_twice(fact: Event) -> None:
    told = Counter((email.role, email.area) for email in emails_about(fact, NEIGHBOURS))
    assert set(told.values()) == {1}


def test_an_accession_brings_each_office_exactly_one_email() -> None:
    told = Counter((email.role, email.area) for fact in (SIGNED, JOINED) for email in emails_about(fact, NEIGHBOURS))
    assert set(told.values()) == {1}


def test_a_fact_that_nobody_needs_is_told_to_nobody() -> None:
    registered = MunicipalityRegistered(
        ags="14626480",
        name="Rothenburg/O.L.",
        kind="Stadt",
        district_key="14626",
        district="Görlitz",
        nuts3="DED2D",
        police_directorate="PD Görlitz",
        latitude=51.334,
        longitude=14.96874,
    )
    assert emails_about(registered) == []


def test_every_function_stands_at_the_event_it_is_about() -> None:
    assert all(get_type_hints(tell)["fact"] is kind for kind, tells in TOLD.items() for tell in tells)


def test_the_new_member_is_not_its_own_neighbour() -> None:
    assert _only("member_welcome", emails_about(JOINED, NEIGHBOURS)).data["neighbours"] == ["Görlitz", "Zittau"]


def test_a_member_of_another_district_is_no_neighbour() -> None:
    far = [
        Member(
            ags="14524330",
            name="Zwickau",
            district_key="14524",
            agreement_id="KV-2020-000000",
            joined_on=date(2020, 1, 1),
        )
    ]
    assert [email.template for email in emails_about(JOINED, far)] == ["member_welcome"]


def test_a_party_learns_who_signs_besides_itself() -> None:
    (ministry,) = (email for email in emails_about(READY) if email.role is Role.MINISTRY)
    assert ministry.data["party"] == "Sächsisches Staatsministerium des Innern"
    assert ministry.data["others"] == ["Rothenburg/O.L.", "Polizeidirektion Görlitz", "Landespräventionsrat Sachsen"]


def test_a_deputy_is_named_as_such() -> None:
    receipt = _only("signature_receipt", emails_about(SIGNED_BY_POLICE))
    assert receipt.data["person"] == "i. V. Jörg Muster"


def test_the_lpr_contact_learns_who_is_missing() -> None:
    progress = _only("signature_progress", emails_about(SIGNED_BY_POLICE))
    assert progress.data["missing"] == ["Landespräventionsrat Sachsen", "Sächsisches Staatsministerium des Innern"]


def test_action_fields_have_german_names_in_the_usual_order() -> None:
    assert _only("agreement_for_press", emails_about(SIGNED)).data["action_fields"] == [
        "Sachbeschädigung durch Graffiti",
        "Vermüllung öffentlicher Plätze",
        "Gewalt",
        "Extremismus",
        "Drogenmissbrauch",
    ]


@pytest.mark.parametrize(
    ("kind", "name", "title"),
    [
        ("Gemeinde", "Boxberg/O.L.", "Gemeinde Boxberg/O.L."),
        ("Stadt", "Görlitz", "Stadt Görlitz"),
        ("Stadt", "Stadt Wehlen", "Stadt Wehlen"),
        ("Kreisfreie Stadt", "Dresden", "Stadt Dresden"),
    ],
)
def test_a_municipality_is_called_by_its_kind_and_name(kind: str, name: str, title: str) -> None:
    joined = MemberJoined(
        ags="14600000",
        name=name,
        kind=kind,
        district_key="14600",
        district="Görlitz",
        police_directorate="PD Görlitz",
        agreement_id="KV-2023-7QX4M2",
        joined_on=date(2023, 1, 27),
    )
    assert _only("member_welcome", emails_about(joined)).data["title"] == title


def test_a_party_that_nobody_knows_is_an_error() -> None:
    unknown = AgreementReady(
        agreement_id="KV-2023-7QX4M2", municipalities=(ROTHENBURG,), parties=("church",), ready_on=date(2023, 1, 20)
    )
    with pytest.raises(ValueError, match="church"):
        emails_about(unknown)


def test_the_made_up_contacts_have_an_office_for_every_municipality_and_directorate() -> None:
    data = Path(operations.__file__).parent / "data"
    municipalities = _rows(data / "municipalities.csv")
    areas = {(Role.MUNICIPALITY, row["ags"]) for row in municipalities}
    areas |= {
        (role, row["police_directorate"])
        for row in municipalities
        for role in (Role.LPR_CONTACT, Role.POLICE_DIRECTORATE)
    }
    areas |= {(role, "Sachsen") for role in (Role.LPR_HEAD, Role.MINISTRY, Role.PRESS_OFFICE)}
    assert {(row["role"], row["area"]) for row in _rows(data / "contacts.csv")} == areas


def test_every_made_up_address_is_unique_and_receives_no_mail() -> None:
    contacts = _rows(Path(operations.__file__).parent / "data" / "contacts.csv")
    assert all(row["email"].isascii() and row["email"].endswith(".example") for row in contacts)
    assert len({row["email"] for row in contacts}) == len({row["id"] for row in contacts}) == len(contacts)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
