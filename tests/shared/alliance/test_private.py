"""What counts as private data in free text, and what does not."""

from typing import Annotated

import pytest
from msgspec import Meta, Struct

from operations.demo.load import rows
from shared.alliance.private import FREE_TEXT, HoldsPrivateData, free_text_fields, private_data, refuse_private_data

EMAILS = """
rathaus@rothenburg.example
Fragen an Frau.Muster+kpr@stadt-görlitz.example, bitte
<info@pd-goerlitz.polizei.example>
mailto:a@b.de
"""

TELEPHONE_NUMBERS = """
03581 / 468-0
+49 (0)3581 468-123
0170-1234567
(03581) 468-0
(0 35 81) 46 80
03581/468-0
03581/2012-123
03581 4680
03581-468123
0 35 81 / 46 80
03 58 92 - 7 72 20
Tel. 0351 564-0
Tel.: 0351/5640
Tel.-Nr. 0351 564-0
Tel.(035892) 77 20
Fax 035892-77222
Handy: 01 76 / 12 34 56 78
rufen Sie 0151 23456789 an
am 27.01.2023 unter 03581 468-0
0375 83-0
030 90 29 30
0800 1234567
0049 3581 468123
0049(0)3581-468123
+493581468123
+49-351-564-0
+420 475 123 456
00420 475123456
+43 1 51525-0
"""

IBANS = """
DE89 3704 0044 0532 0130 00
DE89370400440532013000
IBAN: de89 3704 0044 0532 0130 00 bei der Sparkasse
Spenden an CZ65 0800 0000 1920 0014 5399
"""

NOT_PRIVATE = """
KV-2023-7QX4M2
KV-2023-012345
SA-2022-000123
14626480
14626480 und 14626610
01067 Dresden
Postleitzahl 02826, 02827 und 02828
045/2023
0045/2023
00123/2023
BV/0123/2023
Beschluss Nr. 0123/2022/SR
Beschluss 03/0452/2021
Beschluss-Nr. 035/12/2022
Beschluss 03581/22
Vorlage Nr. 0815/4711
Vorlage 0352/2023
SR/0067/19/2023
VI/0123-2021
Drs. 7/12345
DS 0351/2022-2026
27.01.2023
27.1.23
2023-01-27
2023-05-03 12:30:00
am 03.05.2023, 04.06.2023 und 05.07.2023
01.01.2023 bis 05.02.2024
01.01.2020-31.12.2023
03.05./04.06.2023
03/2023-05/2024
2019/2020
Jahre 2019, 2020, 2021
09:00-17:00 Uhr
08.00 bis 12.30 Uhr
1.234.567,89 EUR
1 234 567 Euro
10000 Einwohner, 0,35 bis 0,75 Prozent
§ 12 Abs. 3
§ 3 Abs. 1 Nr. 2 SächsGemO vom 09.03.2018 (SächsGVBl. S. 62)
Az. 33-0522/47/12
Az. 33-0522/47/12-2023/0012
Az.: 0510.10-2023/0123
Aktenzeichen 0351-12.1/45
Kostenstelle 0351000
Haushaltsstelle 1.1300.658000
USt-IdNr. DE123456789
St.-Nr. 201/123/45678
Kassenzeichen 123456789012
Flurstück 123/4, Flur 5, Raum 0.123
DIN EN ISO 9001:2015, ISBN 978-3-16-148410-0
51.33123, 14.97012
DE89 3704 0044 0532 0130 01
110, 112 und 115
Treffen @ Rathaus, 18 Uhr
"""


def lines(text: str) -> list[str]:
    return text.strip().splitlines()


class Note(Struct):
    """A body with free text, alone, optional and in a list, and a field for contact data."""

    text: Annotated[str, Meta(extra=FREE_TEXT)] = ""
    more: Annotated[str, Meta(extra=FREE_TEXT)] | None = None
    topics: tuple[Annotated[str, Meta(extra=FREE_TEXT)], ...] = ()
    phone: str = ""


@pytest.mark.parametrize("text", lines(EMAILS))
def test_an_email_address_is_private(text: str) -> None:
    assert (private_data(text) or ())[:1] == ("an email address",)


@pytest.mark.parametrize("text", lines(TELEPHONE_NUMBERS))
def test_a_telephone_number_is_private(text: str) -> None:
    assert (private_data(text) or ())[:1] == ("a telephone number",)


@pytest.mark.parametrize("text", lines(IBANS))
def test_an_iban_is_private(text: str) -> None:
    assert (private_data(text) or ())[:1] == ("an IBAN",)


@pytest.mark.parametrize("text", lines(NOT_PRIVATE))
def test_the_numbers_of_an_administration_are_not_private(text: str) -> None:
    assert private_data(text) is None


def test_no_name_of_a_municipality_is_private() -> None:
    assert [row["name"] for row in rows("municipalities.csv") if private_data(f"{row['name']} ({row['ags']})")] == []


def test_every_kind_of_free_text_field_is_found() -> None:
    assert free_text_fields(Note) == ("text", "more", "topics")


@pytest.mark.parametrize("body", [Note(text="0170-1234567"), Note(more="a@b.de"), Note(topics=("KPR", "0170-1234567"))])
def test_private_data_in_free_text_is_refused(body: Note) -> None:
    with pytest.raises(HoldsPrivateData):
        refuse_private_data(body)


def test_a_field_for_contact_data_may_hold_some() -> None:
    refuse_private_data(Note(text="Az. 33-0522/47/12", phone="0170-1234567"))


def test_the_refusal_names_field_and_finding_without_repeating_it() -> None:
    with pytest.raises(HoldsPrivateData) as refusal:
        refuse_private_data(Note(text="Rufen Sie 0170-1234567 an"))
    assert str(refusal.value).startswith("text holds a telephone number (01…7), but is published")
    assert "1234567" not in str(refusal.value)
