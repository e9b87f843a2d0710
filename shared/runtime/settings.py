"""Settings of a process, read from the environment; each can also be given as a file, for secrets."""

from collections.abc import Mapping
from dataclasses import MISSING, field, fields
from datetime import date
from pathlib import Path
from typing import Annotated, TypeAlias, TypeVar, get_args, get_type_hints

import msgspec

from shared.kernel.clock import Clock, clock_as_of, system_clock
from shared.kernel.value import value

PREFIX = "ASSKOMM_"

Environ: TypeAlias = Mapping[str, str]
"""The variables of an environment: each `ASSKOMM_<NAME>` is a setting, each `ASSKOMM_<NAME>_FILE` a file with one."""


class SettingsMissing(Exception):  # noqa: N818 -- named after its cause
    """Settings are missing or wrong; the message has one line for each, with what it should be."""


@value
class Settings:
    """The settings of every service; a service with more of them has a subclass in its settings.py."""

    mongo_uri: Annotated[str, "MongoDB, a replica set: mongodb://user:password@host/?replicaSet=rs0"] = field(
        repr=False
    )
    nats_url: Annotated[str, "NATS: nats://user:password@host:4222"] = field(repr=False)
    token_public_key: Annotated[str, "Ed25519 public key (PEM) that bearer tokens are checked with"]
    as_of: Annotated[date | None, "run as on this day (YYYY-MM-DD); the real day when not set"] = None
    public_url: Annotated[
        str, "where people reach the system; links in emails and the URIs of schemas begin with it"
    ] = "http://127.0.0.1:8080"
    log_level: Annotated[str, "debug, info, warning or error"] = "info"
    metrics_port: Annotated[int, "port on which Prometheus fetches metrics; 0 for none"] = 0
    tracing: Annotated[bool, "record spans of events, and export them as OTEL_TRACES_EXPORTER says"] = False

    @property
    def clock(self) -> Clock:
        """The real clock, or one that runs on the day `as_of`."""
        return clock_as_of(self.as_of) if self.as_of else system_clock


S = TypeVar("S", bound=Settings)


def read_settings(kind: type[S], environ: Environ) -> S:
    """Read settings of this kind; raises SettingsMissing with every one that is missing or wrong."""
    values, wrong = {}, []
    types = get_type_hints(kind, include_extras=True)
    for setting in fields(kind):
        name = PREFIX + setting.name.upper()
        type, help = get_args(types[setting.name])
        try:
            text = _text(environ, name)
            if text is not None:
                values[setting.name] = msgspec.convert(text, type, strict=False)
            elif setting.default is MISSING:
                wrong.append(f"{name} is not set: {help}")
        except (OSError, UnicodeDecodeError, msgspec.ValidationError) as error:
            wrong.append(f"{name} ({help}): {error}")
    if wrong:
        raise SettingsMissing("\n".join(wrong))
    return kind(**values)


def _text(environ: Environ, name: str) -> str | None:
    if file := environ.get(f"{name}_FILE"):
        return Path(file).read_text(encoding="utf-8").strip()
    return environ.get(name) or None
