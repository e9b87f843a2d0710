"""Ids that sort by time."""

import random
import secrets
import time
from uuid import UUID

# Ids have to be unique, not secret; asking the system for each costs more than all else about an event.
_random = random.Random()  # noqa: S311 -- see above

_VERSION_AND_VARIANT = (0x7 << 76) | (0x2 << 62)


def new_id(after: str = "") -> str:
    """A UUID of version 7 (RFC 9562, section 5.7), always greater than `after`.

    Ids of one aggregate's events grow with its version even where two machines disagree about the time.
    """
    milliseconds = time.time_ns() // 1_000_000
    bits = _random.getrandbits(74)
    number = milliseconds << 80 | _VERSION_AND_VARIANT | (bits >> 62) << 64 | bits & (1 << 62) - 1
    made = _text(number)
    return made if made > after else _text(UUID(after).int + 1)


def _text(number: int) -> str:
    # As `str(UUID(int=number))` has it, which takes three times as long.
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def new_trace() -> str:
    """A fresh W3C `traceparent` (version 00, sampled)."""
    return f"00-{_random.getrandbits(128):032x}-{_random.getrandbits(64):016x}-01"


# Crockford's alphabet: no letter that is read as another over the telephone.
_SPEAKABLE = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_file_number(prefix: str, year: int) -> str:
    """A file number (Aktenzeichen) such as `KV-2023-7QX4M2`, short enough to be read out."""
    return f"{prefix}-{year}-{''.join(secrets.choice(_SPEAKABLE) for _ in range(6))}"
