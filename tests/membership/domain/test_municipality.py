from dataclasses import replace

import pytest

from services.membership.domain.milestones import Stage
from shared.events.membership.refs import MunicipalityRef
from tests.membership.examples import EVERY_STAGE, ROTHENBURG


def test_a_municipality_is_named_by_key_name_and_police_directorate() -> None:
    named = replace(ROTHENBURG, name_sorbian="Rózbork")
    assert named.ref == MunicipalityRef(
        ags="14626480", name="Rothenburg/O.L.", police_directorate="PD Görlitz", kind="Stadt", name_sorbian="Rózbork"
    )


@pytest.mark.parametrize("stage", Stage)
def test_there_is_a_way_into_every_stage(stage: Stage) -> None:
    assert EVERY_STAGE[stage].stage is stage
