"""`exposure`: how long what runs was exposed to CVEs, why, and which promises were kept."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.asking import waited_for
from bot.cli.options import DEFAULT_CONFIG, ConfigFile

if TYPE_CHECKING:
    from bot.views.running.report import ExposureReport

_MOST_SHOWN = 50


class ReportFormat(StrEnum):
    """How the report is printed: for people, scripts or spreadsheets."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


Choice = Annotated[ReportFormat, typer.Option("--format", "-f", help="For people, scripts or spreadsheets.")]
Days = Annotated[int, typer.Option("--days", metavar="NUMBER", min=1, max=90, help="How many days back it looks.")]


def exposure(days: Days = 7, config: ConfigFile = DEFAULT_CONFIG, output: Choice = ReportFormat.TABLE) -> None:
    """Sums up how long what runs was exposed, and why.

    Days are added up over places, by severity, team and what the fix waited for. A moment of a place counts once in
    each sum, what is not known in none. `fix_within` in the policy has promises judged.

    Exit codes: 0 shown, 2 settings or store cannot be read.

    Example: freshness-bot exposure --days 30 --format csv
    """
    from bot.commands.images.exposure import read_report
    from bot.domain.clock import SystemClock
    from bot.settings import load

    _show(waited_for(read_report(load(config), days, SystemClock())), output)


def _show(report: "ExposureReport", output: ReportFormat) -> None:
    from bot.cli.screen.output import print_json

    if output is ReportFormat.TABLE:
        show_report(report)
    elif output is ReportFormat.JSON:
        from bot.views.running.report import as_json

        print_json(as_json(report))
    else:
        import sys

        from bot.views.running.report import COLUMNS, table
        from bot.views.spreadsheet import as_csv

        sys.stdout.write(as_csv(COLUMNS, table(report)))


def show_report(report: "ExposureReport") -> None:
    """Writes the verdict, the sums, the promises, the trend, and what is not known."""
    from bot.cli.screen.output import Layout, print_aside, print_line, print_sentence, print_table
    from bot.views.running.report import EXPOSED, PROMISED, TREND, exposed_rows, promise_rows, trend_rows

    print_sentence(report.verdict)
    rows = list(exposed_rows(report))
    tables = (
        (EXPOSED, rows[:_MOST_SHOWN]),
        (PROMISED, list(promise_rows(report))),
        (TREND, list(trend_rows(report))),
    )
    for columns, shown in tables:
        if shown:
            print_line("")
            print_table(columns, shown, Layout())
    if len(rows) > _MOST_SHOWN:
        print_sentence(f"{len(rows) - _MOST_SHOWN:,} more sums; `--format csv` has all.")
    for line in report.not_known:
        print_aside(f"not all is known: {line}")
