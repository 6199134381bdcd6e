"""Options that several commands share, and a person's word: who says it, and why."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bot.domain.rollouts.journal import Word


class Format(StrEnum):
    """How a command prints what it found: for people, or for scripts."""

    TABLE = "table"
    JSON = "json"


CONFIG_VARIABLE = "FRESHNESS_BOT_CONFIG"
ConfigFile = Annotated[Path, typer.Option("--config", "-c", envvar=CONFIG_VARIABLE, help="The settings file.")]
DEFAULT_CONFIG = Path("config/freshness.yaml")
OutputFormat = Annotated[Format, typer.Option("--format", "-f", help="A table for people or JSON for scripts.")]


Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the journal, and told.")]
Who = Annotated[str | None, typer.Option("--as", help="Who says so, where it is not the account that runs this.")]


def word_of(who: str | None, reason: str) -> "Word":
    """Returns who says what: nobody signs in to a command line, so whoever it is only claims to be."""
    import getpass

    from bot.domain.failure import Failure, Trouble
    from bot.domain.rollouts.journal import Word

    reason_text = " ".join(reason.split())
    name = " ".join((who or "").split())
    if not reason_text:
        raise Failure(Trouble.MALFORMED, "--reason is empty", advice="say why in a few words")
    if not name:
        try:
            name = getpass.getuser()
        except (KeyError, OSError) as error:
            raise Failure(Trouble.MISSING, "nobody knows who you are", advice="say so with --as NAME") from error
    return Word(name[:100], reason_text[:500])
