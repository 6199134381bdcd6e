"""What the loop tells while it works: figures for metrics."""

from datetime import timedelta
from enum import StrEnum


class RowOutcome(StrEnum):
    """How the work on one claimed row has ended."""

    DONE = "done"
    FAILED = "failed"
    DEFECT = "defect"
    UNREADABLE = "unreadable"
    UNTRIED = "untried"
    """Its host pauses."""
    LOST = "lost"
    """Another worker has taken over."""


class Hooks:
    """Does nothing; metrics override what they need."""

    def ended(self, stage: str, host: str, outcome: RowOutcome, took: timedelta) -> None:
        """Told of each claimed row; `took` is the time of its attempt, zero where there was none."""
