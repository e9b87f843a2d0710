from dataclasses import replace
from datetime import date

import pytest

from services.notifications.domain.contacts import Role
from services.notifications.domain.emails import Text
from services.notifications.emails import emails_about
from services.notifications.templates import renderer
from shared.kernel.event import Event
from tests.notifications.examples import (
    ANALYSED,
    BAUTZEN,
    CONSULTED,
    CORRECTED,
    DECLINED,
    DRAFT_WITHDRAWN,
    ENDS_SOON,
    GOES_ON,
    JOINT_ENDS_SOON,
    JOINT_NOTICE,
    JOINT_RENEWED,
    LAPSED,
    LEFT,
    NEIGHBOURS,
    NOTICE,
    NOTICE_FOR_ITSELF,
    ORDERED_READY,
    OVERDUE,
    PARTIES,
    PASSED_ON,
    PIRNA,
    READY,
    RENEWED,
    ROTHENBURG,
    SIGNED,
    SIGNED_IN_ORDER,
    WITHDRAWN,
)

RENDER = renderer("https://asskomm.example")


def _text(template: str, event: Event, role: Role | None = None) -> Text:
    first = next(
        email for email in emails_about(event, NEIGHBOURS) if email.template == template and role in {None, email.role}
    )
    return RENDER(first, "Dienststelle", "membership")


def _words(template: str, event: Event, role: Role | None = None) -> str:
    """The plain text in one line."""
    return " ".join(_text(template, event, role).plain.split())


def test_who_signs_first_learns_who_signs_later_and_until_when() -> None:
    words = _words("agreement_to_sign", ORDERED_READY)
    assert "Wir bitten Sie um Ihre Unterschrift bis zum 31. März 2023." in words
    assert "Nach Ihnen unterzeichnen: - Polizeidirektion Görlitz - Landespräventionsrat Sachsen" in words
    assert "Mit Ihnen" not in words


def test_without_an_order_and_a_last_day_nobody_hears_of_them() -> None:
    words = _words("agreement_to_sign", READY)
    assert "Wir bitten Sie um Ihre Unterschrift. Sie unterzeichnen für:" in words
    assert "Nach Ihnen" not in words


def test_the_lpr_contact_learns_who_was_asked_and_who_comes_later() -> None:
    words = _words("agreement_ready", ORDERED_READY)
    assert "Um ihre Unterschrift haben wir gebeten: - Rothenburg/O.L. Danach sind an der Reihe:" in words
    assert "Danach ist an der Reihe: - Landespräventionsrat Sachsen" in _words(
        "agreement_ready", replace(READY, parties=("municipality:14626480", "lpr"), turn=("municipality:14626480",))
    )


def test_whose_turn_it_is_learns_who_signed_before_and_who_signs_after() -> None:
    words = _words("turn_to_sign", SIGNED_IN_ORDER)
    assert "Am 27. Januar 2023 hat die Polizeidirektion Görlitz unterzeichnet, jetzt sind Sie an der Reihe." in words
    assert "Nach Ihnen unterzeichnet: - Sächsisches Staatsministerium des Innern" in words


def test_whose_turn_it_is_learns_until_when() -> None:
    assert "Wir bitten Sie um Ihre Unterschrift bis zum 31. März 2023." in _words("turn_to_sign", SIGNED_IN_ORDER)
    open_end = replace(SIGNED_IN_ORDER, sign_by=None)
    assert "Wir bitten Sie um Ihre Unterschrift. " in _words("turn_to_sign", open_end)


@pytest.mark.parametrize(
    ("party", "called"),
    [
        ("municipality:14626480", "hat Rothenburg/O.L. unterzeichnet"),
        ("police_directorate:PD Görlitz", "hat die Polizeidirektion Görlitz unterzeichnet"),
        ("lpr", "hat der Landespräventionsrat Sachsen unterzeichnet"),
        ("ministry", "hat das Sächsische Staatsministerium des Innern unterzeichnet"),
    ],
)
def test_a_party_is_called_with_its_article(party: str, called: str) -> None:
    turn = next(other for other in PARTIES if other != party)
    assert called in _words("turn_to_sign", replace(SIGNED_IN_ORDER, party=party, missing=(turn,), turn=(turn,)))


def test_a_reminder_says_since_when_how_long_and_until_when() -> None:
    words = _words("signature_reminder", OVERDUE)
    assert "liegt seit dem 20. Januar 2023 zur Unterzeichnung bereit. Inzwischen sind 14 Tage vergangen" in words
    assert "bis zum 31. März 2023 zu unterzeichnen; danach ist es nicht mehr möglich." in words
    assert "Wir bitten Sie herzlich, bald zu unterzeichnen." in _words(
        "signature_reminder", replace(OVERDUE, sign_by=None)
    )


def test_the_lpr_contact_learns_who_is_missing_and_when_they_are_reminded_again() -> None:
    assert _text("signatures_missing", OVERDUE).subject.startswith("Nach 14 Tagen fehlen noch Unterschriften:")
    single = replace(OVERDUE, missing=("lpr",), due_on=date(2023, 2, 17))
    assert _text("signatures_missing", single).subject.startswith("Nach 28 Tagen fehlt noch eine Unterschrift:")
    assert "Fehlt am 17. Februar 2023 immer noch eine Unterschrift" in _words("signatures_missing", OVERDUE)


def test_no_reminder_is_announced_for_a_day_on_which_nobody_can_sign_any_more() -> None:
    last = replace(OVERDUE, sign_by=date(2023, 2, 16))
    assert "17. Februar" not in _words("signatures_missing", last)
    assert "17. Februar" in _words("signatures_missing", replace(last, sign_by=date(2023, 2, 17)))


def test_who_declined_and_why_is_said() -> None:
    assert _text("signature_declined", DECLINED).subject.startswith("Rothenburg/O.L. möchte nicht unterzeichnen:")
    assert "Grund: Der Stadtrat hat noch nicht zugestimmt." in _words("signature_declined", DECLINED)


def test_only_the_party_itself_is_asked_whether_its_signature_is_right_now() -> None:
    assert "bei Ihrer Unterzeichnung" in _words("signature_corrected", CORRECTED, Role.POLICE_DIRECTORATE)
    to_contact = _words("signature_corrected", CORRECTED, Role.LPR_CONTACT)
    assert "bei einer Unterzeichnung" in to_contact
    assert "Stimmt eine Angabe" not in to_contact


def test_what_came_to_nothing_needs_no_signature() -> None:
    for template, event in (("agreement_withdrawn", WITHDRAWN), ("agreement_lapsed", LAPSED)):
        assert "Zu unterzeichnen ist nichts mehr." in _words(template, event)
    assert "Es fehlten: - Landespräventionsrat Sachsen - Sächs" in _words("agreement_lapsed", LAPSED)
    assert "Es fehlte: - Landes" in _words("agreement_lapsed", replace(LAPSED, missing=("lpr",)))


def test_a_draft_that_is_withdrawn_was_not_to_be_signed() -> None:
    assert _text("agreement_withdrawn", DRAFT_WITHDRAWN).subject.startswith("Zurückgezogen: Entwurf der Kooperations")
    words = _words("agreement_withdrawn", DRAFT_WITHDRAWN)
    assert "die Vertragsparteien haben deshalb keine E-Mail erhalten. Grund: Die Handlungsfelder" in words
    assert "Zu unterzeichnen ist nichts mehr" not in words


def test_an_agreement_in_force_has_an_end_or_none() -> None:
    assert "gilt bis zum" not in _words("agreement_in_force", SIGNED)
    term = replace(SIGNED, ends_on=date(2026, 1, 26))
    assert "Die Vereinbarung gilt bis zum 26. Januar 2026." in _words("agreement_in_force", term)


def test_what_ends_soon_can_be_renewed_until_then() -> None:
    assert _text("agreement_ends_soon", ENDS_SOON).subject.startswith("Endet am 26.01.2026:")
    words = _words("agreement_ends_soon", ENDS_SOON)
    assert "endet am 26. Januar 2026. Bis dahin sind es noch höchstens 90 Tage." in words
    assert "Andernfalls ist Rothenburg/O.L. danach nicht mehr Mitglied" in words
    assert "Andernfalls sind Rothenburg/O.L., Bautzen und Pirna" in _words("agreement_ends_soon", JOINT_ENDS_SOON)


def test_what_is_renewed_has_a_new_end_or_none() -> None:
    assert "gilt jetzt bis zum 26. Januar 2029. Damit bleibt Roth" in _words("agreement_renewed", RENEWED)
    assert "gilt jetzt unbefristet. Damit bleiben Roth" in _words("agreement_renewed", JOINT_RENEWED)


def test_until_the_end_of_a_notice_the_agreement_stays_in_force() -> None:
    words = _words("notice_receipt", NOTICE)
    assert "Letzter Tag der Vereinbarung: 31. Dezember 2025" in words
    assert "Bis zum letzten Tag bleibt die Vereinbarung in Kraft. Danach ist Rothenburg/O.L. nicht mehr" in words
    assert "Danach sind Rothenburg/O.L., Bautzen und Pirna nicht mehr" in _words("notice_given", JOINT_NOTICE)


def test_a_notice_names_whose_agreement_it_was_and_for_whom_it_goes_on() -> None:
    subject = _text("notice_given", NOTICE_FOR_ITSELF).subject
    assert subject.startswith("Rothenburg/O.L. hat zum 31.12.2025 gekündigt: Kooperationsvereinbarung für Rothenburg/O")
    for template in ("notice_given", "notice_receipt"):
        words = _words(template, NOTICE_FOR_ITSELF)
        assert "Kooperationsvereinbarung für Rothenburg/O.L., Bautzen und Pirna" in words
        assert "- Letzter Tag für Rothenburg/O.L.: 31. Dezember 2025" in words
        assert "Bis zum letzten Tag bleibt die Vereinbarung auch für Rothenburg/O.L. in Kraft." in words
        assert "Für Bautzen und Pirna geht die Vereinbarung weiter." in words
        assert "geht die Vereinbarung weiter" not in _words(template, JOINT_NOTICE)


def test_only_who_remains_hears_that_a_notice_changes_nothing_for_it() -> None:
    nothing = "Für Sie ändert diese Kündigung nichts: Die Vereinbarung geht mit Ihnen weiter"
    assert nothing in _words("notice_given", NOTICE_FOR_ITSELF, Role.MUNICIPALITY)
    assert nothing not in _words("notice_given", NOTICE_FOR_ITSELF, Role.POLICE_DIRECTORATE)
    assert nothing not in _words("notice_given", JOINT_NOTICE, Role.MUNICIPALITY)


def test_who_remains_learns_without_whom_an_agreement_goes_on_and_why() -> None:
    assert _text("agreement_goes_on", GOES_ON).subject == (
        "Weiter ohne Rothenburg/O.L.: Kooperationsvereinbarung für Bautzen und Pirna (Az. KV-2023-3TOWNS)"
    )
    words = _words("agreement_goes_on", GOES_ON)
    assert "Rothenburg/O.L. ist aus Ihrer gemeinsamen Kooperationsvereinbarung ausgeschieden:" in words
    assert "- Letzter Tag für Rothenburg/O.L.: 31. Dezember 2025 - Grund: Kündigung der Kooperations" in words
    two = replace(GOES_ON, municipalities=(ROTHENBURG, BAUTZEN), remaining=(PIRNA,))
    assert "Rothenburg/O.L. und Bautzen sind aus" in _words("agreement_goes_on", two)


def test_a_successor_takes_the_place_of_who_was_merged() -> None:
    assert "nimmt Pirna damit den Platz von Rothenburg/O.L. ein." in _words("agreement_passed_on", PASSED_ON)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("expired", "Grund: Ablauf der Laufzeit"),
        ("terminated", "Grund: Kündigung der Kooperationsvereinbarung"),
        ("merged", "Grund: Eingliederung in eine andere Kommune"),
    ],
)
def test_everybody_learns_why_a_member_left(how: str, why: str) -> None:
    for template in ("member_farewell", "member_left", "neighbour_left"):
        assert why in _words(template, replace(LEFT, how=how))


def test_who_left_is_told_how_to_come_back_unless_it_was_merged() -> None:
    words = _words("member_farewell", LEFT)
    assert "war vom 27. Januar 2023 bis zum 31. Dezember 2025 Mitglied" in words
    assert "Möchten Sie wieder Mitglied werden" in words
    assert "wieder Mitglied" not in _words("member_farewell", replace(LEFT, how="merged"))


def test_answers_are_counted_in_german_where_there_was_a_survey() -> None:
    assert "Antworten in der Bürgerbefragung: 1.234 " in _words("security_analysis_finished", ANALYSED)
    none = replace(ANALYSED, respondents=None)
    assert "Bürgerbefragung" not in _words("security_analysis_finished", none)


def test_a_consultation_by_somebody_else_is_not_said_to_be_by_the_lpr() -> None:
    words = _words("consultation_held", replace(CONSULTED, held_by="Polizeidirektion Görlitz"))
    assert "wurde am 14. September 2022 beraten. Beraten hat: Polizeidirektion Görlitz" in words
