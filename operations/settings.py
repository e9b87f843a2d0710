"""The settings of operators."""

from dataclasses import field
from typing import Annotated

from shared.kernel.value import value
from shared.runtime.settings import Settings


@value
class OperatorSettings(Settings):
    """The settings of operators, which add the key that issues tokens."""

    token_private_key: Annotated[str, "Ed25519 private key (PEM) that bearer tokens are signed with"] = field(
        default="", repr=False
    )
