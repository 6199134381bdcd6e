"""`retire`: the bot leaves, and cleans up behind it."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat, Who, word_of
from bot.cli.screen.output import Hyperlink, Layout, print_json, print_line, print_sentence, print_table
from bot.cli.screen.progress import progress_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.fleet.act.retiring.retire import Retired


def retire(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look, and tell what would be done.")] = False,
    reason: Annotated[
        str | None, typer.Option("--reason", help="Why; kept in the journal and told. Only --dry-run needs none.")
    ] = None,
    who: Who = None,
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Closes what the bot has opened, deletes its branches, and leaves a list.

    All rebuilds end and everything is paused, as by `pause --all`. Open pull requests and the bot's issues are
    closed, with the reason; branches that hold its commits alone are deleted, others are kept and named. What was
    merged stays. Stop the service first. It can be called again: what is gone is not named any more.

    Exit codes: 0 all is done, 1 something could not be, 2 settings or store cannot be read, or no reason is given.

    Example: freshness-bot retire --dry-run
    """
    import asyncio

    from bot.commands.service.leaving import retire_all
    from bot.domain.clock import SystemClock
    from bot.domain.failure import Failure, Trouble
    from bot.fleet.act.retiring.retire import TraceOutcome
    from bot.settings import check_secrets, load

    settings = load(config)
    if reason is None and not dry_run:
        fault = "--reason is missing, and what is closed and deleted does not come back"
        raise Failure(Trouble.MISSING, fault, advice="look with --dry-run, then say why")
    check_secrets(settings, config)
    word = None if dry_run else word_of(who, reason or "")
    with progress_of("cleaning up") as progress:
        traces = asyncio.run(retire_all(settings, word, SystemClock(), progress))
    if output is Format.JSON:
        print_json(
            [
                {
                    "repository": r.repository,
                    "what": r.what,
                    "outcome": r.outcome,
                    "url": r.url,
                    "why": r.why or None,
                }
                for r in traces
            ]
        )
    else:
        _show(traces, dry_run=dry_run)
    if any(each.outcome is TraceOutcome.FAILED for each in traces):
        raise typer.Exit(1)


def _entry(trace: "Retired") -> dict[str, str | None]:
    return {
        "repository": trace.repository,
        "what": trace.what,
        "outcome": trace.outcome,
        "url": trace.url,
        "why": trace.why or None,
    }


def _show(traces: "Sequence[Retired]", *, dry_run: bool) -> None:
    from collections import Counter

    if not traces:
        print_line("Nothing of the bot is left open anywhere.")
        return
    counts = Counter(each.outcome for each in traces)
    counts_in_words = ", ".join(f"{count:,} {outcome}" for outcome, count in counts.items())
    print_sentence(f"{'Would be: ' if dry_run else ''}{counts_in_words}.")
    print_table(
        ("repository", "what", "outcome", "why"),
        [(r.repository, Hyperlink(r.what, r.url), r.outcome, r.why) for r in traces],
        Layout(below=("why",)),
    )
