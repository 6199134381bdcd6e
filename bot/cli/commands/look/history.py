"""`history`: how a base moved, from the store alone."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.asking import waited_for
from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat
from bot.cli.screen.output import Layout, print_json, print_line, print_page, print_sentence, print_table
from bot.cli.screen.text import moment

if TYPE_CHECKING:
    from bot.views.bases.base import History


def history(
    base: Annotated[
        str,
        typer.Argument(metavar="BASE", help="A base such as aspnet:10.0 or mcr.microsoft.com/dotnet/aspnet:10.0"),
    ],
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Shows when a base moved and why, which CVEs that fixed or left open, and how late upstream was.

    Exit codes: 0 shown, 2 nothing of that name is known, or settings or store cannot be read.

    Example: freshness-bot history aspnet:10.0-noble
    """
    from bot.commands.look.history import read_base_history
    from bot.domain.clock import SystemClock
    from bot.domain.wording.pages import base_path
    from bot.settings import load

    settings = load(config)
    base_history = waited_for(read_base_history(settings, base, SystemClock()))
    show_history(base_history, output)
    for moved in dict.fromkeys(change.base for change in base_history.changes):
        print_page(settings, base_path(moved), output)


def show_history(history: "History", output: Format) -> None:
    """Writes the changes of a base, and how late upstream was."""
    from bot.domain.feeds.advisory import Severity
    from bot.domain.packages.changes import moves_in_words
    from bot.domain.packages.cves.wording import cves_in_words
    from bot.domain.wording.words import counted
    from bot.views.bases.base import as_json
    from bot.views.names import short_base, short_digest

    if output is Format.JSON:
        print_json(as_json(history))
        return
    if not history.changes:
        print_line("No change of this base has been seen yet.")
    else:
        last = history.changes[-1]
        times = counted(len(history.changes), "move")
        print_sentence(f"{times} seen, the last on {moment(last.at)}: {last.cause}")
        print_table(
            ("base", "at", "cause", "severity", "to digest", "what moved", "packages", "CVEs"),
            [
                (
                    *(short_base(c.base), moment(c.at), c.cause),
                    *(Severity(c.severity).told if c.severity else "", short_digest(c.to_digest), c.detail),
                    moves_in_words(packages),
                    f"CVEs: {cve_words}" if (cve_words := cves_in_words(packages, some_told=bool(c.cves))) else "",
                )
                for c, packages in zip(history.changes, history.packages, strict=True)
            ],
            Layout(group=True, below=("what moved", "packages", "CVEs")),
        )
    if history.upstream:
        print_table(
            ("upstream", "since", "until", "what upstream did"),
            [(n.topic, moment(n.since), moment(n.until) if n.until else "", n.text) for n in history.upstream],
            Layout(below=("what upstream did",)),
        )
