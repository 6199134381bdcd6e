"""`onboard`: repositories are brought to the practices by small pull requests."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat, Who, word_of
from bot.cli.screen.output import Layout, print_json, print_line, print_sentence, print_table
from bot.cli.screen.progress import progress_of
from bot.domain.wording.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.commands.rollouts.onboard import Previewed
    from bot.settings import Settings


def onboard(
    repositories: Annotated[list[str], typer.Argument(metavar="REPOSITORY", help="owner/name of the fleet.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, and what would not and why; write nothing.")
    ] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the journal.")] = "asked for by onboard",
    who: Who = None,
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Brings repositories to the practices by small pull requests.

    One at a time in each repository, with a commit for each check, of edits that are safe without a person's
    judgement; all else is advice in its text. The service, or `freshness-bot once`, opens it, within budgets and
    outside of freezes, and the next one once it is merged. A repository that closes one unmerged has declined for
    good.

    Exit codes: 0 all are taken up, or shown, 1 one is not, 2 settings or store cannot be read.

    Example: freshness-bot onboard contoso/shop --dry-run
    """
    from bot.settings import check_secrets, load

    settings = load(config)
    if dry_run:
        check_secrets(settings, config)
        _preview(settings, repositories, output)
    else:
        _take_up(settings, repositories, who, reason, output)


def _take_up(
    settings: "Settings", repositories: list[str], who: str | None, reason: str, output: OutputFormat
) -> None:
    from bot.cli.asking import waited_for
    from bot.commands.rollouts.onboard import take_up
    from bot.domain.clock import SystemClock

    answers = waited_for(take_up(settings, repositories, word_of(who, reason), SystemClock()), "taking up")
    if output is Format.JSON:
        print_json([{"repository": e.repository, "taken_up": e.is_taken_up, "why": e.why or None} for e in answers])
    else:
        print_line(f"{sum(each.is_taken_up for each in answers)} of {len(answers)} taken up")
        print_table(
            ("repository", "outcome", "why"),
            [(each.repository, "taken up" if each.is_taken_up else "left", each.why) for each in answers],
            Layout(below=("why",)),
        )
    if not all(each.is_taken_up for each in answers):
        raise typer.Exit(1)


def _preview(settings: "Settings", repositories: list[str], output: OutputFormat) -> None:
    import asyncio

    from bot.commands.rollouts.onboard import preview
    from bot.domain.clock import SystemClock

    with progress_of("judging") as progress:
        previews = asyncio.run(preview(settings, repositories, SystemClock(), progress))
    show_previews(previews, output)
    if any(each.proposal is None for each in previews):
        raise typer.Exit(1)


def show_previews(previews: "Sequence[Previewed]", output: Format) -> None:
    """Writes what each repository's next pull request changes, commit by commit, and what it leaves and why."""
    from bot.views.repositories.onboarding import as_json, commits_with_patches

    if output is Format.JSON:
        print_json([as_json(each.repository, each.proposal, each.why) for each in previews])
        return
    for preview in previews:
        commits = preview.proposal.commits if preview.proposal is not None else ()
        headline = counted(len(commits), "commit") if commits else preview.why
        print_line(f"{preview.repository}: {headline}")
        if preview.proposal is None:
            continue
        for commit, patch in commits_with_patches(preview.proposal):
            print_line("")
            print_line(f"{commit.check}: {commit.title}")
            for line in patch.splitlines():
                print_line(line)
        if preview.proposal.left_to_people:
            print_line("")
            print_line("Not done:")
            print_table(
                ("file", "line", "check", "subject", "message", "why", "advice"),
                [
                    (
                        left.place.path,
                        left.place.start,
                        left.check,
                        left.subject,
                        left.message,
                        left.reason,
                        left.advice,
                    )
                    for left in preview.proposal.left_to_people
                ],
                Layout(group=True, below=("message", "why", "advice")),
            )
        if preview.proposal.more:
            print_sentence(f"A later pull request brings {counted(preview.proposal.more, 'more place')} along.")
