"""Lists in parts, with opaque cursors."""

import base64
import binascii
from typing import Annotated, Generic, TypeVar

import msgspec
from litestar.params import QueryParameter

from shared.kernel.errors import Invalid
from shared.store.repository import Page

T = TypeVar("T")

# Litestar does not check a Meta within FromQuery.
Limit = Annotated[int, QueryParameter(ge=1, le=200)]
"""The greatest number of items wanted."""


class Listing(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A part of a list; `next` is the cursor of the next part, null at the end."""

    items: list[T]
    next: str | None


def listing(page: Page[T]) -> Listing[T]:
    """Return a page as it is answered, with an opaque cursor."""
    cursor = base64.urlsafe_b64encode(page.next.encode()).decode() if page.next else None
    return Listing(items=page.items, next=cursor)


def cursor_place(cursor: str | None) -> str | None:
    """Return the id that a cursor stands for; raises Invalid if no list of ours answered it."""
    try:
        # Without `validate`, other characters are skipped, and the list would start again.
        return base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True).decode() if cursor else None
    except (binascii.Error, UnicodeError) as error:
        raise Invalid(f"cursor {cursor!r} is not one that a list answered as `next`") from error
