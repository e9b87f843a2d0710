"""Districts of Saxony and the police directorates (Polizeidirektionen) that they belong to."""

from shared.kernel.errors import Invalid

_POLICE_DIRECTORATES = {
    "PD Chemnitz": ("14511", "14521", "14522"),
    "PD Dresden": ("14612", "14627", "14628"),
    "PD Görlitz": ("14625", "14626"),
    "PD Leipzig": ("14713", "14729", "14730"),
    "PD Zwickau": ("14523", "14524"),
}
POLICE_DIRECTORATES = tuple(_POLICE_DIRECTORATES)
"""The names of all police directorates, as events and areas of people spell them."""

POLICE_DIRECTORATE_OF = {key: name for name, keys in _POLICE_DIRECTORATES.items() for key in keys}
"""The police directorate of each district, by district key: the first five digits of an `ags`."""


class UnknownDistrict(Invalid):
    """The key belongs to no district of Saxony."""

    code = "unknown_district"


def police_directorate_of(ags: str, name: str) -> str:
    """The police directorate of the municipality `name` with the key `ags`; raises UnknownDistrict."""
    district_key = ags[:5]
    if district_key not in POLICE_DIRECTORATE_OF:
        raise UnknownDistrict(f"{name} ({ags}) lies in no district of Saxony: there is no {district_key}")
    return POLICE_DIRECTORATE_OF[district_key]


def police_in_german(name: str) -> str:
    """`Polizeidirektion Görlitz` for `PD Görlitz`."""
    return f"Polizeidirektion {name.removeprefix('PD ')}"
