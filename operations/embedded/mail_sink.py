"""An SMTP server that delivers nothing: every mail ends up in a Maildir, where people and tests can read it."""

import argparse
import asyncio
import email
import email.parser
import email.policy
import json
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import TypedDict

from aiosmtpd.smtp import SMTP, Envelope, Session

OK = "250 OK"


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """One mail as the sink received it, for one recipient of its envelope."""

    key: str
    received_at: datetime
    to: str
    subject: str
    message_id: str
    path: Path

    @property
    def message(self) -> EmailMessage:
        """The whole of it, read only now: a look at thousands of subjects needs no bodies."""
        return email.message_from_bytes(self.path.read_bytes(), policy=email.policy.default)


class Cut(TypedDict):
    """Accept and store the next mails to this address, then close the connection without an answer."""

    to: str
    times: int


class Faults(TypedDict, total=False):
    """Faults that the sink simulates: replies by recipient, one reply to everything, dropped connections."""

    refuse: dict[str, str]
    refuse_all: str
    cut_after_dot: Cut


def read_mails(maildir: Path) -> list[Mail]:
    """Every mail of the Maildir in the order of arrival."""
    paths = [path for folder in ("new", "cur") for path in (maildir / folder).glob("*.sink*")]
    return [_read_mail(path) for path in sorted(paths, key=lambda path: path.name)]


def set_faults(maildir: Path, faults: Faults) -> None:
    """Make the sink of this Maildir misbehave from its next command on; `{}` mends it."""
    path = _faults_path(maildir)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(faults))
    new.replace(path)


def _read_mail(path: Path) -> Mail:
    with path.open("rb") as file:
        head = email.parser.BytesHeaderParser(policy=email.policy.default).parse(file)
    return Mail(
        key=path.name.partition(":")[0],
        received_at=datetime.fromisoformat(head["X-Received-At"]),
        to=str(head["X-Envelope-To"]),
        subject=str(head["Subject"] or ""),
        message_id=str(head["Message-ID"] or ""),
        path=path,
    )


def _faults_path(maildir: Path) -> Path:
    return maildir.parent / "sink-faults.json"


@dataclass
class Sink:
    """The hooks that aiosmtpd calls: refuse or cut when the faults say so, else store."""

    maildir: Path
    cuts: int = field(default=0, init=False)
    _faults_stamp: tuple[int, int] | None = field(default=None, init=False)
    _last_ns: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        for folder in ("tmp", "new", "cur"):
            (self.maildir / folder).mkdir(parents=True, exist_ok=True)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd finds its hooks by these names
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Open a mail, unless everything is to be refused."""
        if answer := self._faults().get("refuse_all"):
            return answer
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return OK

    async def handle_RCPT(  # noqa: N802 - as above
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient, unless this one is to be refused."""
        if answer := self._faults().get("refuse", {}).get(address):
            return answer
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return OK

    async def handle_DATA(  # noqa: N802 - as above
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Store the mail once per recipient; cut the connection afterwards if that is asked for."""
        content = envelope.original_content or b""
        for recipient in envelope.rcpt_tos:
            self._store(recipient, content)
        if self._is_cut(envelope.rcpt_tos) and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
            # aiosmtpd cancels this coroutine when the connection is lost; returning would send an answer.
            await asyncio.Event().wait()
        return OK

    def _store(self, recipient: str, content: bytes) -> None:
        """Write to tmp and rename to new, as a Maildir wants it; without fsync, for this mail may be lost."""
        self._last_ns = max(time.time_ns(), self._last_ns + 1)
        received_at = datetime.fromtimestamp(self._last_ns / 1e9, UTC).isoformat(timespec="microseconds")
        name = f"{self._last_ns}.{os.getpid()}.sink"
        tmp = self.maildir / "tmp" / name
        tmp.write_bytes(f"X-Envelope-To: {recipient}\r\nX-Received-At: {received_at}\r\n".encode() + content)
        tmp.rename(self.maildir / "new" / name)

    def _faults(self) -> Faults:
        """Read the faults again, so that they apply from the next command on; new faults reset the counts."""
        try:
            with _faults_path(self.maildir).open() as file:
                status = os.fstat(file.fileno())
                faults: Faults = json.load(file)
        except FileNotFoundError:
            return {}
        stamp = (status.st_ino, status.st_mtime_ns)
        if stamp != self._faults_stamp:
            self._faults_stamp, self.cuts = stamp, 0
        return faults

    def _is_cut(self, recipients: Iterable[str]) -> bool:
        cut = self._faults().get("cut_after_dot")
        if cut is None or cut["to"] not in recipients or self.cuts >= cut["times"]:
            return False
        self.cuts += 1
        return True


async def serve(host: str, port: int, maildir: Path) -> None:
    """Receive mails until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stopped.set)
    sink = Sink(maildir)
    # A given hostname spares the look-up of our own name, which can take seconds.
    server = await loop.create_server(lambda: SMTP(sink, hostname="localhost", loop=loop), host, port)
    print(f"ready: smtp://{host}:{port} -> {maildir}", flush=True)  # noqa: T201 - the one line for whoever started us
    await stopped.wait()
    server.close()


def main() -> None:
    """Run the sink from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--maildir", type=Path, required=True)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.host, arguments.port, arguments.maildir))


if __name__ == "__main__":
    main()
