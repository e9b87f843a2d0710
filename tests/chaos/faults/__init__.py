"""Every fault; a module for each kind."""

from tests.chaos.fault import FAULTS
from tests.chaos.faults import crashes, kills

__all__ = ["FAULTS", "crashes", "kills"]
