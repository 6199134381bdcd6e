"""The command line's entry: exit codes, and one clear line for every failure."""

import errno
import io
import os
import sys
from typing import Annotated

import typer

from bot.cli.groups import GroupedCommands
from bot.fleet.wiring.collecting import collected_seldom

_NOT_WRITTEN = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})

app = typer.Typer(
    name="freshness-bot",
    help="Keeps a fleet of .NET container images fresh.\n\n"
    "Exit codes: 0 done, or what was checked holds; 1 something needs attention, or it does not hold; 2 bad input "
    "or settings; 3 cannot tell; 130 interrupted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    cls=GroupedCommands,
)


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
    _prepare_output()
    try:
        try:
            with collected_seldom():
                app()
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        _drop_output()
        sys.exit(1)
    except Exception as error:
        lines = _lines(error)
        if lines is None:
            raise
        from bot.cli.screen.output import print_aside

        for line in lines:
            print_aside(line)
        if isinstance(error, OSError):
            _drop_output()
        sys.exit(2)


def _prepare_output() -> None:
    """What a terminal or a file name cannot spell is escaped, and where nobody listens nothing is said."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - open as long as the process
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - likewise
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _drop_output() -> None:
    """What could not be written must not be tried again, and complained about, when the interpreter ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _lines(error: Exception) -> list[str] | None:
    from bot.domain.failure import Failure
    from bot.settings import BadSettings

    match error:
        case BadSettings():
            return error.lines
        case Failure():
            return [str(error)]
        case OSError() if error.errno in _NOT_WRITTEN:
            return [f"the output is not complete: {error.strerror}; make room and run it again"]
        case _:
            return None
