"""How stale a fleet is, as a table: what bases have left behind, and who still stands on it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.cli.screen.output import Layout, print_sentence, print_table
from bot.cli.screen.text import moment
from bot.domain.wording.words import counted, first_few
from bot.views.fleet.staleness import lacks_in_words
from bot.views.names import short_base, short_digest

if TYPE_CHECKING:
    from bot.views.fleet.staleness import Left, Staleness

MOST_SHOWN = 25
"""Rows of a table; a fleet may have hundreds, and scripts get all of them."""
_MOST_NAMED = 3


def show_staleness(stale: "Staleness") -> None:
    """Writes a row for each thing that is behind, the oldest first, and what cannot be told."""
    behind = len(stale.repositories)
    left_alone = f"; {counted(stale.left_alone, 'repository')} asked to be left alone" if stale.left_alone else ""
    print_sentence(
        f"{behind:,} of {counted(stale.followed, 'repository')} on watched bases {'is' if behind == 1 else 'are'} "
        f"behind what these show{left_alone}"
    )
    if stale.left:
        print_table(
            ("base", "pinned", "since", "places", "in", "lacks"),
            [_row(each) for each in stale.left[:MOST_SHOWN]],
            Layout(below=("in", "lacks")),
        )
        say_how_many_more(len(stale.left))
    if stale.undated:
        pins = counted(len(stale.undated), "pin")
        print_sentence(
            f"{pins} cannot be dated: the bot has not seen the base show what is pinned. `freshness-bot import "
            "--from-git CLONE` takes in what Microsoft has published."
        )
    if stale.untold:
        print_sentence(
            f"{counted(stale.untold, 'repository names', 'repositories name')} floating tags, and no build there "
            "is known: on what these stand cannot be told."
        )


def say_how_many_more(number: int) -> None:
    """Says what a table of at most `MOST_SHOWN` rows leaves out."""
    if number > MOST_SHOWN:
        print_sentence(f"and {number - MOST_SHOWN:,} more; --format json has them all")


def some_of(repositories: Sequence[str]) -> str:
    """Names the first few, and counts the rest."""
    return first_few(repositories, _MOST_NAMED)


def _row(left: "Left") -> tuple[object, ...]:
    pinned = left.pinned or "floats"
    return (
        short_base(left.base),
        short_digest(pinned) if pinned.startswith("sha256:") else pinned,
        moment(left.published_at) if left.published_at else "not known",
        left.usages,
        some_of(left.repositories),
        lacks_in_words(left),
    )
