"""What needs a person, as the first lines of a command."""

from datetime import datetime
from typing import TYPE_CHECKING

from bot.cli.screen.output import print_sentence

if TYPE_CHECKING:
    from bot.views.fleet.needs import AwaitsPerson, NeedGroup, NeedsYou

MOST_GROUPS = 3
"""So many reasons are told in full without `--all`; the others are counted."""


def show_needs(needs: "NeedsYou", now: datetime, *, show_all: bool = False) -> None:
    """Writes a line for each reason with the one that waits longest, and below it what to do about it."""
    groups = needs.groups if show_all else needs.groups[:MOST_GROUPS]
    for group in groups:
        print_sentence(f"  {group.sentence(now)}: {_names(group, show_all=show_all)}{_why_alone(group)}")
        print_sentence(f"    {group.way_out}")
        for need in group.first if show_all else ():
            if need.why or need.url:
                print_sentence(f"    {_reason(need)}")
    if others := needs.groups[len(groups) :]:
        print_sentence(f"  also {', '.join(group.counted for group in others)}")


def _names(group: "NeedGroup", *, show_all: bool) -> str:
    names = [need.subject for need in (group.first if show_all else group.first[:1])]
    more = group.number - len(names)
    return ", ".join(names) + (f" and {more:,} more" if more > 0 else "")


def _why_alone(group: "NeedGroup") -> str:
    """Why the only one of its reason waits."""
    return f": {group.first[0].why}" if group.number == 1 and group.first[0].why else ""


def _reason(need: "AwaitsPerson") -> str:
    return f"{need.subject}: {' '.join(part for part in (need.why, need.url) if part)}"
