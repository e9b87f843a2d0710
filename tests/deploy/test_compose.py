"""docker-compose.yml as written; and, with ASSKOMM_TEST_DOCKER=1, the real containers from end to end."""

import json
import os
import re
import secrets
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from operations.demo.accessions import DAY
from operations.demo.story import ACTION_FIELDS, ROTHENBURG, SIGNATURES
from operations.services import SERVICES
from shared.nats.streams import stream_name
from shared.web.rights import Actor

ROOT = Path(__file__).parents[2]
OURS = {"operator", "setup", "secrets", *SERVICES}
PATIENCE_SECONDS = 60.0

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]

each_container = pytest.mark.parametrize("name", sorted(CONTAINERS))
each_of_ours = pytest.mark.parametrize("name", sorted(OURS))
each_service = pytest.mark.parametrize("name", sorted(SERVICES))


@each_service
def test_a_service_has_a_container_and_a_user_at_nats(name: str) -> None:
    assert CONTAINERS[name]["command"].startswith(f"serve {name} ")
    assert f"user: {name}, password: ${name}_password" in (ROOT / "deploy/nats.conf").read_text()


@each_service
def test_a_service_may_look_at_its_own_stream_and_no_other(name: str) -> None:
    [user] = re.findall(rf"user: {name},.*?subscribe:", (ROOT / "deploy/nats.conf").read_text(), re.DOTALL)
    assert re.findall(r"\$JS\.API\.STREAM\.([^\"]+)", user) == [f"INFO.{stream_name(name)}"]


@each_container
def test_ports_are_open_to_this_host_alone(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in CONTAINERS[name].get("ports", []))


@each_container
def test_a_container_can_gain_no_rights(name: str) -> None:
    container = CONTAINERS[name]
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "devices", "pid", "ipc", "userns_mode"} & set(container)
    assert "/var/run/docker.sock" not in str(container)


@each_container
def test_a_container_cannot_change_its_own_files(name: str) -> None:
    assert CONTAINERS[name]["read_only"] is True


@each_of_ours
def test_our_containers_are_not_root(name: str) -> None:
    container = CONTAINERS[name]
    assert container["image"].startswith("asskomm:")
    if name == "secrets":
        # It gives files to users, and can do nothing else.
        assert (container["cap_add"], container["network_mode"]) == (["CHOWN"], "none")
    else:
        assert not {"user", "cap_add"} & set(container)
        assert "\nUSER 10001:10001\n" in (ROOT / "Dockerfile").read_text()


@each_container
def test_no_secret_stands_in_an_environment(name: str) -> None:
    environment = CONTAINERS[name].get("environment", {})
    secret = {key: value for key, value in environment.items() if re.search("PASSWORD|_URI|NATS_URL|_KEY", key)}
    assert all(
        key.endswith("_FILE") and value.startswith(("/secrets/", "/run/secrets/")) for key, value in secret.items()
    )


@each_container
def test_a_container_sees_only_its_own_secrets(name: str) -> None:
    mounted = {volume.partition(":")[0] for volume in CONTAINERS[name].get("volumes", []) if "secrets" in volume}
    every = {volume for volume in COMPOSE["volumes"] if volume.startswith("secrets-")}
    if name == "secrets":
        assert mounted == {"./deploy/make_secrets.py", *every}
    else:
        assert mounted <= {f"secrets-{name.removesuffix('-setup')}"}
        assert all(volume.endswith(":ro") for volume in CONTAINERS[name].get("volumes", []) if "secrets" in volume)


def test_only_the_operator_can_issue_tokens() -> None:
    holders = [
        name for name, one in CONTAINERS.items() if "ASSKOMM_TOKEN_PRIVATE_KEY_FILE" in one.get("environment", {})
    ]
    assert holders == ["operator"]


def test_only_membership_can_sign_certificates() -> None:
    holders = [name for name, one in CONTAINERS.items() if "ASSKOMM_CERTIFICATE_KEY_FILE" in one.get("environment", {})]
    assert holders == ["membership"]


def test_the_image_has_the_versions_that_are_tested() -> None:
    tested, runs = _pinned("requirements.lock"), _pinned("deploy/requirements.lock")
    assert runs
    assert runs.items() <= tested.items()


def test_locks_name_no_index() -> None:
    assert not re.search(r"://|--(extra-)?index|--find-links", (ROOT / "deploy/requirements.lock").read_text())


def _pinned(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)(?:\[[^]]*\])?==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))


class Stack:
    """The whole system in containers, under its own project name and ports."""

    def __init__(self) -> None:
        names = ("MEMBERSHIP_PORT", "NOTIFICATIONS_PORT", "MAILPIT_PORT")
        self.ports = dict(zip(names, _free_ports(len(names)), strict=True))
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ASSKOMM_", "COMPOSE_"))}
        self._environ = inherited | {name: str(port) for name, port in self.ports.items()} | {"ASSKOMM_AS_OF": str(DAY)}
        self._project = f"asskomm-test-{secrets.token_hex(3)}"

    def compose(self, *arguments: str) -> str:
        """Return the output of `docker compose`; fails with its error output."""
        done = self._run("docker", "compose", "--project-name", self._project, *arguments)
        assert done.returncode == 0, f"docker compose {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def operator(self, *arguments: str) -> str:
        return self.compose("run", "--rm", "--no-TTY", "operator", *arguments).strip()

    def state(self, service: str) -> dict[str, Any]:
        """Return Docker's description of a service's container."""
        container = self.compose("ps", "--all", "--quiet", service).strip()
        found: list[dict[str, Any]] = json.loads(self._run("docker", "inspect", container).stdout)
        return found[0]

    def http(self, port: str, token: str = "") -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=f"http://127.0.0.1:{self.ports[port]}", headers=headers, timeout=30)

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=ROOT, env=self._environ, capture_output=True, text=True, check=False)


def _free_ports(count: int) -> list[int]:
    listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in listening]
    for one in listening:
        one.close()
    return ports


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """The system, built and started as a newcomer would; everything is removed afterwards."""
    if os.environ.get("ASSKOMM_TEST_DOCKER") != "1":
        pytest.skip("set ASSKOMM_TEST_DOCKER=1 to run the containers")
    running = Stack()
    try:
        running.compose("build", "--quiet")
        running.compose("up", "--wait")
        yield running
    finally:
        running.compose("--profile", "operator", "down", "--volumes", "--timeout", "5")


@pytest.mark.docker
@pytest.mark.timeout(900)
def test_an_accession_is_told_by_email_and_outlives_a_crash(stack: Stack) -> None:
    assert stack.operator("load").startswith("new: 418 municipalities")
    lpr = stack.operator("token", "--role", "lpr")
    _until("the history is told", lambda: _quiet(stack))

    agreement = _accession(stack, lpr)
    _until("the emails are sent", lambda: _quiet(stack))
    with stack.http("NOTIFICATIONS_PORT", lpr) as notifications, stack.http("MAILPIT_PORT") as mailpit:
        deliveries = notifications.get("/notifications/v1/deliveries", params={"limit": 200}).raise_for_status().json()
        mails = mailpit.get("/api/v1/messages", params={"limit": 200}).raise_for_status().json()["messages"]
    assert {one["state"] for one in deliveries["items"]} == {"sent"}
    assert {one["message_id"].strip("<>") for one in deliveries["items"]} == {mail["MessageID"] for mail in mails}
    assert len(mails) == len(deliveries["items"]) > len(SIGNATURES)

    stack.compose("exec", "-T", "membership", "python", "-c", KILL)
    _until("Docker starts it again", lambda: stack.state("membership")["RestartCount"] == 1)
    _until("it is healthy", lambda: stack.state("membership")["State"]["Health"]["Status"] == "healthy")
    with stack.http("MEMBERSHIP_PORT", lpr) as membership:
        assert membership.get(f"/membership/v1/agreements/{agreement}").json()["stage"] == "in_force"


KILL = """
import os, pathlib
for process in pathlib.Path('/proc').glob('[0-9]*'):
    if process.name != '1' and b'serve' in (process / 'cmdline').read_bytes().split(bytes(1)):
        os.kill(int(process.name), 9)
"""
"""A crash: Docker does not restart a container that was ended by `docker kill`."""


def _accession(stack: Stack, lpr: str) -> str:
    """Play everything from the draft to the last signature; return the agreement's file number."""
    with stack.http("MEMBERSHIP_PORT", lpr) as office:
        _post(office, f"/membership/v1/municipalities/{ROTHENBURG}/consultations", held_on="2023-01-12")
        fields = {"action_fields": ACTION_FIELDS}
        office.put(f"/membership/v1/municipalities/{ROTHENBURG}/action-fields", json=fields).raise_for_status()
        agreement = _post(office, "/membership/v1/agreements", municipalities=[ROTHENBURG])["id"]
        path = f"/membership/v1/agreements/{agreement}"
        _post(office, f"{path}/readiness", ready_on=str(DAY))
    for who, party, person, function in SIGNATURES:
        with stack.http("MEMBERSHIP_PORT", stack.operator("token", *_options(who))) as party_to_it:
            signed_on = {"signed_on": str(DAY), "place": "Rothenburg/O.L."}
            _post(party_to_it, f"{path}/signatures", party=party, person=person, function=function, **signed_on)
    return str(agreement)


def _options(who: Actor) -> list[str]:
    return [part for grant in who.grants for part in ("--grant", f"{grant.role}:{grant.area}")]


def _post(http: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
    answer = http.post(path, json=body)
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _quiet(stack: Stack) -> bool:
    """Check twice in a row, because an item that moves while we look may be counted nowhere."""
    return not (_busy(stack) or _busy(stack))


def _busy(stack: Stack) -> bool:
    """True if an event waits to be published or processed, or an email to be sent."""
    found = json.loads(stack.operator("status", "--json"))
    assert not any(one["parked"] for one in found.values()), found
    emails = [one["deliveries"].get(state) for one in found.values() for state in ("queued", "sending")]
    return any(one["outbox"] or one["lag"] for one in found.values()) or any(emails)


def _until(what: str, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS:.0f} s: {what}"
        time.sleep(0.5)
