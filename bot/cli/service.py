"""`run`, `once`, `status`, `plan` and `explain`: the bot at work."""

import sys
from typing import Annotated

import typer

from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat


def register(app: typer.Typer) -> None:
    for command in (run, once, status, plan, explain):
        app.command()(command)


def run(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Runs the service until SIGTERM: watches bases, opens pull requests, dispatches rebuilds, reports.

    Stopping is orderly: running work finishes or gives its lease back, and the next start goes on from there.
    """
    import asyncio

    from bot.domain.clock import SystemClock
    from bot.service.logs import set_up
    from bot.service.running import serve
    from bot.service.wiring import open_bot
    from bot.settings import check_secrets, load

    settings = load(config)
    check_secrets(settings)
    set_up(settings.log)

    async def work() -> None:
        async with open_bot(settings, SystemClock()) as bot:
            await serve(bot)

    asyncio.run(work())


def once(
    config: ConfigFile = DEFAULT_CONFIG,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Look and decide, but change nothing anywhere; shows the plan.")
    ] = False,
    output: OutputFormat = Format.TABLE,
) -> None:
    """One full pass of every stage, then exits: 0 all well, 1 something needs attention."""
    import asyncio

    from bot.domain.clock import SystemClock
    from bot.service.logs import set_up
    from bot.service.one_off import pass_once, planned_only
    from bot.settings import check_secrets, load

    settings = load(config)
    check_secrets(settings)
    set_up("text", verbose=output is Format.TABLE)
    if dry_run:
        from bot.cli.rollouts import show_rebuilds

        found = asyncio.run(planned_only(settings, SystemClock()))
        show_rebuilds(found.rebuilds, output)
        sys.exit(1 if any(outcome.problems for outcome in found.outcomes) else 0)
    outcomes = asyncio.run(pass_once(settings, SystemClock()))
    if output is Format.JSON:
        from bot.cli.output import print_json

        print_json([{"stage": o.stage, **o.figures, "problems": o.problems} for o in outcomes])
    sys.exit(1 if any(outcome.problems for outcome in outcomes) else 0)


def status(config: ConfigFile = DEFAULT_CONFIG, output: OutputFormat = Format.TABLE) -> None:
    """Bases, notices, rollouts, open rebuilds and incidents as the store knows them; asks nobody else."""
    import asyncio

    from bot.cli.rollouts import show_status
    from bot.domain.clock import SystemClock
    from bot.service.one_off import read_status
    from bot.settings import load

    show_status(asyncio.run(read_status(load(config), SystemClock())), output)


def plan(config: ConfigFile = DEFAULT_CONFIG, output: OutputFormat = Format.TABLE) -> None:
    """What the bot will do next and when, with the reason for each."""
    import asyncio

    from bot.cli.rollouts import show_rebuilds
    from bot.domain.clock import SystemClock
    from bot.service.one_off import read_status
    from bot.settings import load

    found = asyncio.run(read_status(load(config), SystemClock()))
    show_rebuilds([rebuild for rebuild in found.rebuilds if rebuild.state.awaits_action], output)


def explain(
    repository: Annotated[str, typer.Argument(help="owner/name")],
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Everything the bot knows of one repository: usages, rebuilds, each transition with its reason."""
    import asyncio

    from bot.cli.rollouts import show_explanation
    from bot.domain.clock import SystemClock
    from bot.service.one_off import read_explanation
    from bot.settings import load

    today = SystemClock().now().date()
    show_explanation(asyncio.run(read_explanation(load(config), repository, SystemClock())), today, output)
