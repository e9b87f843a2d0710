"""A server under strace; every file operation is recorded as a call with its data, in order."""

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from operations.embedded.servers import Mongod, NatsServer

OPENING = ("open", "openat", "creat", "close", "lseek")
WRITING = ("write", "writev", "pwrite64", "pwritev", "pwritev2", "truncate", "ftruncate", "fallocate")
NAMING = ("rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "mkdir", "mkdirat")
SYNCING = ("fsync", "fdatasync")
# If a server used one of these on its data, the record would be incomplete, so this is an error.
BEYOND = (
    "mmap",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "copy_file_range",
    "sendfile",
    "splice",
    "dup",
    "dup2",
    "dup3",
)
UNSEEN = ("io_submit", "io_uring_setup")
TRACED = ",".join((*OPENING, *WRITING, *NAMING, *SYNCING, *BEYOND, *UNSEEN))

# -D: the server stays our child, and strace ends with it. -xx: strings in hexadecimal. -y: the path of each fd.
OPTIONS = ["-D", "-f", "--seccomp-bpf", "-y", "-xx", "-ttt", "-T", "-s", "1000000000", "-e", "signal=none"]
TRACER_ENDS_WITHIN = 10.0

LINE = re.compile(r"(?P<pid>\d+) +(?P<at>\d+\.\d+) (?P<rest>.*)")
RESUMED = re.compile(r"<\.\.\. \w+ resumed>")
WHOLE = re.compile(r"(?P<name>\w+)\((?P<arguments>.*)\) += (?P<result>-?\d+|0x[0-9a-f]+)\b.*?<(?P<took>\d+\.\d+)>$")
QUOTED = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
UNFINISHED = " <unfinished ...>"


@dataclass(frozen=True, slots=True)
class Call:
    """A system call that has returned; `began` and `ended` are its positions in the order of all calls."""

    name: str
    arguments: tuple[str, ...]
    result: int
    began: int
    ended: int
    started_at: float
    finished_at: float

    @property
    def fd(self) -> int:
        """The file descriptor in its first argument."""
        return int(self.arguments[0].split("<")[0])

    @property
    def file(self) -> Path:
        """The file behind that descriptor."""
        return Path(_unquoted(self.arguments[0].split("<")[1].rstrip(">")).decode())

    @property
    def data(self) -> bytes:
        """All strings among its arguments, concatenated."""
        return b"".join(_unquoted(text) for text in QUOTED.findall(", ".join(self.arguments)))

    def path(self, at: int) -> Path:
        """Return this argument as a path; a relative one is below the folder in the previous argument."""
        name = Path(_unquoted(self.arguments[at].strip('"')).decode())
        if name.is_absolute() or at == 0:
            return name
        return Path(_unquoted(self.arguments[at - 1].split("<")[1].rstrip(">")).decode()) / name


class RecordedNats(NatsServer):
    """A nats-server traced from its first system call."""

    def _command(self) -> list[str]:
        return [*_watched(self.folder), *super()._command()]


class RecordedMongod(Mongod):
    """A mongod traced from its first system call."""

    def _command(self) -> list[str]:
        return [*_watched(self.folder), *super()._command()]


def why_not() -> str | None:
    """Return why nothing can be recorded on this machine, or None."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    probe = [*_strace(Path("/dev/null")), "true"]
    probe.remove("-D")
    outcome = subprocess.run(probe, capture_output=True, text=True, check=False)
    return f"strace does not work here: {outcome.stderr.strip()[:200]}" if outcome.returncode else None


def cut(server: RecordedNats | RecordedMongod) -> list[Call]:
    """Kill the server, and return all calls it had made by then."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    tracer = int(status.split("TracerPid:")[1].split()[0])
    server.kill()
    deadline = time.monotonic() + TRACER_ENDS_WITHIN
    while _runs(tracer) and time.monotonic() < deadline:
        time.sleep(0.005)
    with _record(server.folder).open() as lines:
        return list(_calls(lines))


def _runs(pid: int) -> bool:
    """True if the process has not ended; without a parent that reaps orphans it stays a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return False


def _calls(lines: Iterator[str]) -> Iterator[Call]:
    """Yield successful calls in the order of their return; failed ones changed nothing."""
    begun: dict[str, tuple[int, float, str]] = {}
    for place, line in enumerate(lines):
        if not (parts := LINE.match(line)):
            continue
        pid, at, rest = parts["pid"], float(parts["at"]), parts["rest"]
        start = (place, at, "")
        if rest.endswith(UNFINISHED):
            begun[pid] = (place, at, rest.removesuffix(UNFINISHED))
            continue
        if resumed := RESUMED.match(rest):
            start = begun.pop(pid, start)
            rest = start[2] + rest[resumed.end() :]
        if (whole := WHOLE.match(rest)) and not whole["result"].startswith("-"):
            yield _call(whole, start[0], place, start[1])


def _call(whole: re.Match[str], began: int, ended: int, started_at: float) -> Call:
    return Call(
        name=whole["name"],
        arguments=tuple(whole["arguments"].split(", ")),
        result=int(whole["result"], 0),
        began=began,
        ended=ended,
        started_at=started_at,
        finished_at=started_at + float(whole["took"]),
    )


def _unquoted(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _record(folder: Path) -> Path:
    return folder / "calls.log"


def _watched(folder: Path) -> list[str]:
    return _strace(_record(folder))


def _strace(record: Path) -> list[str]:
    return [shutil.which("strace") or "strace", *OPTIONS, "-e", f"trace={TRACED}", "-o", str(record)]
