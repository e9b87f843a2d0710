from collections import Counter
from dataclasses import replace
from typing import get_type_hints

import pytest

from services.notifications.emails import emails_about
from services.notifications.emails.membership import EMAILS
from shared.events.membership.municipalities import MunicipalityRegistered
from shared.kernel.event import Event
from tests.notifications.examples import (
    COACHING,
    CONSULTED,
    CORRECTED,
    DECLINED,
    DRAFT_WITHDRAWN,
    ENDED,
    EVENTS,
    GOES_ON,
    INTERESTED,
    JOINED,
    JOINT_ANALYSED,
    JOINT_ENDS_SOON,
    JOINT_NOTICE,
    JOINT_READY,
    JOINT_SIGNED,
    LAPSED,
    LEFT,
    MATCHED,
    NEIGHBOURS,
    NOTICE,
    NOTICE_FOR_ITSELF,
    ORDERED_READY,
    OVERDUE,
    PASSED_ON,
    PIRNA,
    READY,
    RENEWED,
    SIGNED,
    SIGNED_BY_POLICE,
    SIGNED_IN_ORDER,
    WITHDRAWN,
)

RECIPIENTS: list[tuple[Event, set[tuple[str, str, str]]]] = [
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
    (INTERESTED, {("interest_shown", "lpr_contact", "PD Görlitz")}),
    (COACHING, {("coaching_requested", "lpr_contact", "PD Görlitz")}),
    (
        MATCHED,
        {
            ("coach_matched", "municipality", "14626480"),
            ("coach_matched", "lpr_contact", "PD Görlitz"),
        },
    ),
    (
        JOINT_ANALYSED,
        {
            ("security_analysis_finished", "municipality", "14626480"),
            ("security_analysis_finished", "municipality", "14625020"),
            ("security_analysis_finished", "municipality", "14628270"),
            ("security_analysis_finished", "lpr_contact", "PD Görlitz"),
            ("security_analysis_finished", "lpr_contact", "PD Dresden"),
        },
    ),
    (
        ORDERED_READY,
        {
            ("agreement_to_sign", "municipality", "14626480"),
            ("agreement_ready", "lpr_contact", "PD Görlitz"),
        },
    ),
    (
        SIGNED_IN_ORDER,
        {
            ("signature_receipt", "police_directorate", "PD Görlitz"),
            ("signature_progress", "lpr_contact", "PD Görlitz"),
            ("turn_to_sign", "lpr_head", "Sachsen"),
        },
    ),
    (
        OVERDUE,
        {
            ("signature_reminder", "police_directorate", "PD Görlitz"),
            ("signature_reminder", "ministry", "Sachsen"),
            ("signatures_missing", "lpr_contact", "PD Görlitz"),
        },
    ),
    (
        DECLINED,
        {
            ("signature_declined", "lpr_contact", "PD Görlitz"),
            ("signature_declined", "lpr_head", "Sachsen"),
        },
    ),
    (
        CORRECTED,
        {
            ("signature_corrected", "police_directorate", "PD Görlitz"),
            ("signature_corrected", "lpr_contact", "PD Görlitz"),
        },
    ),
    *(
        (
            event,
            {
                (template, "municipality", "14626480"),
                (template, "police_directorate", "PD Görlitz"),
                (template, "lpr_head", "Sachsen"),
                (template, "ministry", "Sachsen"),
                (template, "lpr_contact", "PD Görlitz"),
            },
        )
        for event, template in (
            (WITHDRAWN, "agreement_withdrawn"),
            (LAPSED, "agreement_lapsed"),
            (RENEWED, "agreement_renewed"),
        )
    ),
    (DRAFT_WITHDRAWN, {("agreement_withdrawn", "lpr_contact", "PD Görlitz")}),
    (
        JOINT_ENDS_SOON,
        {
            ("agreement_ends_soon", "municipality", "14626480"),
            ("agreement_ends_soon", "municipality", "14625020"),
            ("agreement_ends_soon", "municipality", "14628270"),
            ("agreement_ends_soon", "lpr_contact", "PD Görlitz"),
            ("agreement_ends_soon", "lpr_contact", "PD Dresden"),
            ("agreement_ends_soon", "lpr_head", "Sachsen"),
        },
    ),
    (
        NOTICE,
        {
            ("notice_receipt", "municipality", "14626480"),
            ("notice_given", "police_directorate", "PD Görlitz"),
            ("notice_given", "lpr_head", "Sachsen"),
            ("notice_given", "ministry", "Sachsen"),
            ("notice_given", "lpr_contact", "PD Görlitz"),
        },
    ),
    (
        JOINT_NOTICE,
        {
            ("notice_receipt", "lpr_head", "Sachsen"),
            ("notice_given", "municipality", "14626480"),
            ("notice_given", "municipality", "14625020"),
            ("notice_given", "municipality", "14628270"),
            ("notice_given", "police_directorate", "PD Görlitz"),
            ("notice_given", "police_directorate", "PD Dresden"),
            ("notice_given", "lpr_contact", "PD Görlitz"),
            ("notice_given", "lpr_contact", "PD Dresden"),
        },
    ),
    (
        NOTICE_FOR_ITSELF,
        {
            ("notice_receipt", "municipality", "14626480"),
            ("notice_given", "municipality", "14625020"),
            ("notice_given", "municipality", "14628270"),
            ("notice_given", "police_directorate", "PD Görlitz"),
            ("notice_given", "police_directorate", "PD Dresden"),
            ("notice_given", "lpr_head", "Sachsen"),
            ("notice_given", "lpr_contact", "PD Görlitz"),
        },
    ),
    (
        GOES_ON,
        {
            ("agreement_goes_on", "municipality", "14625020"),
            ("agreement_goes_on", "municipality", "14628270"),
        },
    ),
    (ENDED, set()),
    (
        PASSED_ON,
        {
            ("agreement_passed_on", "police_directorate", "PD Görlitz"),
            ("agreement_passed_on", "police_directorate", "PD Dresden"),
            ("agreement_passed_on", "lpr_contact", "PD Görlitz"),
            ("agreement_passed_on", "lpr_contact", "PD Dresden"),
        },
    ),
    (
        LEFT,
        {
            ("member_farewell", "municipality", "14626480"),
            ("member_left", "police_directorate", "PD Görlitz"),
            ("member_left", "lpr_head", "Sachsen"),
            ("member_left", "press_office", "Sachsen"),
            ("member_left", "lpr_contact", "PD Görlitz"),
            ("neighbour_left", "municipality", "14626110"),
            ("neighbour_left", "municipality", "14626610"),
        },
    ),
]


def test_every_event_in_the_table_has_its_recipients() -> None:
    assert {type(event) for event, _ in RECIPIENTS} == set(EMAILS)


@pytest.mark.parametrize(("event", "recipients"), RECIPIENTS, ids=lambda value: getattr(value, "type", ""))
def test_an_event_is_emailed_to_its_recipients(event: Event, recipients: set[tuple[str, str, str]]) -> None:
    assert {(email.template, email.role, email.area) for email in emails_about(event, NEIGHBOURS)} == recipients


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_nobody_is_emailed_twice_about_an_event(event: Event) -> None:
    recipients = Counter((email.role, email.area) for email in emails_about(event, NEIGHBOURS))
    assert set(recipients.values()) <= {1}


def test_who_left_earlier_is_not_emailed_about_a_notice() -> None:
    later = replace(NOTICE_FOR_ITSELF, remaining=(PIRNA,))
    recipients = {email.area for email in emails_about(later) if email.role == "municipality"}
    assert recipients == {"14626480", "14628270"}


def test_an_accession_brings_each_office_exactly_one_email() -> None:
    recipients = Counter(
        (email.role, email.area) for event in (SIGNED, JOINED) for email in emails_about(event, NEIGHBOURS)
    )
    assert set(recipients.values()) == {1}


def test_an_event_outside_the_table_is_emailed_to_nobody() -> None:
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
    assert all(get_type_hints(tell)["event"] is kind for kind, tells in EMAILS.items() for tell in tells)
