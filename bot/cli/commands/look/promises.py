"""`promises`: how Microsoft kept what it promises of its images, as measured; nobody else is asked."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.asking import waited_for
from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat
from bot.views.bases.promises import Grouping

if TYPE_CHECKING:
    from bot.views.bases.promises import Promises


def promises(
    by: Annotated[Grouping, typer.Option("--by", help="Sum up by month and family, by family, or by base.")] = (
        Grouping.MONTH
    ),
    last: Annotated[str, typer.Option("--last", help="Only lags that began within this time.")] = "365d",
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Shows how Microsoft kept what it promises of its images.

    A .NET release the same day, measured from when the release feed first listed it; an update of the OS within
    twelve hours, measured from the image with the full distribution to the one that is cut from it. Reads the store
    alone; `import` puts recorded history there.

    Exit codes: 0 shown, 2 settings or store cannot be read.

    Example: freshness-bot promises --by base --last 90d
    """
    from bot.cli.screen.text import length
    from bot.commands.look.promises import read_promises
    from bot.domain.clock import SystemClock
    from bot.settings import load

    settings, clock = load(config), SystemClock()
    show_promises(waited_for(read_promises(settings, by, length(last, "--last"), clock)), output)


def show_promises(promises: "Promises", output: Format) -> None:
    """Writes a table for each promise."""
    from bot.cli.screen.output import print_json, print_sentence, print_table
    from bot.domain.bases.notice import PROMISES
    from bot.domain.wording.words import duration
    from bot.views.bases.promises import Grouping, as_json

    if output is Format.JSON:
        print_json(as_json(promises))
        return
    if not promises.rows:
        print_sentence(
            "Nothing was measured yet: that begins with the first release or OS update that the bot sees."
        )
        return
    names = ("month", "images") if promises.grouping is Grouping.MONTH else (promises.grouping.value,)
    for topic, promise in PROMISES.items():
        rows = [row for row in promises.rows if row.topic is topic]
        if rows:
            times, kept_times = sum(row.times for row in rows), sum(row.kept for row in rows)
            print_sentence(f"Promised: {promise.says}. Kept {kept_times} of {times} times.")
            print_table(
                (*names, "times", "kept", "median", "longest", "awaited"),
                [
                    (*row.group, row.times, row.kept, duration(row.median), duration(row.longest), row.pending)
                    for row in rows
                ],
            )
