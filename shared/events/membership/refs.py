"""References to the subjects of membership's events, and the fields that all events of one subject share."""

from typing import Annotated, ClassVar

from msgspec import Meta

from shared.events.words import Ags, FileNumber, MunicipalityKind, PoliceDirectorate, codes
from shared.kernel.value import value

PARTY_KINDS = {
    "municipality": "Kommune",
    "police_directorate": "Polizeidirektion",
    "lpr": "Landespräventionsrat Sachsen",
    "ministry": "Sächsisches Staatsministerium des Innern",
}
"""The German label of each kind of party, which a party begins with."""
FORMS = {"paper": "auf Papier", "remote": "aus der Ferne"}
"""The German label of each form of a signature."""
ENDS = {
    "expired": "Ablauf der Laufzeit",
    "merged": "Eingliederung in eine andere Kommune",
    "terminated": "Kündigung der Kooperationsvereinbarung",
}
"""The German label of each reason for which an agreement ends."""

Party = Annotated[
    str,
    Meta(
        title="Party",
        description="A party of an agreement: `municipality:<ags>`, `police_directorate:<name>`, `lpr` or `ministry`.",
        examples=["municipality:14626480", "police_directorate:PD Görlitz", "lpr", "ministry"],
        extra_json_schema={
            "pattern": "^(municipality:[0-9]{8}|police_directorate:PD .+|lpr|ministry)$",
            "x-german": PARTY_KINDS,
        },
    ),
]
SignatureForm = Annotated[str, codes("Form of a signature", FORMS, "The form in which a party signed.")]
HowEnded = Annotated[str, codes("End of an agreement", ENDS, "The reason for which an agreement ended.")]


@value
class MunicipalityRef:
    """A municipality as an agreement or an analysis names it."""

    ags: Ags
    name: str
    """The German name at the time of the event."""
    police_directorate: PoliceDirectorate
    """The police directorate that is responsible for the municipality."""
    kind: MunicipalityKind | None = None
    """The kind of municipality; null in older events."""
    name_sorbian: str | None = None
    """The Sorbian name; null without one, and in older events."""


@value
class OfMunicipality:
    """The fields of every event of a municipality; its aggregate is the `ags`."""

    type: ClassVar[str]

    ags: Ags
    """Official municipality key (Amtlicher Gemeindeschlüssel), 8 digits."""
    name: str
    """The German name at the time of the event."""
    police_directorate: PoliceDirectorate
    """The police directorate that is responsible for the municipality."""


@value
class OfAgreement:
    """The fields of every event of an agreement; its aggregate is the `agreement_id`."""

    type: ClassVar[str]

    agreement_id: FileNumber
    """The file number (Aktenzeichen) of the agreement."""
    municipalities: tuple[MunicipalityRef, ...]
    """The municipalities that the agreement covers."""
