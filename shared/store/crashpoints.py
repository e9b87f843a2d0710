"""Named points where a crash would matter, so that tests can end the process exactly there."""

import os
import signal
from collections import Counter

VARIABLE = "ASSKOMM_CRASH"
"""`name:n` kills this process with SIGKILL when it passes point `name` for the n-th time; for tests."""

_hits: Counter[str] = Counter()
_name, _, _count = os.environ.get(VARIABLE, "").partition(":")


def crashpoint(name: str) -> None:
    """Do nothing, unless a test has asked for the process to die here."""
    if name != _name:
        return
    _hits[name] += 1
    if _hits[name] == int(_count or 1):
        os.kill(os.getpid(), signal.SIGKILL)
