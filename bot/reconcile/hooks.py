"""What the loop tells and asks while it works: figures for metrics, and budgets."""

from datetime import timedelta
from enum import StrEnum


class Outcome(StrEnum):
    """How the work on one claimed row has ended."""

    DONE = "done"
    FAILED = "failed"
    DEFECT = "defect"
    UNREADABLE = "unreadable"
    UNTRIED = "untried"
    """Its host pauses, or its budget is used up."""
    LOST = "lost"
    """Another worker has taken over."""


class Hooks:
    """Does nothing and allows everything; budgets and metrics override what they need."""

    def used_up(self, stage: str, host: str) -> timedelta | None:
        """Asked before each attempt: for how long the budget of the host is used up, None where it is not."""
        return None

    def ended(self, stage: str, host: str, outcome: Outcome, took: timedelta) -> None:
        """Told of each claimed row; `took` is the time of its attempt, zero where there was none."""
