"""The steps of rebuilds as the commands show them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bot.cli.screen.output import Hyperlink, Layout, print_table
from bot.cli.screen.text import moment

if TYPE_CHECKING:
    from bot.domain.rollouts.rebuild import Rebuild
    from bot.domain.rollouts.steps import StepRun


def print_steps(steps: "Iterable[tuple[Rebuild, StepRun]]") -> None:
    """Writes a row for each step, below the rebuild that it belongs to; nothing where there are none."""
    rows = [
        (
            f"rebuild {rebuild.id}, {rebuild.repository}",
            *(step.step.name, step.followed, step.home.name, step.state, moment(step.began_at)),
            Hyperlink("run" if step.run is None else f"run {step.run}", step.url) if step.url else None,
            step.reason,
        )
        for rebuild, step in steps
    ]
    if rows:
        columns = ("rebuild", "step", "workflow", "in", "state", "began", "run", "why")
        print_table(columns, rows, Layout(group=True, below=("why",)))
