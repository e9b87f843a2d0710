"""All faults, one module per kind."""

from tests.chaos.fault import FAULTS
from tests.chaos.faults import (
    backlog,
    clients,
    clocks,
    crashes,
    database,
    kills,
    mail,
    network,
    poison,
    purse,
    replica_set,
    replicas,
    sabotage,
    stops,
    streams,
    upgrade,
)

__all__ = [
    "FAULTS",
    "backlog",
    "clients",
    "clocks",
    "crashes",
    "database",
    "kills",
    "mail",
    "network",
    "poison",
    "purse",
    "replica_set",
    "replicas",
    "sabotage",
    "stops",
    "streams",
    "upgrade",
]
