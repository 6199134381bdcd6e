"""How long the fleet's own rebuilds took."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class OwnDurations:
    """From the moment when the effect was first tried to the success: of dispatched runs, and of pull requests."""

    builds: tuple[timedelta, ...] = ()
    merges: tuple[timedelta, ...] = ()
