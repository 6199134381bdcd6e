"""What a command could not find out about packages and CVEs, and its exit code for that."""

from collections.abc import Sequence

import typer

from bot.cli.screen.output import print_aside
from bot.domain.wording.words import counted

INCOMPLETE = 3
"""The exit code where not everything is known: what is not listed may be there all the same."""


def end_with_unknown(not_known: int, gaps: Sequence[str]) -> None:
    """Says on standard error how many images were not read and which CVE data is lacking; ends with `INCOMPLETE`
    where there is anything to say."""
    for gap in gaps:
        print_aside(f"not all is known: {gap}")
    if not_known:
        images = counted(not_known, "image")
        print_aside(f"{images} not read, or not as a whole: what is inside is not known")
    if not_known or gaps:
        raise typer.Exit(INCOMPLETE)
