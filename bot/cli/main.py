"""The command line's entry: exit codes, and one clear line for every failure."""

import sys
from typing import Annotated

import typer

from bot.cli import checkout, config, past, service

app = typer.Typer(
    name="freshness-bot",
    help="Keeps a fleet of .NET container images fresh.\n\n"
    "Exit codes: 0 done, 1 something needs attention, 2 bad input or settings, 130 interrupted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)
service.register(app)
checkout.register(app)
past.register(app)
app.add_typer(config.app, name="config")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"freshness-bot {version('freshness-bot')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options that come before any command."""


def main() -> None:
    """Runs a command; what it raises on purpose becomes a line on standard error, never a traceback."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        lines = _lines(error)
        if lines is None:
            raise
        from bot.service.logs import clean

        for line in lines:
            print(clean(line), file=sys.stderr)
        sys.exit(2)


def _lines(error: Exception) -> list[str] | None:
    from bot.domain.failure import Failure
    from bot.settings import BadSettings

    match error:
        case BadSettings():
            return error.lines
        case Failure():
            return [str(error)]
        case _:
            return None
