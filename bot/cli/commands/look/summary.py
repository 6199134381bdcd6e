"""`summary`: how the fleet fared, as maintainers read it on a Monday morning."""

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.asking import asked
from bot.cli.options import DEFAULT_CONFIG, ConfigFile

if TYPE_CHECKING:
    from bot.domain.wording.message import Message
    from bot.views.fleet.summary import Summary


class SummaryFormat(StrEnum):
    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"
    SLACK = "slack"
    TEAMS = "teams"


Shown = Annotated[
    SummaryFormat,
    typer.Option(
        "--format", "-f", help="For people, for an issue or a mail, for scripts, as Slack blocks, as a card."
    ),
]
Days = Annotated[int, typer.Option("--days", metavar="NUMBER", min=1, max=366, help="How many days back it looks.")]


def summary(days: Days = 7, config: ConfigFile = DEFAULT_CONFIG, output: Shown = SummaryFormat.TEXT) -> None:
    """Sums up how the fleet fared in the last days.

    What needs you and how fresh it is come first, then the trend, what was rebuilt and why, who is waited for, how
    late upstream was, which support ends; as Slack blocks and as a card in eight lines. It reads the store alone
    and sends nothing; `schedule.summary` has the bot send it.

    Exit codes: 0 shown, 2 settings or store cannot be read.

    Example: freshness-bot summary --days 30 --format markdown
    """
    from bot.commands.look.summary import read_summary

    _show(asked(config, lambda settings, clock: read_summary(settings, clock, timedelta(days=days))), output)


def _show(summary: "Summary", output: SummaryFormat) -> None:
    from bot.cli.screen.output import print_json
    from bot.fleet.report.messages.summary import brief_summary, summary_message
    from bot.views.fleet.summary import as_json

    message = summary_message(summary)
    match output:
        case SummaryFormat.TEXT:
            _print(message)
        case SummaryFormat.JSON:
            print_json(as_json(summary))
        case SummaryFormat.MARKDOWN:
            from bot.fleet.report.markdown import markdown_of

            print(markdown_of(message), end="")
        case SummaryFormat.SLACK:
            from bot.clients.notifiers.slack_blocks import blocks_of

            print_json(blocks_of(brief_summary(summary)))
        case SummaryFormat.TEAMS:
            from bot.clients.notifiers.teams_card import card_of

            print_json(card_of(brief_summary(summary)))


def _print(message: "Message") -> None:
    """Writes the blocks as lines; a list's items are set in."""
    from bot.cli.screen.output import print_sentence
    from bot.domain.wording.message import Footnote, Heading, Items

    for block in message.blocks:
        match block:
            case Heading() | Footnote():
                print_sentence(block.text)
            case Items():
                for line in block.lines:
                    print_sentence("  " + "".join(span.text for span in line))
            case _:
                for line in block.lines:
                    print_sentence("".join(span.text for span in line))
