"""What is logged, read from a process of its own, because logging is set up once per process."""

import json
import subprocess
import sys
from typing import Any

import pytest

PROGRAM = r"""
import asyncio, logging, structlog
from shared.runtime.log import configure_logs

configure_logs("kitchen")
log = structlog.get_logger()
log.debug("below the level")
log.info("forged", value="a\r\n{\"event\": \"forged\"}\x1b[31m\u2028\u2029\x00end", **{"a\nb": 1})
log.info("unusual", kind=object, parts={("a", 1)}, raw=b"\xff", number=float("nan"))

def fail(address):
    password = "geheim"
    raise ValueError("no such jar")

try:
    fail("rathaus@rothenburg.example")
except ValueError:
    log.exception("failed")
    logging.getLogger("library").exception("failed\r\nthere: %s", "\x1b[31m")
logging.getLogger("library").info("below the level")
structlog.contextvars.bind_contextvars(request="r-1")
log.info("bound")
logging.getLogger("library").warning("bound there")
"""

BLOCKS = r"""
import asyncio, io, os, sys, threading
import structlog
from shared.runtime.log import configure_logs

class Stream(io.RawIOBase):
    def write(self, block):
        if FULL:
            raise OSError(28, "No space left on device")
        return os.write(1, bytes(block) + b"--\n")

FULL = False
configure_logs("kitchen", stream=Stream())
log = structlog.get_logger()

async def main():
    global FULL
    for event in ("one", "two"):
        log.info(event)
    await asyncio.sleep(0)
    FULL = True
    log.info("lost")
    await asyncio.sleep(0)
    FULL = False
    log.info("frozen")
    watchdog = threading.Thread(target=log.critical, args=("the loop is frozen",))
    watchdog.start()
    watchdog.join()
    log.info("last words")
    sys.exit(3)

log.info("before")
asyncio.run(main())
"""


@pytest.fixture(scope="module")
def written() -> bytes:
    """Standard error, as it was written."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True, timeout=30)
    assert done.stdout == b""
    return done.stderr


@pytest.fixture(scope="module")
def lines(written: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.splitlines()]


def about(lines: list[dict[str, Any]], event: str) -> dict[str, Any]:
    [line] = [line for line in lines if line["event"].startswith(event)]
    return line


def test_there_is_one_line_for_each_call(lines: list[dict[str, Any]]) -> None:
    assert [line["event"] for line in lines] == [
        "forged", "unusual", "failed", "failed\r\nthere: \x1b[31m", "bound", "bound there"
    ]  # fmt: skip


def test_a_value_is_kept_as_it_is(lines: list[dict[str, Any]]) -> None:
    assert about(lines, "forged")["value"] == 'a\r\n{"event": "forged"}\x1b[31m\u2028\u2029\x00end'


def test_no_control_character_reaches_a_terminal(written: bytes) -> None:
    assert not {byte for byte in written if byte < 0x20} - {ord("\n")}


def test_every_line_says_when_how_serious_and_from_which_service(lines: list[dict[str, Any]]) -> None:
    assert all({"timestamp", "level", "service"} <= line.keys() for line in lines)
    assert {line["service"] for line in lines} == {"kitchen"}


def test_a_traceback_is_there_with_its_message(lines: list[dict[str, Any]]) -> None:
    failed = lines[2]["exception"][0]
    assert (failed["exc_type"], failed["exc_value"]) == ("ValueError", "no such jar")
    assert failed["frames"][-1]["name"] == "fail"


def test_a_traceback_is_without_local_variables(written: bytes) -> None:
    assert b"rathaus@" not in written
    assert b"geheim" not in written


def test_a_traceback_of_a_library_is_there_as_well(lines: list[dict[str, Any]]) -> None:
    assert lines[3]["exception"][0]["exc_value"] == "no such jar"


def test_both_kinds_of_lines_carry_what_is_bound(lines: list[dict[str, Any]]) -> None:
    assert [line.get("request") for line in lines[-2:]] == ["r-1", "r-1"]


def test_lines_of_one_turn_of_the_loop_are_written_at_once_and_none_is_lost() -> None:
    done = subprocess.run([sys.executable, "-c", BLOCKS], capture_output=True, check=False, timeout=30)
    blocks = [[json.loads(line)["event"] for line in one.splitlines()] for one in done.stdout.split(b"--\n")]
    assert blocks == [["before"], ["one", "two"], ["frozen", "the loop is frozen"], ["last words"], []]
    assert done.returncode == 3
