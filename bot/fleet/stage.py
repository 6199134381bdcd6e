"""A stage, and how one of them is run."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bot.fleet.bot import Bot


@dataclass(frozen=True, slots=True)
class Stage:
    """`every` is how often it asks what is due: what is due and when stands in the store. `only_reads` where it
    changes nothing outside of the store."""

    name: str
    tick: Callable[[Bot], Awaitable[TickOutcome]]
    every: timedelta
    only_reads: bool = False


@dataclass(slots=True)
class TickOutcome:
    """What one tick did, as figures, and what went wrong, a line each; `broke` where it was cut short."""

    stage: str
    figures: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    broke: bool = False

    @property
    def did_something(self) -> bool:
        return any(self.figures.values()) or bool(self.problems)
