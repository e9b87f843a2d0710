"""Ids that sort by time."""

import secrets
import time
from uuid import UUID

_VERSION_AND_VARIANT = (0x7 << 76) | (0x2 << 62)


def new_id(after: str = "") -> str:
    """A UUID of version 7 (RFC 9562, section 5.7), always greater than `after`.

    Ids of one aggregate's events grow with its version even where two machines disagree about the time.
    """
    milliseconds = time.time_ns() // 1_000_000
    random = secrets.randbits(74)
    number = milliseconds << 80 | _VERSION_AND_VARIANT | (random >> 62) << 64 | random & (1 << 62) - 1
    made = str(UUID(int=number))
    return made if made > after else str(UUID(int=UUID(after).int + 1))


def new_trace() -> str:
    """A fresh W3C `traceparent` (version 00, sampled)."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


# Crockford's alphabet: no letter that is read as another over the telephone.
_SPEAKABLE = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_file_number(prefix: str, year: int) -> str:
    """A file number (Aktenzeichen) such as `KV-2023-7QX4M2`, short enough to be read out."""
    return f"{prefix}-{year}-{''.join(secrets.choice(_SPEAKABLE) for _ in range(6))}"
