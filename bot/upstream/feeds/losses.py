"""What a document no longer says: taken back at once, or doubted where it looks like a mistake, image by image.

Microsoft's inventory listed a repository without images four times from 2024 to 2026, while its tags went on. The
end of two channels took half of all tags on one day, as was announced.

A row that its publisher takes out is taken out here. A document that lost most of what it had is more likely
broken: see `doubts` for how long that is not believed.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from bot.domain.feeds.advisory import Advisory, Release
from bot.domain.feeds.document import FeedKind, StoredDocument
from bot.domain.tags.tag import Tag
from bot.domain.wording.words import counted
from bot.upstream.feeds.contents import FeedContents
from bot.upstream.feeds.doubts import DoubtedLoss, FactKey, Saying, WatchedTag, Weighed, weigh
from bot.upstream.feeds.image_info import InventoryStep, TagInventory, TagKey, compared

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


WHOLE = frozenset({FeedKind.MSRC_BULLETIN, FeedKind.DOTNET_CVE})
"""Documents that list all that they tell of."""
NEWEST = frozenset({FeedKind.ANNOUNCEMENTS, FeedKind.IMAGE_ANNOUNCEMENTS})
"""Documents that list the newest alone: what is older than the oldest in them has not been taken back."""


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """What one look at a document brought, before it is compared with what is known.

    `before` is what the copy said that was known; `agreed` are the places of those of `doubts` that the registry
    agrees to.
    """

    kind: FeedKind
    document: StoredDocument
    said: FeedContents | None
    """None where nothing changed."""
    before: FeedContents | None = None
    is_new: bool = False
    """Whether it is another publication than the copy that was known."""
    doubts: tuple[DoubtedLoss, ...] = ()
    agreed: frozenset[str] = frozenset()

    @property
    def doubted(self) -> frozenset[FactKey]:
        return frozenset(key for each in self.doubts for key in each.keys)


@dataclass(frozen=True, slots=True)
class InventoryLook:
    """An inventory and the one before it, None where none was read, with what tells of what it lacks: `watched` are
    the bases that stand for tags in `doubts`, `ended` the channels past their end. `agreed` and `is_new` are as in
    `ReadDocument`."""

    before: TagInventory | None
    after: TagInventory | None
    doubts: tuple[DoubtedLoss, ...] = ()
    watched: Sequence[WatchedTag] = ()
    ended: frozenset[str] = frozenset()
    agreed: frozenset[str] = frozenset()
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class Losses:
    """What is lost from now on, and what stays in doubt. `releases` are rows to replace, marked as taken back;
    `withdrawn` are source and CVE of advisories; `advisories` are those that their document said before."""

    weighed: Weighed = Weighed()  # noqa: RUF009 - frozen
    step: InventoryStep = InventoryStep()  # noqa: RUF009 - frozen
    releases: tuple[Release, ...] = ()
    advisories: tuple[Advisory, ...] = ()
    withdrawn: tuple[FactKey, ...] = ()


def losses_of(
    read: ReadDocument, known_releases: Mapping[str, Release], watched: Sequence[WatchedTag], now: datetime
) -> Losses:
    """Compares what was read with what was known; `watched` are the bases that stand for what is doubted."""
    if read.kind is FeedKind.IMAGE_INFO:
        return _of_inventory(read, known_releases, watched, now)
    if read.kind is FeedKind.DOTNET_RELEASES:
        return _of_releases(read, known_releases, now)
    return _of_advisories(read, now)


def _of_inventory(
    read: ReadDocument, known_releases: Mapping[str, Release], watched: Sequence[WatchedTag], now: datetime
) -> Losses:
    look = InventoryLook(
        read.before.inventory if read.before is not None else None,
        read.said.inventory if read.said is not None else None,
        read.doubts,
        watched,
        ended_channels(known_releases.values(), now),
        read.agreed,
        read.is_new,
    )
    return Losses(*lost_from_inventory(look, now))


def lost_from_inventory(look: InventoryLook, now: datetime) -> tuple[Weighed, InventoryStep]:
    """What of an inventory's losses stays in doubt, and what has gone and come for sure: for the service and for
    history alike."""
    before, after, doubted = look.before, look.after, frozenset(key for each in look.doubts for key in each.keys)
    step, lost = InventoryStep(), []
    if before is not None and after is not None:
        step = compared(before, after)
        thin = thinned_out(before, after, step, look.ended)
        lost = [DoubtedLoss(each.place, each.told, each.tags, now) for each in thin]
    saying = Saying(
        said=after.tags.keys() if after is not None else None,
        is_new=look.is_new,
        unread=after is not None and any(repository in after.incomplete for repository, _ in doubted),
        lost=lost,
        due=ended_tags(doubted, look.ended),
    )
    weighed = weigh(look.doubts, saying, look.watched, look.agreed, now)
    withdrawn = step.withdrawn.difference(*(each.keys for each in lost)) | weighed.believed
    return weighed, InventoryStep(withdrawn, step.returned - doubted)


def _of_releases(read: ReadDocument, known_releases: Mapping[str, Release], now: datetime) -> Losses:
    """Those of the channel that its document lists no more. Where it skipped one, that may be the one."""
    contents = read.said
    all_releases = (*(contents.releases if contents else ()), *(read.before.releases if read.before else ()))
    channel = all_releases[0].channel if all_releases else None
    listed_keys = {(each.channel, each.version) for each in contents.releases} if contents is not None else None
    gone: frozenset[FactKey] = frozenset()
    lost: list[DoubtedLoss] = []
    if contents is not None and listed_keys is not None and channel is not None:
        had = {
            (release.channel, release.version)
            for release in known_releases.values()
            if release.channel == channel and not release.is_taken_back
        }
        had -= read.doubted
        gone = frozenset(had - listed_keys) if contents.entries == len(contents.releases) else frozenset()
        if gone and 2 * len(listed_keys) < len(had):
            message = f"releases.json of .NET {channel} lists {len(listed_keys)} of {len(had)} releases that it had"
            lost, gone = [DoubtedLoss(f".NET {channel}", message, gone, now)], frozenset()
    unread = contents is not None and contents.entries != len(contents.releases)
    weighed = weigh(read.doubts, Saying(listed_keys, read.is_new, unread, lost), (), read.agreed, now)
    rows = {(each.channel, each.version): each for each in known_releases.values()}
    taken_back = sorted(key for key in gone | weighed.believed if key in rows)
    return Losses(weighed, releases=tuple(replace(rows[key], taken_back_at=now) for key in taken_back))


def _of_advisories(read: ReadDocument, now: datetime) -> Losses:
    """Those that the same document named before. What could not be read of it may be the one that is missing."""
    before, contents = read.before, read.said
    listed_keys = {_key(each) for each in contents.advisories} if contents is not None else None
    gone: tuple[Advisory, ...] = ()
    lost: list[DoubtedLoss] = []
    if before is not None and contents is not None and listed_keys is not None and not contents.problems:
        gone = tuple(each for each in before.advisories if _key(each) not in listed_keys and _is_within(each, read))
        if gone and 2 * contents.entries < before.entries:
            message = f"{read.document.url} lists {contents.entries} of {before.entries} entries that it had"
            keys = frozenset(map(_key, gone))
            lost, gone = [DoubtedLoss(read.document.url, message, keys, now)], ()
    saying = Saying(listed_keys, read.is_new, contents is not None and bool(contents.problems), lost)
    weighed = weigh(read.doubts, saying, (), read.agreed, now)
    return Losses(weighed, advisories=gone, withdrawn=tuple(sorted(weighed.believed)))


def _is_within(advisory: Advisory, read: ReadDocument) -> bool:
    """Whether the document would list it if it were still told."""
    if read.kind in WHOLE:
        return True
    since = read.said.since if read.said is not None and read.kind in NEWEST else None
    return since is not None and advisory.published_at is not None and advisory.published_at > since


def _key(advisory: Advisory) -> FactKey:
    return advisory.evidence[0].source, advisory.cve


def ended_channels(releases: Iterable[Release], now: datetime) -> frozenset[str]:
    """The channels whose last day, as the latest word on it goes, is past."""
    ends: dict[str, date] = {}
    for release in releases:
        if release.end_of_life is not None:
            ends[release.channel] = max(release.end_of_life, ends.get(release.channel, release.end_of_life))
    return frozenset(channel for channel, end in ends.items() if now.date() >= end)
