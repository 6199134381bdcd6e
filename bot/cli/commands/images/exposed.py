"""`exposed`: where a CVE runs, from when until when, and who moves it; nobody but the store is asked."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.asking import waited_for
from bot.cli.options import DEFAULT_CONFIG, ConfigFile

if TYPE_CHECKING:
    from bot.views.running.exposed import ExposureAnswer


_MOST_SHOWN = 100


class ExposureFormat(StrEnum):
    """How the answer is printed: for people, scripts, spreadsheets, or whoever reads VEX."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    OPENVEX = "openvex"


Choice = Annotated[
    ExposureFormat, typer.Option("--format", "-f", help="OpenVEX knows builds, not places or times.")
]


def exposed(
    name: Annotated[str, typer.Argument(metavar="CVE", help="For example CVE-2026-21518.")],
    team: Annotated[
        str | None,
        typer.Option("--team", help="What repositories build that name it as reviewer or owner."),
    ] = None,
    org: Annotated[str | None, typer.Option("--org", help="What repositories of this organisation build.")] = None,
    repository: Annotated[str | None, typer.Option("--repository", help="What this repository builds.")] = None,
    environment: Annotated[
        str | None, typer.Option("--environment", help="Places of this environment, or of one source.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="DATE", help="As it was then; a day is its end in UTC.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DATE", help="At any time from then until now.")
    ] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    output: Choice = ExposureFormat.TABLE,
) -> None:
    """Says where a CVE runs, since when, until when, and who moves it.

    What runs is told by the clusters under running in the settings. A place is exposed from when the CVE was
    published, or its build began to run there, until what runs has it no more. What was not read counts in no sum,
    and a time that no whole list covers is not known. Exit codes: 0 not exposed and nothing left open, 1
    exposed, 3 not exposed as far as it is known.

    Example: freshness-bot exposed CVE-2026-21518 --at 2026-03-10
    """
    from bot.commands.images.exposed import read_exposure
    from bot.domain.clock import SystemClock
    from bot.settings import load
    from bot.views.running.exposed import Narrowed

    narrowed = Narrowed(environment, repository, org, team)
    answer = waited_for(read_exposure(load(config), name, at, since, narrowed, SystemClock()))
    _show(answer, output)
    raise typer.Exit(answer.exit_code)


def _show(answer: "ExposureAnswer", output: ExposureFormat) -> None:
    from bot.cli.screen.output import print_json

    if output is ExposureFormat.TABLE:
        show_exposure(answer)
    elif output is ExposureFormat.JSON:
        from bot.views.running.exposed import as_json

        print_json(as_json(answer))
    elif output is ExposureFormat.CSV:
        import sys

        from bot.views.running.exposed import COLUMNS, table
        from bot.views.spreadsheet import as_csv

        sys.stdout.write(as_csv(COLUMNS, table(answer)))
    else:
        from bot.views.running.openvex import as_openvex

        print_json(as_openvex(answer))


def show_exposure(answer: "ExposureAnswer") -> None:
    """Writes the verdict, then the places that it is about, the worst first, and what is not known."""
    from bot.cli.screen.output import Layout, print_aside, print_line, print_sentence, print_table
    from bot.domain.running.exposure import PlaceState
    from bot.views.running.exposed import reasons, shown_rows

    print_sentence(f"{answer.cve}: {answer.verdict}")
    if about := ". ".join(filter(None, (answer.mark.told, answer.title))):
        print_sentence(about)
    if rows := list(shown_rows(answer)):
        print_line("")
        columns = ("where", "place", "state", "from", "until", "packages", "why")
        print_table(columns, rows[:_MOST_SHOWN], Layout(group=True, below=("packages", "why")))
        if len(rows) > _MOST_SHOWN:
            print_sentence(f"{len(rows) - _MOST_SHOWN:,} more places; `--format csv` has all.")
    for state in (PlaceState.NOT_AFFECTED, PlaceState.NOT_READ):
        for number, why in reasons(answer, state):
            print_sentence(f"{number:,} {state}: {why}")
    for line in (*answer.unread, *answer.gaps):
        print_aside(f"not all is known: {line}")
