"""`journal`: what people told the bot to do."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.cli.asking import asked
from bot.cli.commands.rollouts.orders import Limit
from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat
from bot.cli.screen.output import Layout, print_json, print_line, print_table
from bot.cli.screen.text import moment

if TYPE_CHECKING:
    from bot.domain.rollouts.journal import Entry


def journal(limit: Limit = 50, config: ConfigFile = DEFAULT_CONFIG, output: OutputFormat = Format.TABLE) -> None:
    """Shows what people told the bot to do, who and why.

    Exit codes: 0 shown, 2 settings or store cannot be read.

    Example: freshness-bot journal --limit 10
    """
    from bot.commands.rollouts.rollouts import read_journal
    from bot.domain.wording.words import counted
    from bot.views.rollouts.rollout import entry_as_json

    entries: Sequence[Entry] = asked(config, lambda settings, clock: read_journal(settings, clock, limit))
    if output is Format.JSON:
        print_json([entry_as_json(entry) for entry in entries])
    elif not entries:
        print_line("Nobody has told the bot anything yet.")
    else:
        print_line(f"The last {counted(len(entries), 'order')}, newest first")
        print_table(
            ("at", "who", "what", "about", "why"),
            [
                (
                    moment(e.at),
                    e.word.who + (" (claimed)" if e.word.is_claimed else ""),
                    e.what,
                    e.subject,
                    e.word.reason,
                )
                for e in entries
            ],
            Layout(below=("why",)),
        )
