"""`doctor`: asks everybody whom the bot needs, and says what is missing."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat
from bot.cli.screen.output import Layout, print_json, print_sentence, print_table
from bot.cli.screen.progress import progress_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.views.doctor import HealthCheck


_MOST_SHOWN = 25
"""Rows of one area; a fleet may have a thousand of the same kind."""


def doctor(
    everything: Annotated[bool, typer.Option("--all", help="Show what is fine as well.")] = False,
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Asks everybody whom the bot needs, and says what is missing and the way out.

    GitHub's permissions with what each is for, every installation of the App, registries, feeds and their age,
    Slack, the store, clocks, repositories without a workflow that can be started, other bots that would write the
    same lines, .NET references that nobody watches, CVE data that nobody reads. It changes nothing and posts
    nothing.

    Exit code 0 where all is well, 1 where something is wrong, 2 where the settings or the store cannot be read, 3
    where something could not be told.

    Example: freshness-bot doctor --all
    """
    import asyncio

    from bot.commands.files.named_files import check_files
    from bot.commands.service.doctor import examine
    from bot.domain.clock import SystemClock
    from bot.settings import check_secrets, load
    from bot.views.doctor import as_json, exit_code

    settings = load(config)
    check_secrets(settings, config)
    check_files(settings, config)
    with progress_of("asking everybody"):
        checks = asyncio.run(examine(settings, SystemClock()))
    if output is Format.JSON:
        print_json(as_json(checks))
    else:
        show_checks(checks, everything=everything)
    if code := exit_code(checks):
        raise typer.Exit(code)


def show_checks(checks: "Sequence[HealthCheck]", *, everything: bool) -> None:
    """Writes how many are fine, and a row for each thing that is not."""
    from bot.domain.wording.words import counted
    from bot.views.doctor import Health

    candidates = [check for check in checks if everything or check.verdict is not Health.FINE]
    counts: Counter[str] = Counter()
    rows = []
    for check in candidates:
        counts[check.area] += 1
        if counts[check.area] <= _MOST_SHOWN:
            rows.append(check)
    fine = sum(check.verdict is Health.FINE for check in checks)
    print_sentence(f"{fine} of {counted(len(checks), 'check')} fine{'' if everything else '; --all shows them'}")
    if rows:
        print_table(
            ("area", "what", "is", "found", "way out"),
            [(check.area, check.subject, check.verdict, check.found, check.way_out) for check in rows],
            Layout(group=True, below=("found", "way out")),
        )
    for area, count in counts.items():
        if count > _MOST_SHOWN:
            print_sentence(f"and {count - _MOST_SHOWN} more about {area}; --format json has them all")
