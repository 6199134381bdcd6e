"""`export`, `import` and `backtest`: what has been, and what a policy would have made of it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.options import DEFAULT_CONFIG, ConfigFile

Observations = Annotated[Path | None, typer.Option("--observations", help="Observations as JSON Lines.")]
Releases = Annotated[Path | None, typer.Option("--releases", help="Releases as JSON Lines.")]


def export_log(
    observations: Observations = None, releases: Releases = None, config: ConfigFile = DEFAULT_CONFIG
) -> None:
    """Writes observations and releases to files, to keep or replay."""
    import asyncio

    from bot.cli.output import print_line
    from bot.domain.clock import SystemClock
    from bot.service.history import export_log as write
    from bot.settings import load

    moved = asyncio.run(write(load(config), observations, releases, SystemClock()))
    print_line(f"{moved.observations} observations, {moved.releases} releases written")


def import_log(
    observations: Observations = None, releases: Releases = None, config: ConfigFile = DEFAULT_CONFIG
) -> None:
    """Takes in observations and releases from files.

    Files may be plain, gz or xz. What is past sets off no rebuild.
    """
    import asyncio

    from bot.cli.output import print_line
    from bot.domain.clock import SystemClock
    from bot.service.history import import_log as read
    from bot.settings import load

    moved = asyncio.run(read(load(config), observations, releases, SystemClock()))
    print_line(
        f"{moved.observations} observations, {moved.releases} releases taken in, {moved.skipped} known already"
    )


def backtest(
    releases: Annotated[Path, typer.Option("--releases", help="Releases as JSON Lines (plain, gz or xz).")],
    observations: Annotated[
        Path | None, typer.Option("--observations", help="Observations as JSON Lines (plain, gz or xz).")
    ] = None,
    from_git: Annotated[
        Path | None, typer.Option("--from-git", help="A clone of dotnet/versions, instead of --observations.")
    ] = None,
    changes: Annotated[
        Path | None, typer.Option("--changes", help="Write the changes concluded here, as JSON Lines.")
    ] = None,
    repositories: Annotated[
        Path | None, typer.Option("--repositories", help="Usages as JSON Lines; else a fleet is made up.")
    ] = None,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="Settings whose policy is tried.")] = None,
    output: Annotated[str, typer.Option("--format", "-f", help="table, json or html")] = "table",
) -> None:
    """Replays years of history through the code that runs live.

    Tells causes, actions and delays under a policy of yours.
    """
    from bot.backtest.command import backtest as replay
    from bot.settings import load

    replay(
        releases=releases,
        out=sys.stdout,
        observations=observations,
        from_git=from_git,
        changes=changes,
        repositories=repositories,
        output_format=output,
        policy=load(config).rules if config is not None else None,
    )
