"""Settings come from the environment; every one can also be given as a file, for secrets."""

import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

import msgspec

from shared.kernel.clock import Clock, clock_as_of, system_clock

PREFIX = "ASSKOMM_"


class SettingsMissing(Exception):  # noqa: N818 -- says what is the matter
    """Settings are missing or make no sense; the message lists all of them and how to mend each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What a service needs to know about where it runs: each `ASSKOMM_<NAME>`, or a file in `ASSKOMM_<NAME>_FILE`."""

    mongo_uri: Annotated[str, "MongoDB, a replica set: mongodb://user:password@host/?replicaSet=rs0"] = field(
        repr=False
    )
    nats_url: Annotated[str, "NATS: nats://user:password@host:4222"] = field(repr=False)
    token_public_key: Annotated[str, "Ed25519 public key (PEM) that bearer tokens are checked with"]
    token_private_key: Annotated[str, "Ed25519 private key (PEM), for who issues tokens"] = field(
        default="", repr=False
    )
    certificate_key: Annotated[str, "Ed25519 private key (PEM) that certificates of agreements are signed with"] = (
        field(default="", repr=False)
    )
    certificate_retired_keys: Annotated[
        str, "Ed25519 public keys (PEM, one after the other) of certificates that hold though another key signed them"
    ] = ""
    as_of: Annotated[date | None, "run as on this day (YYYY-MM-DD); the real day when not set"] = None
    public_url: Annotated[str, "where people reach the system; links in emails begin with it"] = "http://127.0.0.1:8080"
    log_level: Annotated[str, "debug, info, warning or error"] = "info"
    smtp_host: Annotated[str, "mail server"] = "127.0.0.1"
    smtp_port: Annotated[int, "its port"] = 25
    smtp_user: Annotated[str, "user at the mail server; empty for none"] = ""
    smtp_password: Annotated[str, "password at the mail server"] = field(default="", repr=False)
    smtp_security: Annotated[
        Literal["starttls", "tls", "none"], "starttls, tls, or none for a mail sink within the same network"
    ] = "starttls"
    smtp_timeout: Annotated[float, "seconds that it may take to answer"] = 5.0
    mail_from: Annotated[str, "sender of all emails"] = "allianz@asskomm.example"

    @property
    def clock(self) -> Clock:
        """The clock of this system: the real one, or one that runs on the day `as_of`."""
        return clock_as_of(self.as_of) if self.as_of else system_clock


def read_settings(environ: Mapping[str, str] = os.environ, **given: Any) -> Settings:
    """The settings of this process; what is `given` wins over the environment.

    Raises SettingsMissing with every setting that is missing or wrong.
    """
    values, wrong = dict(given), []
    kinds = get_type_hints(Settings, include_extras=True)
    for setting in fields(Settings):
        name = PREFIX + setting.name.upper()
        kind, help = get_args(kinds[setting.name])
        try:
            text = _text(environ, name)
            if text is not None and setting.name not in given:
                values[setting.name] = msgspec.convert(text, kind, strict=False)
        except (OSError, UnicodeDecodeError, msgspec.ValidationError) as error:
            wrong.append(f"{name} ({help}): {error}")
        else:
            if setting.name not in values and setting.default is MISSING:
                wrong.append(f"{name} is not set: {help}")
    if wrong:
        raise SettingsMissing("\n".join(wrong))
    return Settings(**values)


def _text(environ: Mapping[str, str], name: str) -> str | None:
    if file := environ.get(f"{name}_FILE"):
        return Path(file).read_text(encoding="utf-8").strip()
    return environ.get(name) or None
