"""The small words that all messages share."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.domain.rollouts.rebuild import RebuildState
from bot.domain.wording.message import Items, Line, Style, TextRun

LONGEST_DETAIL = 400
_LONGEST_REASON = 160
_MOST_LISTED = 30
_SAID = {RebuildState.BUILT: "built but not proven", RebuildState.MERGED: "merged but not seen to build"}
"""How states are counted whose own word says more than is known."""


def in_state(number: int, state: RebuildState) -> str:
    """How many rebuilds are in a state, in words that say no more than is known."""
    return f"{number:,} {_SAID.get(state, state)}"


def capped_list(lines: Iterable[Line]) -> Items:
    """A list of any length: lines after the thirtieth are only counted."""
    every = tuple(lines)
    items = every[:_MOST_LISTED]
    if len(every) > _MOST_LISTED:
        more = TextRun(f"and {len(every) - _MOST_LISTED} more; ")
        items += ((more, TextRun("freshness-bot status --all", Style.CODE), TextRun(" lists them all")),)
    return Items(items)


def short(text: str, longest: int = _LONGEST_REASON) -> str:
    """Puts a text on one line, and cuts it with an ellipsis where it is longer."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def shown_time(moment: datetime) -> str:
    """Words a moment to the minute, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def listed(runs: Sequence[TextRun]) -> Line:
    """The runs with commas between them."""
    return tuple(part for run in runs for part in (TextRun(", "), run))[1:]
