"""Which losses of an image inventory look like a mistake: repository by repository, channel by channel.

Microsoft's inventory listed a repository without images four times from 2024 to 2026, while its tags went on. The
end of two channels took half of all tags on one day, as was announced.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from bot.domain.tags.tag import Tag
from bot.domain.wording.words import counted
from bot.upstream.feeds.image_info import InventoryStep, TagInventory, TagKey

FORM = "the inventory"
"""The place of a doubt about an inventory that is written otherwise than before."""
_OF_DOTNET = frozenset({"runtime-deps", "runtime", "aspnet", "sdk"})


@dataclass(frozen=True, slots=True)
class ThinnedOut:
    """A place that lost all or most of what it had: `told` is one line for people."""

    place: str
    told: str
    tags: frozenset[TagKey]


def thinned_out(
    before: TagInventory, after: TagInventory, step: InventoryStep, ended: Collection[str]
) -> list[ThinnedOut]:
    """The losses of a step that had better not be believed yet, each with its place.

    Where the form of the inventory changed, that is all of them. Else it is what a repository lost that has less
    than half of its tags left, or a channel of .NET in it; the tags of channels that have `ended` were to go. What
    came in place of what went makes up for it: every patch day replaces half of the tags.
    """
    if step.withdrawn and (changed := _changed_form(before, after)):
        return [ThinnedOut(FORM, f"{changed}, and {counted(len(step.withdrawn), 'tag')} with it", step.withdrawn)]
    losses: list[ThinnedOut] = []
    for repository in sorted({key[0] for key in step.withdrawn}):
        had, has = (_list_unended_tags(inventory, repository, ended) for inventory in (before, after))
        gone = step.withdrawn & had
        if 2 * len(has) < len(had):
            losses.append(_describe_loss(repository, gone, had, has))
            continue
        if not _is_of_dotnet(repository):
            continue
        for channel in sorted({channel_of(tag) for _, tag in gone}):
            of_had, of_has, of_gone = (
                frozenset(key for key in keys if channel_of(key[1]) == channel) for keys in (had, has, gone)
            )
            if 2 * len(of_has) < len(of_had):
                losses.append(_describe_loss(f"{repository} {channel or 'latest'}", of_gone, of_had, of_has))
    return losses


def ended_tags(tags: Iterable[TagKey], ended: Collection[str]) -> frozenset[TagKey]:
    """Returns the tags of .NET channels that are past their end."""
    return frozenset(key for key in tags if _is_of_dotnet(key[0]) and channel_of(key[1]) in ended)


def channel_of(tag: str) -> str:
    """`8.0` of `8.0.22-noble`; empty where the tag names no version."""
    return ".".join(str(part) for part in Tag.parse(tag).parts[:2])


def _changed_form(before: TagInventory, after: TagInventory) -> str:
    if before.schema != after.schema:
        return f"its schema is {after.schema or 'not told'} instead of {before.schema or 'not told'}"
    lost = sorted(before.members - after.members)
    return f"it has no {lost[0]} any more" if lost else ""


def _list_unended_tags(inventory: TagInventory, repository: str, ended: Collection[str]) -> frozenset[TagKey]:
    there = frozenset(key for key in inventory.tags if key[0] == repository)
    return there - ended_tags(there, ended)


def _describe_loss(
    place: str, gone: frozenset[TagKey], had: Collection[TagKey], has: Collection[TagKey]
) -> ThinnedOut:
    left = f"{len(has)} of {counted(len(had), 'tag')}" if has else f"none of {counted(len(had), 'tag')}"
    return ThinnedOut(place, f"{place} has {left} left at once, which looks like a mistake there", gone)


def _is_of_dotnet(repository: str) -> bool:
    """Whether its tags go by the channels of .NET, and end with them."""
    return repository.rpartition("/")[2] in _OF_DOTNET
