"""The command line, against the running system."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from operations.demo.accessions import LPR, Staff
from operations.demo.story import ROTHENBURG
from operations.running.local import System


def asskomm(folder: Path, *words: str, status: int = 0, **environ: str) -> str:
    """Return a command's output, or its errors if it should fail."""
    command = [sys.executable, "-m", "operations.cli", *words]
    given = {"PATH": os.environ["PATH"], "ASSKOMM_VAR": str(folder), "COLUMNS": "200", **environ}
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == status, (done.stdout, done.stderr)
    return done.stdout if status == 0 else done.stderr


@pytest.fixture(scope="session")
def var(system: System) -> Path:
    """The folder with the running system's settings."""
    return system.maildir.parent


def test_help_names_every_command(tmp_path: Path) -> None:
    said = asskomm(tmp_path, "--help")
    for command in (
        "demo", "up", "serve", "setup", "load", "token", "rotate-certificate-key", "status", "verify", "audit",
        "replay", "mail", "events", "parked", "municipalities",
    ):  # fmt: skip
        assert command in said


def test_without_a_system_it_says_what_to_do(tmp_path: Path) -> None:
    said = asskomm(tmp_path, "status", status=1)
    assert "`asskomm up`" in " ".join(said.split())
    assert "Traceback" not in said


def test_where_no_embedded_system_is_its_key_for_certificates_cannot_be_replaced(tmp_path: Path) -> None:
    said = asskomm(tmp_path, "rotate-certificate-key", status=1)
    assert "docker compose run --rm secrets --rotate-certificate-key" in " ".join(said.split())


def test_settings_that_are_missing_are_all_named(tmp_path: Path) -> None:
    said = asskomm(tmp_path, "status", status=1, ASSKOMM_MONGO_URI="mongodb://127.0.0.1:1")
    assert "ASSKOMM_NATS_URL is not set" in said
    assert "ASSKOMM_TOKEN_PUBLIC_KEY is not set" in said


async def test_a_token_opens_the_door_it_is_for(var: Path, http: httpx.AsyncClient) -> None:
    token = asskomm(var, "token", "--role", "municipality", "--ags", ROTHENBURG).strip()
    headers = {"Authorization": f"Bearer {token}"}
    assert (await http.get(f"/membership/v1/municipalities/{ROTHENBURG}", headers=headers)).status_code == 200
    assert (await http.get("/membership/v1/municipalities/14626110", headers=headers)).status_code == 404


async def test_a_token_of_several_grants_opens_the_door_of_each(var: Path, http: httpx.AsyncClient) -> None:
    grants = [f"municipality:{ROTHENBURG}", "police:PD Leipzig"]
    token = asskomm(var, "token", *(word for grant in grants for word in ("--grant", grant))).strip()
    headers = {"Authorization": f"Bearer {token}"}
    for ags, status in ((ROTHENBURG, 200), ("14713000", 200), ("14626110", 404)):
        assert (await http.get(f"/membership/v1/municipalities/{ags}", headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--role", "municipality"], "a municipality: its official key"),
        (["--role", "lpr", "--ags", ROTHENBURG], f"not held in {ROTHENBURG}"),
        (["--role", "police", "--police-directorate", "PD Bautzen"], "PD Görlitz"),
        (["--grant", "police:PD Bautzen"], "PD Görlitz"),
        (["--grant", "lpr", "--grant", f"lpr:{ROTHENBURG}"], f"not held in {ROTHENBURG}"),
        (["--grant", "king"], "there is no role 'king'"),
        (["--ags", ROTHENBURG], "a --role is missing"),
        ([], "1 to 50"),
    ],
)
def test_a_token_with_a_wrong_area_is_refused_in_words(var: Path, words: list[str], said: str) -> None:
    assert said in asskomm(var, "token", *words, status=1)


def test_setting_up_and_loading_again_change_nothing(var: Path) -> None:
    asskomm(var, "setup")
    loaded = json.loads(asskomm(var, "load", "--json"))
    assert loaded == {"municipalities": 0, "consultations": 0, "agreements": 0, "contacts": 0}


def test_loading_tells_where_the_data_is_from(var: Path) -> None:
    assert "GeoNames (CC BY 4.0)" in asskomm(var, "load")


def test_status_is_readable_and_json(var: Path) -> None:
    assert "notifications" in asskomm(var, "status")
    found = json.loads(asskomm(var, "status", "--json"))
    assert set(found) == {"membership", "notifications"}
    assert set(found["membership"]) == {"events", "outbox", "lag", "parked", "retrying", "deliveries"}


async def test_a_consultation_is_seen_as_event_and_as_email(system: System, staff: Staff, var: Path) -> None:
    path = "/membership/v1/municipalities/14626390/consultations"
    assert (await staff.post(LPR, path, held_on="2023-01-20", topics=["Graffiti"])).status_code == 201
    await system.quiet()
    lines = asskomm(var, "events", "tail", "membership.*.*.14626390", "--from", "start", "--no-follow").splitlines()
    events = [json.loads(line) for line in lines]
    assert [event["type"] for event in events] == [
        "membership.municipality_registered.v1",
        "membership.consultation_held.v1",
    ]
    assert events[1]["data"]["topics"] == ["Graffiti"]

    listed = json.loads(asskomm(var, "mail", "list", "--json"))
    number = next(n for n, mail in enumerate(listed, start=1) if "14626390" in mail["subject"])
    shown = asskomm(var, "mail", "show", str(number))
    assert "Auto-Submitted: auto-generated" in shown
    assert "Graffiti" in shown
    assert '<html lang="de"' in asskomm(var, "mail", "show", str(number), "--html")


def test_an_email_that_is_not_there_is_told_in_words(var: Path) -> None:
    assert "none has number 99999" in asskomm(var, "mail", "show", "99999", status=1)


def test_tail_says_what_it_takes(var: Path) -> None:
    assert "neither start, now" in asskomm(var, "events", "tail", "--from", "yesterday", status=1)


def test_demo_as_json_is_one_object(tmp_path: Path) -> None:
    told = json.loads(asskomm(tmp_path, "demo", "--json"))
    assert set(told) == {"figures_before", "figures_after", "events", "emails", "milliseconds"}
    assert told["figures_after"]["members"] == told["figures_before"]["members"] + 1
    assert all(set(email) == {"to", "subject", "message_id"} for email in told["emails"])
    assert set(told["milliseconds"]) == {"last_signature_to_last_email", "start_to_ready"}
    assert list(tmp_path.iterdir()) == []


def test_up_runs_until_it_is_interrupted(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "ASSKOMM_VAR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "operations.cli", "up", "--port", "18080", "--as-of", "2023-01-27"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        said = ""
        for line in up.stdout:
            said += line
            if line.startswith("eyJ"):
                break
        token = said.splitlines()[-1]
        answer = httpx.get(
            "http://127.0.0.1:18080/membership/v1/alliance", headers={"Authorization": f"Bearer {token}"}, timeout=10
        )
        up.send_signal(signal.SIGINT)
        up.wait(30)
    assert answer.json()["on"] == "2023-01-27"
    assert up.returncode == 0
