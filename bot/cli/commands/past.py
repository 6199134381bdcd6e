"""`export`, `import` and `backtest`: what has been, and what a policy would have made of it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.options import CONFIG_VARIABLE, DEFAULT_CONFIG, ConfigFile

Observations = Annotated[Path | None, typer.Option("--observations", help="Observations as JSON Lines.")]
Releases = Annotated[Path | None, typer.Option("--releases", help="Releases as JSON Lines.")]


def export_log(
    observations: Observations = None, releases: Releases = None, config: ConfigFile = DEFAULT_CONFIG
) -> None:
    """Writes observations and releases to files, to keep or replay.

    Exit codes: 0 written, 2 a file cannot be.

    Example: freshness-bot export --observations seen.jsonl
    """
    from bot.cli.asking import waited_for
    from bot.cli.screen.output import print_line
    from bot.commands.history import export_log as write
    from bot.domain.clock import SystemClock
    from bot.settings import load

    moved = waited_for(write(load(config), observations, releases, SystemClock()), "writing")
    print_line(f"{moved.observations} observations, {moved.releases} releases written")


def import_log(
    observations: Observations = None,
    releases: Releases = None,
    from_git: Annotated[
        Path | None, typer.Option("--from-git", help="A clone of dotnet/versions, instead of --observations.")
    ] = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Takes in observations and releases: what bases showed before the bot watched them.

    Files may be plain, gz or xz. A whole clone of https://github.com/dotnet/versions tells every publication of
    Microsoft's images, and by that the age of digests that a fleet has pinned for long; reading it takes a minute
    or two. What is past sets off no rebuild.

    Exit codes: 0 taken in, 2 a file or clone cannot be read.

    Example: freshness-bot import --from-git versions
    """
    import asyncio

    from bot.cli.screen.output import print_line
    from bot.cli.screen.progress import progress_of
    from bot.commands.history import HistorySource
    from bot.commands.history import import_log as read
    from bot.domain.clock import SystemClock
    from bot.settings import load

    with progress_of("taking in") as progress:
        source = HistorySource(observations, releases, from_git)
        moved = asyncio.run(read(load(config), source, SystemClock(), progress))
    print_line(
        f"{moved.observations} observations, {moved.releases} releases taken in, {moved.skipped} known already"
    )


def backtest(
    releases: Annotated[
        Path | None, typer.Option("--releases", help="Releases as JSON Lines (plain, gz or xz).")
    ] = None,
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
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", envvar=CONFIG_VARIABLE, help="Settings whose policy is tried."),
    ] = None,
    build_takes: Annotated[
        str | None,
        typer.Option("--build-takes", help="How long a build takes, such as 12m."),
    ] = None,
    merge_takes: Annotated[
        str | None,
        typer.Option("--merge-takes", help="After what time a person merges, such as 4h."),
    ] = None,
    output: Annotated[str, typer.Option("--format", "-f", help="table, json or html")] = "table",
) -> None:
    """Replays years of history through the code that runs live.

    Without options it replays what the bot's own store knows, under the policy of its settings. Tells causes,
    actions and delays. Waves, soaks, freezes, write budgets, merging and
    max_age are played where the policy has them, or where one of the two lengths of time is given.

    Exit codes: 0 replayed, 2 a file or option is wrong, or the store has seen nothing yet.

    Example: freshness-bot backtest --releases r.jsonl --from-git versions
    """
    from bot.backtest.assumptions import BUILD, MERGE, Assumptions, Length
    from bot.backtest.command import backtest as replay
    from bot.backtest.running import is_played
    from bot.cli.asking import waited_for
    from bot.cli.screen.output import print_sentence
    from bot.cli.screen.progress import progress_of
    from bot.cli.screen.text import length
    from bot.commands.history import MORE, own_durations, read_kept
    from bot.domain.clock import SystemClock
    from bot.settings import Settings, load
    from bot.views.rollouts.rollout import OwnDurations

    is_own = releases is None and observations is None and from_git is None
    if is_own and config is None:
        config = DEFAULT_CONFIG
    settings = load(config) if config is not None else Settings()
    kept = waited_for(read_kept(settings, SystemClock()), "reading") if is_own else None
    build, merge = (
        (length(build_takes, "--build-takes") if build_takes is not None else None),
        (length(merge_takes, "--merge-takes") if merge_takes is not None else None),
    )
    own = waited_for(own_durations(settings, SystemClock()), "reading") if config is not None else OwnDurations()
    assumptions = Assumptions(
        Length.of(build, own.builds, BUILD),
        Length.of(merge, own.merges, MERGE),
        settings.limits.content_per_minute,
        settings.limits.content_per_hour,
    )
    is_asked = build is not None or merge is not None
    replay(
        releases=releases,
        kept=kept,
        out=sys.stdout,
        meanwhile=progress_of("replaying"),
        observations=observations,
        from_git=from_git,
        changes=changes,
        repositories=repositories,
        output_format=output,
        policy=settings.rules if config is not None else None,
        assumptions=assumptions if is_asked or is_played(settings.rules) else None,
    )
    if is_own and output == "table":
        print_sentence(f"That is what this bot's own store has seen; {MORE}.")
