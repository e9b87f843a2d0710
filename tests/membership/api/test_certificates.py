"""Certificates over HTTP, of the agreements in the running system."""

from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest

from operations.demo.accessions import LPR, Staff, Town
from operations.running.local import System
from services.membership.api.certificates import certificate_routes
from services.membership.certificate import Keyring, check, opened, read_keys
from services.membership.records import records
from services.membership.settings import MembershipSettings
from shared.events.membership.agreements import AgreementSigned, AgreementSignedByParty
from shared.runtime.service import Service
from shared.runtime.settings import read_settings
from shared.store.rows import EVENTS
from shared.web.rights import Actor, Role, actor
from shared.web.tokens import issue_token
from tests.membership.certificate.certified import FOREIGN, KEYRING, ROTATED

TOWN, WAITING, SPOILT = (Town(ags, "PD Dresden") for ags in ("14627100", "14627110", "14627130"))
ELSEWHERE = actor("office/14521010", Role.MUNICIPALITY, "14521010")


class Office:
    """Asks for certificates, as somebody, of a service with the keys that a test wants."""

    def __init__(self, system: System) -> None:
        self._private_key = system.settings.token_private_key
        self._service = Service("membership", read_settings(MembershipSettings, system.environ))
        self._agreements = records(self._service).agreements
        self.database = self._service.database

    async def get(self, path: str, *, who: Actor = LPR, keyring: Keyring = KEYRING) -> httpx.Response:
        app = self._service.application(certificate_routes(self._agreements, self.database, keyring))
        headers = {"Authorization": f"Bearer {issue_token(who, self._private_key)}"}
        transport = httpx.ASGITransport(cast("Any", app))
        async with httpx.AsyncClient(transport=transport, base_url="http://here", verify=False) as http:  # noqa: S501
            return await http.get(path, headers=headers)


@pytest.fixture(scope="module")
async def office(system: System) -> AsyncIterator[Office]:
    made = Office(system)
    made.database.open()
    yield made
    await made.database.close()


@pytest.fixture(scope="module")
async def signed(staff: Staff) -> str:
    """An agreement that all have signed."""
    return await staff.accession(TOWN)


async def test_an_agreement_in_force_has_a_certificate(office: Office, signed: str) -> None:
    answer = await office.get(f"/agreements/{signed}/certificate")
    assert (answer.status_code, check(answer.content, KEYRING.trusted)) == (200, [])
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == f'attachment; filename="{signed}.certificate.json"'
    read = opened(answer.content)
    assert read
    stored = await office.database[EVENTS].count_documents({"subject": signed})
    assert (read.agreement_id, len(read.steps), read.steps[-1].type) == (signed, stored, AgreementSigned.type)


async def test_the_same_certificate_has_the_same_bytes(office: Office, signed: str) -> None:
    first, again = [await office.get(f"/agreements/{signed}/certificate") for _ in range(2)]
    assert first.content == again.content


async def test_an_agreement_of_before_this_system_has_a_certificate(office: Office) -> None:
    [before] = await office.database["agreements"].find({"stage": "in_force", "signatures": []}).to_list(1)
    answer = await office.get(f"/agreements/{before['_id']}/certificate")
    assert (answer.status_code, check(answer.content, KEYRING.trusted)) == (200, [])


async def test_an_agreement_that_waits_for_signatures_has_none(office: Office, staff: Staff) -> None:
    agreement = await staff.ready_agreement(WAITING)
    answer = await office.get(f"/agreements/{agreement}/certificate")
    assert (answer.status_code, answer.json()["code"]) == (409, "agreement_not_in_force")


async def test_who_may_not_see_the_agreement_gets_no_certificate(office: Office, signed: str) -> None:
    answer = await office.get(f"/agreements/{signed}/certificate", who=ELSEWHERE)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await office.get(f"/agreements/{signed}/certificate", who=TOWN.office)).status_code == 200


async def test_without_a_key_it_is_said_what_to_do(office: Office, signed: str) -> None:
    answer = await office.get(f"/agreements/{signed}/certificate", keyring=Keyring.of(""))
    assert (answer.status_code, answer.json()["code"]) == (409, "no_certificate_key")
    assert "ASSKOMM_CERTIFICATE_KEY_FILE" in answer.json()["detail"]


@pytest.fixture
async def spoilt(system: System, office: Office, staff: Staff) -> AsyncIterator[str]:
    """An agreement whose rows a test may spoil; they are mended afterwards, because the world is shared."""
    agreement = await staff.accession(SPOILT)
    await system.quiet()
    events = office.database[EVENTS]
    before = await events.find({"subject": agreement}).to_list(None)
    yield agreement
    for row in before:
        await events.replace_one({"_id": row["_id"]}, row, upsert=True)


async def test_steps_that_somebody_changed_in_the_database_are_not_vouched_for(office: Office, spoilt: str) -> None:
    signature = {"subject": spoilt, "type": AgreementSignedByParty.type}
    await office.database[EVENTS].update_one(signature, {"$set": {"data.person": "M. Muster"}})
    answer = await office.get(f"/agreements/{spoilt}/certificate")
    assert (answer.status_code, answer.json()["code"]) == (409, "chain_broken")
    assert "(membership.agreement_signed_by_party.v1) was changed" in answer.json()["detail"]

    await office.database[EVENTS].delete_one({"subject": spoilt, "type": AgreementSigned.type})
    answer = await office.get(f"/agreements/{spoilt}/certificate")
    assert "its last step" in answer.json()["detail"]


async def test_the_public_keys_are_answered_the_current_one_first(office: Office) -> None:
    answer = await office.get("/certificate-keys", keyring=ROTATED)
    assert answer.json() == ROTATED.jwk_set()
    assert list(read_keys(answer.text)) == [FOREIGN.current, KEYRING.current]


async def test_the_system_has_a_key_for_certificates(system: System) -> None:
    settings = read_settings(MembershipSettings, system.environ)
    assert Keyring.of(settings.certificate_key, settings.certificate_retired_keys).current
