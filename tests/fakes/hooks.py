"""What a loop tells of its rows, kept for tests."""

from datetime import timedelta

from bot.reconcile.work import Hooks, RowOutcome


class ToldRows(Hooks):
    """Keeps in which stage each row was worked on, and how that ended."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, RowOutcome]] = []

    @property
    def stages(self) -> list[str]:
        return [stage for stage, _ in self.rows]

    def ended(self, stage: str, host: str, outcome: RowOutcome, took: timedelta) -> None:
        self.rows.append((stage, outcome))
