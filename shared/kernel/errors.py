"""The tree of refusals; each service adds its own beside the rule that raises them.

Refused                     a rule does not hold                        409
├── Invalid                 the request makes no sense                  400
├── NotAllowed              this one may not do that                    403
├── NotFound                there is no such thing, or not for you      404
├── KeyReused               one Idempotency-Key for two requests        422
└── Taken                   something that may exist only once does     409

Stale                       somebody else changed it in between         412

Stale is no refusal: no rule was asked, and whoever reacts to an event tries again.
The numbers are HTTP's; shared/web/problems.py alone knows them.
"""

from typing import ClassVar, Self


class Refused(Exception):  # noqa: N818 -- a refusal is an answer, not an error
    """A rule does not hold; `code` is stable and public, the message names the values."""

    code: ClassVar[str] = "refused"


class Invalid(Refused):
    """The request makes no sense."""

    code = "invalid"


class NotAllowed(Refused):
    """The caller may see this, but not do that."""

    code = "not_allowed"


class NotFound(Refused):
    """There is no such thing, or the caller may not know of it."""

    code = "not_found"

    @classmethod
    def of(cls, kind: str, id: str) -> Self:
        """Build the refusal for an id; the text is the same for missing and forbidden things."""
        return cls(f"there is no {kind} {id}")


class KeyReused(Refused):
    """The same Idempotency-Key came with another request."""

    code = "idempotency_key_reused"


class Taken(Refused):
    """A unique thing exists already; `values` are those that clash."""

    code = "taken"

    def __init__(self, message: str, values: dict[str, str]) -> None:
        super().__init__(message)
        self.values = values


class Stale(Exception):  # noqa: N818 -- not an error either
    """Somebody else changed it since it was read."""

    code: ClassVar[str] = "stale"
