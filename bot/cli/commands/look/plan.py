"""`plan`: what the bot will do next, from the store alone."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from bot.cli.asking import waited_for
from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat
from bot.cli.screen.output import (
    EveryRow,
    Hyperlink,
    Layout,
    count_rest,
    first_rows,
    print_json,
    print_line,
    print_sentence,
    print_table,
)
from bot.cli.screen.text import NOTHING_READ, held_text, moment

if TYPE_CHECKING:
    from bot.domain.rollouts.rebuild import Rebuild
    from bot.domain.rollouts.timing.waves import Hold
    from bot.views.fleet.status import Status


def plan(
    show_all: EveryRow = False, config: ConfigFile = DEFAULT_CONFIG, output: OutputFormat = Format.TABLE
) -> None:
    """Shows what the bot will do next, when and why.

    The table has the eight rows that are due first and counts the rest; --all and --format json have every one.

    Exit codes: 0 shown, 2 settings or store cannot be read.

    Example: freshness-bot plan --format json
    """
    from bot.commands.look.status import read_status
    from bot.domain.clock import SystemClock
    from bot.settings import load

    clock = SystemClock()
    status = waited_for(read_status(load(config), clock))
    show_rebuilds(status.ahead, output, status.waits, show_all=show_all)
    if output is Format.TABLE:
        if not status.repositories:
            print_sentence(NOTHING_READ)
        show_behind(status, clock.now())


def show_rebuilds(
    rebuilds: "Sequence[Rebuild]",
    output: Format,
    waits: "Mapping[int, Hold] | None" = None,
    *,
    show_all: bool = True,
) -> None:
    """Writes what is ahead, a row for each rebuild or the first of them; `waits` says by id what some wait for."""
    waits = waits or {}
    from bot.views.rollouts.rebuilds import as_json

    if output is Format.JSON:
        print_json([as_json(rebuild, waits.get(rebuild.id)) for rebuild in rebuilds])
    elif not rebuilds:
        print_line("Nothing is planned.")
    else:
        from collections import Counter

        from bot.domain.wording.words import counted
        from bot.views.rollouts.rebuilds import what

        states = ", ".join(f"{number} {state}" for state, number in Counter(r.state for r in rebuilds).items())
        print_sentence(f"{counted(len(rebuilds), 'rebuild')} ahead: {states}")
        print_table(
            ("repository", "what", "state", "due", "why", "waits for"),
            [
                (
                    *(r.repository, Hyperlink(what(r), r.url), r.state, moment(r.due_at), r.reason),
                    held_text(waits.get(r.id)),
                )
                for r in first_rows(rebuilds, show_all=show_all)
            ],
            Layout(below=("why", "waits for")),
        )
        count_rest(len(rebuilds), show_all=show_all)


def show_behind(status: "Status", now: datetime) -> None:
    """Writes what nothing is planned for yet, since a mirror does not show it."""
    from bot.domain.wording.words import counted

    for base in status.bases:
        if base.mirror is not None and base.mirror.behind is not None:
            repositories = counted(base.repositories, "repository")
            wait = "waits" if base.repositories == 1 else "wait"
            print_sentence(f"{base.mirror.told(now)}; {repositories} {wait} for it")
