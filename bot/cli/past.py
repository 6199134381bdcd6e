"""`history`, `export`, `import` and `backtest`: what has been, and what a policy would have made of it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat


def register(app: typer.Typer) -> None:
    app.command()(history)
    app.command("export")(export_log)
    app.command("import")(import_log)
    app.command()(backtest)


def history(
    base: Annotated[str, typer.Argument(help="A base such as aspnet:10.0 or mcr.microsoft.com/dotnet/aspnet:10.0")],
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Every change of a base that the bot has seen, with its cause and evidence, and how late upstream was."""
    import asyncio

    from bot.cli.rollouts import show_history
    from bot.domain.clock import SystemClock
    from bot.service.one_off import read_history
    from bot.settings import load

    show_history(asyncio.run(read_history(load(config), base, SystemClock())), output)


Observations = Annotated[Path | None, typer.Option("--observations", help="Observations as JSON Lines.")]
Releases = Annotated[Path | None, typer.Option("--releases", help="Releases as JSON Lines.")]


def export_log(
    observations: Observations = None, releases: Releases = None, config: ConfigFile = DEFAULT_CONFIG
) -> None:
    """Writes what has been observed and released to files, to keep, to move or to replay."""
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
    """Continues the log from files (plain, gz or xz); what is past sets off no rebuild."""
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
    """Replays years of upstream history through the code that runs live: causes, actions, delays."""
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
