"""What membership does: one function per command or reaction."""

from dataclasses import dataclass

from services.membership.domain.agreement import Agreement
from services.membership.domain.analysis import SecurityAnalysis
from services.membership.domain.municipality import Municipality
from services.membership.domain.people import Person
from services.membership.domain.template import Template
from shared.store.repository import Repository

Municipalities = Repository[Municipality]
Agreements = Repository[Agreement]
Analyses = Repository[SecurityAnalysis]
Templates = Repository[Template]
People = Repository[Person]


@dataclass(frozen=True)
class Records:
    """All that membership keeps."""

    municipalities: Municipalities
    agreements: Agreements
    analyses: Analyses
    templates: Templates
    people: People
