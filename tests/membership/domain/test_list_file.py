"""How the file of a list of municipalities is read, and what is said of one that cannot be."""

from importlib.resources import files

import pytest

from services.membership.domain.list_file import MAX_ROWS, UnreadableList, decode, read_list
from services.membership.domain.registry import Official

CSV = files("operations.demo").joinpath("data", "municipalities.csv").read_text(encoding="utf-8")
HEADER = "ags,name,name_sorbian,kind,district,nuts3,latitude,longitude,population_estimate,predecessors"
BAUTZEN = "14625020,Bautzen,Budyšin,Stadt,Bautzen,DED2C,51.18035,14.43494,38039,"
JAHNATAL = "14522275,Jahnatal,,Gemeinde,Mittelsachsen,DED43,51.20042,13.13106,,14522450 14522620"


def refused(*lines: str) -> str:
    """What is said of a file that is refused."""
    with pytest.raises(UnreadableList) as refusal:
        read_list("\n".join(lines))
    return str(refusal.value)


def test_a_file_is_read_with_everything_in_it() -> None:
    assert read_list(f"{HEADER}\n{BAUTZEN}\n{JAHNATAL}\n") == (
        Official(
            ags="14625020", name="Bautzen", name_sorbian="Budyšin", kind="Stadt", district="Bautzen", nuts3="DED2C",
            latitude=51.18035, longitude=14.43494, population=38039,
        ),
        Official(
            ags="14522275", name="Jahnatal", kind="Gemeinde", district="Mittelsachsen", nuts3="DED43",
            latitude=51.20042, longitude=13.13106, predecessors=("14522450", "14522620"),
        ),
    )  # fmt: skip


def test_the_list_that_we_ship_can_be_read() -> None:
    rows = read_list(CSV)
    assert len({row.ags for row in rows}) == 418
    assert {row.name for row in rows} >= {"Rothenburg/O.L.", "Kurort Oberwiesenthal", "Jahnatal"}


@pytest.mark.parametrize(
    "text",
    [
        f"\ufeff{HEADER}\n{BAUTZEN}\n",
        f"{HEADER}\r\n{BAUTZEN}\r\n",
        f"{HEADER}\n{BAUTZEN}",
        f"\n{HEADER}\n\n{BAUTZEN}\n,,,,,,,,,\n",
        f"{HEADER}\n{BAUTZEN.replace('Bautzen', ' Bautzen ')}\n",
        f"{HEADER}\n{BAUTZEN.replace('š', 's' + chr(0x30C))}\n",
    ],
    ids=["byte order mark", "CRLF", "no last line end", "blank lines", "spaces", "composed accents"],
)
def test_what_spreadsheets_make_of_a_file_does_not_matter(text: str) -> None:
    assert read_list(text) == read_list(f"{HEADER}\n{BAUTZEN}\n")


def test_the_order_of_columns_does_not_matter() -> None:
    turned = [",".join(reversed(line.split(","))) for line in (HEADER, BAUTZEN)]
    assert read_list("\n".join(turned)) == read_list(f"{HEADER}\n{BAUTZEN}")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Stadt", "Dorf", "line 2, column kind: 'Dorf' is none of Gemeinde, Stadt, Kreisfreie Stadt"),
        (",Bautzen,DED2C", ",,DED2C", "line 2, column district: '' is no district"),
        ("DED2C", "DE300", "line 2, column nuts3: 'DE300' is no region of Saxony"),
        ("51.18035", "14.43494", "line 2, column latitude: '14.43494' is no latitude in Saxony"),
        ("51.18035", "nan", "line 2, column latitude: 'nan' is no latitude in Saxony"),
        ("14.43494", '"14,43494"', "line 2, column longitude: '14,43494' is no longitude in Saxony: write degrees"),
        ("38039", "38.039", "line 2, column population_estimate: '38.039' is no number"),
        ("38039", "-1", "line 2, column population_estimate: '-1' is no number"),
        ("38039", "٣", "line 2, column population_estimate: '٣' is no number"),
        ("38039,", "38039,14625;14626", "line 2, column predecessors: '14625;14626' are no keys"),
        ("Bautzen,B", "Bautzen, Stadt,B", "line 2 has 11 columns, not 10: is there a comma without quotation marks?"),
        ("Bautzen,B", "B" * 201 + ",B", "line 2, column name is longer than 200 characters"),
        ("Bautzen,B", '"Baut\nzen",B', "line 2, column name is longer than 200 characters, or has some"),
        ("Bautzen,B", "Baut\u202ezen,B", "line 2, column name is longer than 200 characters, or has some"),
        ("Bautzen,B", '"Bautzen,B', "line 2 cannot be read (unexpected end of data): mend its quotation marks"),
        ("Bautzen,B", '"Baut"zen,B', "line 2 cannot be read"),
    ],
)
def test_an_unreadable_cell_is_reported_with_line_and_column(old: str, new: str, said: str) -> None:
    assert refused(HEADER, BAUTZEN.replace(old, new, 1), JAHNATAL).startswith(said)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (HEADER.replace(",kind", ""), "line 1, column kind is missing: add it"),
        (HEADER.replace("kind", "name"), "line 1, column kind is missing: add it\nline 1, column name comes twice"),
        (f"{HEADER},mayor", "line 1, column 'mayor' is unknown: remove it"),
        (HEADER.replace(",", ";"), "line 1 has semicolons between its columns: save the file with commas"),
        (BAUTZEN, "line 1 does not name the columns: begin the file with ags,name,name_sorbian,kind"),
        ("\n", "line 3 does not name the columns"),
    ],
)
def test_a_header_that_is_not_ours_is_refused(header: str, said: str) -> None:
    assert refused(header, BAUTZEN).startswith(said)


@pytest.mark.parametrize(
    ("column", "cell", "right"),
    [("district_key", "14626", "14625"), ("police_directorate", "PD Leipzig", "PD Görlitz")],
)
def test_what_follows_from_the_key_is_checked_where_it_is_given(column: str, cell: str, right: str) -> None:
    assert read_list(f"{HEADER},{column}\n{BAUTZEN},{right}\n") == read_list(f"{HEADER}\n{BAUTZEN}\n")
    assert f"column {column}: '{cell}' does not fit ags 14625020: write '{right}'" in refused(
        f"{HEADER},{column}", f"{BAUTZEN},{cell}"
    )


def test_keys_and_names_are_left_to_the_comparison() -> None:
    [row] = read_list(f"{HEADER},district_key\n{BAUTZEN.replace('14625020,Bautzen', '1462502,')},14625\n")
    assert (row.ags, row.name) == ("1462502", "")


def test_many_errors_are_reported_at_once_but_not_all() -> None:
    said = refused(HEADER, *[BAUTZEN.replace("Stadt", "Dorf")] * 30).splitlines()
    assert (len(said), said[0][:7], said[-1]) == (21, "line 2,", "and 10 more")


def test_a_list_has_municipalities_and_not_too_many() -> None:
    assert "the list has no municipalities" in refused(HEADER)
    assert f"the list has more than {MAX_ROWS} municipalities" in refused(HEADER, *[BAUTZEN] * (MAX_ROWS + 1))


def test_a_file_in_another_encoding_is_refused_with_the_line() -> None:
    with pytest.raises(UnreadableList, match="line 2 is not UTF-8: save the file as CSV in UTF-8"):
        decode(f"{HEADER}\n{BAUTZEN}".replace("š", "ö").encode("latin-1"))
    assert decode(CSV.encode()) == CSV


def test_nobody_living_there_means_that_the_number_is_not_known() -> None:
    (official,) = read_list(f"{HEADER}\n14522440,Olbernhau,,Stadt,Mittelsachsen,DED43,50.66,13.34,0,\n")
    assert official.population is None
