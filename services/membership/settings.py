"""The settings of membership."""

from dataclasses import field
from typing import Annotated

from shared.kernel.value import value
from shared.runtime.settings import Settings


@value
class MembershipSettings(Settings):
    """The settings of membership, which add the keys of certificates."""

    certificate_key: Annotated[str, "Ed25519 private key (PEM) that certificates of agreements are signed with"] = (
        field(default="", repr=False)
    )
    certificate_retired_keys: Annotated[
        str, "Ed25519 public keys (PEM, one after the other) of certificates that stay valid though another key signs"
    ] = ""
