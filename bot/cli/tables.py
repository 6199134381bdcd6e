"""Tables of a fleet: the images that hold a package, those of one CVE, and what bases have left behind."""

from collections.abc import Sequence
from posixpath import commonpath
from typing import TYPE_CHECKING

from bot.cli.options import Format
from bot.cli.screen.output import (
    Layout,
    count_rest,
    first_rows,
    first_that_fit,
    print_json,
    print_line,
    print_sentence,
    print_table,
)
from bot.cli.screen.text import moment
from bot.cli.unknown import end_with_unknown
from bot.domain.packages.ledger.clocks import Passage
from bot.domain.wording.words import counted, first_few
from bot.views.fleet.staleness import lacks_in_words
from bot.views.images.inventory import FoundPackage, FoundPackages, ShownBy, as_json, in_short
from bot.views.names import short_base, short_digest

if TYPE_CHECKING:
    from bot.views.fleet.staleness import Left, Staleness
    from bot.views.images.ledger import GroupClock, ImageGroup


def show_found(answer: FoundPackages, output: Format, *, show_all: bool = False) -> None:
    """Writes the first rows or all, one for each package in each image; ends with 3 where some image is unknown."""
    if output is Format.JSON:
        print_json(as_json(answer))
    elif not answer.found:
        print_sentence(
            "No image that was read holds such a package. `freshness-bot images` lists those that are known."
        )
    else:
        print_sentence(in_short(answer))
        _show_rows(first_rows(answer.found, show_all=show_all))
        count_rest(len(answer.found), show_all=show_all)
    end_with_unknown(answer.not_known, answer.gaps)


def _show_rows(packages: Sequence[FoundPackage]) -> None:
    print_table(
        ("image", "package", "version", "since", "produced by", "another version", "run at"),
        [
            (
                row.image,
                row.package.name,
                _version(row),
                moment(row.since),
                row.repository,
                str(row.fix),
                ", ".join(map(str, row.deployed)),
            )
            for row in packages
        ],
        Layout(below=("produced by", "another version", "run at")),
    )


def _version(row: FoundPackage) -> str:
    doubt = "" if row.is_certain else " (cannot be compared)"
    shown_by = "" if row.shown_by is ShownBy.LAYERS else f" ({row.shown_by.value})"
    return f"{row.package.version}{doubt}{shown_by}"


def show_group(group: "ImageGroup") -> None:
    """Writes where its images are stuck and who can move them, the clocks, why, and as many names as fit."""
    print_line("")
    print_sentence(heading(group))
    print_sentence(clocks_in_words(group.clocks), below=True)
    if group.reasons:
        print_sentence(first_that_fit(reasons_in_words(group)), below=True)
    place, names = parted(group.images)
    print_sentence(first_that_fit(names, before=f"{place}: " if place else ""), below=True)


def heading(group: "ImageGroup") -> str:
    """Words where the fix is stuck, for how many images, and who can move it."""
    moved_by = f"; {first_few(group.movers)} can move it" if group.movers else ""
    return f"{group.state}: {counted(len(group.images), 'image')}{moved_by}"


def parted(images: Sequence[str]) -> tuple[str, list[str]]:
    """Parts images into the place that several of them share, such as `ghcr.io/contoso`, and their names there."""
    place = commonpath([image.rpartition("/")[0] for image in images]) if len(images) > 1 else ""
    return place, [image.removeprefix(f"{place}/") for image in images]


def reasons_in_words(group: "ImageGroup") -> list[str]:
    """Words why, each with the number of its images unless it holds for all."""
    if len(group.reasons) == 1:
        return [group.reasons[0][0]]
    return [f"{says} ({counted(number, 'image')})" for says, number in group.reasons]


def clocks_in_words(clocks: "Sequence[GroupClock]") -> str:
    """Words the clocks in one line, those that concern no image of the group at its end."""
    clock_words = [_clock(clock) for clock in clocks if clock.passage is not Passage.NOT_CONCERNED]
    without = [clock.station for clock in clocks if clock.passage is Passage.NOT_CONCERNED]
    return "; ".join([*clock_words, *([f"not concerned: {', '.join(without)}"] if without else [])])


def _clock(clock: "GroupClock") -> str:
    took = "" if clock.elsewhere is None else f", elsewhere {clock.elsewhere.told}"
    return f"{clock.station} {clock.passage}{_when(clock)}{took}"


def _when(clock: "GroupClock") -> str:
    if clock.first is None or clock.last is None:
        return ""
    first, last = clock.first.date(), clock.last.date()
    if clock.passage is Passage.WAITING:
        return f" since {first}"
    return f" {first}" if first == last else f" {first} to {last}"


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
