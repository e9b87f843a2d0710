"""The settings of operators."""

from dataclasses import field
from typing import Annotated

from shared.kernel.value import value
from shared.runtime.settings import Settings


@value
class OperatorSettings(Settings):
    """What operators need besides: the key to issue tokens with."""

    token_private_key: Annotated[str, "Ed25519 private key (PEM) that bearer tokens are signed with"] = field(
        default="", repr=False
    )
