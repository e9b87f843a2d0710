"""All that membership keeps."""

from dataclasses import dataclass
from typing import TypeAlias

from services.membership.domain import agreement, analysis, municipality, template
from services.membership.domain.agreement import Agreement
from services.membership.domain.analysis import SecurityAnalysis
from services.membership.domain.municipality import Municipality
from services.membership.domain.people import Person
from services.membership.domain.template import Template
from services.membership.domain.term import ACTIVE
from shared.runtime.schedule import DUE_ON
from shared.runtime.service import Service
from shared.store.repository import Index, Repository

Municipalities: TypeAlias = Repository[Municipality]
Agreements: TypeAlias = Repository[Agreement]
Analyses: TypeAlias = Repository[SecurityAnalysis]
Templates: TypeAlias = Repository[Template]
People: TypeAlias = Repository[Person]


@dataclass(frozen=True)
class Records:
    """The repositories of membership."""

    municipalities: Municipalities
    agreements: Agreements
    analyses: Analyses
    templates: Templates
    people: People


def records(service: Service) -> Records:
    """The repositories of a service, with their indexes."""
    return Records(
        municipalities=service.repository(
            "municipalities",
            Municipality,
            key="ags",
            evolve=municipality.evolve,
            indexes=[Index(("stage",)), Index(("police_directorate",)), Index(("district_key",))],
        ),
        agreements=service.repository(
            "agreements",
            Agreement,
            evolve=agreement.evolve,
            indexes=[
                # At most one active agreement per municipality.
                Index(("covered",), unique=True, where={"stage": {"$in": list(ACTIVE)}}),
                Index(("municipalities.ags",)),
                Index(("municipalities.police_directorate",)),
                DUE_ON,
            ],
        ),
        analyses=service.repository(
            "analyses", SecurityAnalysis, evolve=analysis.evolve, indexes=[Index(("municipalities.ags",))]
        ),
        templates=service.repository("templates", Template, evolve=template.evolve),
        people=service.repository("people", Person),
    )
