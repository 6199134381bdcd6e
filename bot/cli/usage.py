"""A command line that is not taken ends in one line: what is wrong, and where its help is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """Raises what is wrong with a command line so that one line tells it; who wrote no command gets the help."""
    try:
        yield
    except typer.TyperException as error:
        context: Any = getattr(error, "ctx", None)
        is_help = "\n" in error.message
        if context is None or is_help:
            raise
        if isinstance(error, typer.BadParameter) and error.message:
            error.message, error.ctx = _in_words(error), None
            raise
        raise _Untaken(f"{error.format_message().rstrip('.?')}; see `{context.command_path} --help`") from error


class _Untaken(typer.BadParameter):
    """What is wrong, and whose help tells more."""

    def format_message(self) -> str:
        """Says it without a word before it."""
        return self.message


def _in_words(error: typer.BadParameter) -> str:
    """What the type of an option or argument says of a value: never in the words of the library that found it."""
    from pydantic import ValidationError

    from bot.settings.wording import defect_in_words

    cause = error.__cause__
    return defect_in_words(cause.errors()[0]) if isinstance(cause, ValidationError) else error.message
