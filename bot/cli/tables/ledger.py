"""The images of one CVE on one screen: a few lines for each group of them that is stuck alike."""

from collections.abc import Sequence
from posixpath import commonpath
from typing import TYPE_CHECKING

from bot.cli.screen.output import first_that_fit, print_line, print_sentence
from bot.domain.packages.ledger.clocks import Passage
from bot.domain.wording.words import counted, first_few

if TYPE_CHECKING:
    from bot.views.images.ledger import GroupClock, ImageGroup


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
