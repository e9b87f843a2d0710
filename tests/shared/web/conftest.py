"""People who ask the running system."""

import httpx
import pytest

from operations.demo.accessions import LPR
from operations.demo.story import POLICE
from operations.running.local import System
from tests.shared.web.client import Client


@pytest.fixture
def lpr(http: httpx.AsyncClient, system: System) -> Client:
    return Client(http, system.settings.token_private_key, LPR)


@pytest.fixture
def police(http: httpx.AsyncClient, system: System) -> Client:
    return Client(http, system.settings.token_private_key, POLICE)
