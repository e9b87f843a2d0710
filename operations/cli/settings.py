"""The system that a command works on, and errors in words."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from operations.settings import OperatorSettings
    from shared.runtime.settings import Environ

console = Console(stderr=True, highlight=False)
"""The console for progress and errors; what a command answers goes to standard output."""


def folder() -> Path:
    """The data folder of the embedded system: `var`, or `ASSKOMM_VAR`."""
    return Path(os.environ.get("ASSKOMM_VAR", "var")).resolve()


def find_environ() -> "Environ":
    """The environment of this process, else that of the embedded system that was started last."""
    import msgspec  # noqa: PLC0415

    from operations.running.local import environ_file  # noqa: PLC0415
    from shared.runtime.settings import SettingsMissing  # noqa: PLC0415

    file = environ_file(folder())
    if any(name.startswith(("ASSKOMM_MONGO_URI", "ASSKOMM_NATS_URL")) for name in os.environ):
        return os.environ
    if file.exists():
        return msgspec.json.decode(file.read_bytes(), type=dict[str, str])
    raise SettingsMissing(
        f"no system is known: neither ASSKOMM_MONGO_URI and ASSKOMM_NATS_URL are set, nor is there {file}; "
        "start one with `asskomm up`, or set the variables"
    )


def find_settings() -> "OperatorSettings":
    """The settings of an operator in that environment."""
    from operations.settings import OperatorSettings  # noqa: PLC0415
    from shared.runtime.settings import read_settings  # noqa: PLC0415

    return read_settings(OperatorSettings, find_environ())


def say_error(error: Exception) -> bool:
    """Print an error that users can fix; return False for a bug, which deserves a traceback."""
    from nats.errors import Error as NatsError  # noqa: PLC0415

    from operations.embedded.servers import EmbeddedError  # noqa: PLC0415
    from shared.kernel.errors import Refused  # noqa: PLC0415
    from shared.runtime.settings import SettingsMissing  # noqa: PLC0415
    from shared.store.mongo import OUTAGES  # noqa: PLC0415

    if isinstance(error, (NatsError, ConnectionRefusedError)):
        console.print(f"NATS does not answer, or not to us: {error}", style="red", markup=False)
        console.print("Is the system running? `asskomm up` starts one here.")
    elif isinstance(error, OUTAGES):
        console.print(f"MongoDB cannot be reached: {error}", style="red", markup=False)
        console.print("Is the system running? `asskomm up` starts one here.")
    elif isinstance(error, (EmbeddedError, Refused, SettingsMissing, TimeoutError)):
        console.print(str(error), style="red", markup=False)
    else:
        return False
    return True
