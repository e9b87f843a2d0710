"""How events name what they are about."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class MunicipalityRef:
    """A municipality as an agreement names it."""

    ags: str
    name: str
    police_directorate: str
