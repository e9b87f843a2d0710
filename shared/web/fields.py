"""Base classes and field types of request bodies, validated on arrival."""

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from shared.alliance.private import FREE_TEXT, refuse_private_data
from shared.kernel.errors import Invalid

# In every pattern: `$` alone lets a final line break pass. Here: no control characters, no line separators.
_LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$(?!\n)"
Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=_LINE, extra=FREE_TEXT)]
"""A line of free text, without private data."""
PrivateLine = Annotated[str, Meta(min_length=1, max_length=200, pattern=_LINE)]
"""A line that may hold contact data, because it goes into no event."""
# No control characters but line breaks.
Text = Annotated[
    str,
    Meta(min_length=1, max_length=40_000, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f]*$(?!\n\n)", extra=FREE_TEXT),
]
"""A text of several lines, without private data."""
Name = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,40}$(?!\n)")]
"""An id that people choose, such as that of a template."""
Ags = Annotated[str, Meta(pattern=r"^[0-9]{8}$(?!\n)")]
"""The official key of a municipality."""
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
# Stricter than RFC 5321 on purpose: quoted local parts have smuggled commands into SMTP sessions.
Email = Annotated[
    str, Meta(max_length=254, pattern=r"^[A-Za-z0-9._+-]{1,64}@([A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}$(?!\n)")
]
"""The address of an office."""


FIRST_DAY, LAST_DAY = date(1800, 1, 1), date(2999, 12, 31)
"""Days outside are slips of the pen; months added to the last days of the calendar would leave it."""


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a request; refuses fields that it does not name, private data in free text, and absurd days."""

    def __post_init__(self) -> None:
        refuse_private_data(self)
        for name in self.__struct_fields__:
            day = getattr(self, name)
            if isinstance(day, date) and not FIRST_DAY <= day <= LAST_DAY:
                raise Invalid(f"{name} is {day}: give a day from {FIRST_DAY} to {LAST_DAY}")
