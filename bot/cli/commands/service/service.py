"""`run` and `once`: the bot at work."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat

if TYPE_CHECKING:
    from bot.settings import Settings


def run(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Runs the service until SIGTERM.

    It watches bases, opens pull requests, dispatches rebuilds, follows them and reports.

    Stopping is orderly: running work finishes or gives its lease back, and the next start goes on from there.
    A changed settings file or secret is taken up within seconds, or at SIGHUP, once it is valid.

    Exit codes: 0 stopped in order, 2 settings, secrets or store cannot be read.

    Example: freshness-bot run -c freshness.yaml
    """
    import asyncio

    from bot.domain.clock import SystemClock
    from bot.service.running import run as serve
    from bot.service.settings_file import SettingsFile

    file = SettingsFile.read(config)
    _tell_former_names(config, file.settings)
    asyncio.run(serve(file, SystemClock()))


def once(
    config: ConfigFile = DEFAULT_CONFIG,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Look and decide, but change nothing anywhere; shows the plan.")
    ] = False,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Makes one full pass, for cron or a first look.

    Exit codes: 0 all is well, 1 something needs attention, 2 settings, secrets or store cannot be read.

    Example: freshness-bot once --dry-run
    """
    import asyncio

    from bot.domain.clock import SystemClock
    from bot.service.logs import set_up
    from bot.service.one_off import pass_once, planned_only
    from bot.settings import check_secrets, load

    settings = load(config)
    check_secrets(settings, config)
    _tell_former_names(config, settings)
    set_up("text", verbose=output is Format.TABLE)
    if dry_run:
        from bot.cli.commands.look.plan import show_rebuilds

        plan = asyncio.run(planned_only(settings, SystemClock()))
        show_rebuilds(plan.rebuilds, output)
        if output is Format.TABLE and plan.staleness.left:
            from bot.cli.tables import show_staleness

            show_staleness(plan.staleness)
        sys.exit(1 if any(outcome.problems for outcome in plan.outcomes) else 0)
    outcomes = asyncio.run(pass_once(settings, SystemClock()))
    if output is Format.JSON:
        from bot.cli.screen.output import print_json

        print_json([{"stage": o.stage, **o.figures, "problems": o.problems} for o in outcomes])
    sys.exit(1 if any(outcome.problems for outcome in outcomes) else 0)


def _tell_former_names(config: Path, settings: "Settings") -> None:
    from bot.cli.screen.output import print_aside

    for line in settings.former_names():
        print_aside(f"{config}: {line}")
