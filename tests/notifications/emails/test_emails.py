from datetime import date

import pytest

from services.notifications.domain.contacts import Role
from services.notifications.domain.emails import Email
from services.notifications.domain.members import Member
from services.notifications.emails import emails_about
from shared.events.membership.agreements import AgreementReady
from shared.events.membership.members import MemberJoined
from tests.notifications.examples import JOINED, NEIGHBOURS, READY, ROTHENBURG, SIGNED, SIGNED_BY_POLICE


def _only(template: str, emails: list[Email]) -> Email:
    (email,) = (email for email in emails if email.template == template)
    return email


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
