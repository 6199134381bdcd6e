"""One tick: every new observation gets its change, and earlier changes what the feeds have added since."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Protocol

from bot.domain.bases.change import Cause, Change, Move
from bot.domain.bases.dotnet import goes_back
from bot.domain.bases.followed_base import is_line
from bot.domain.bases.observation import Observation
from bot.domain.bounded_gather import bounded_gather
from bot.domain.clock import Clock
from bot.domain.failure import Failure
from bot.domain.feeds.advisory import Advisory, Release
from bot.domain.reference import Base
from bot.fleet.assess.assess import assess, reassess, supported
from bot.fleet.assess.mirror import MirroredBase, as_upstream
from bot.fleet.assess.own_base import InheritedChanges, as_base_update, brought_anew
from bot.upstream.dotnet.releases import ReleaseIndex

_BATCH = 500
_AT_ONCE = 8
"""So many withdrawn images are asked about at a time."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An observation and the last one before it that had a digest, with the ids under which they are stored."""

    id: int
    before_id: int
    base_id: int
    before: Observation
    after: Observation
    lacks: tuple[str, ...] = ()
    """What the last change of the base before says that it lacks."""

    @property
    def earlier(self) -> Observation:
        """`before`, made at the latest when `after` was. The order is the store's: an inventory counts from when
        it was fetched, though a registry may have been asked before it was read, and clocks of workers differ."""
        return replace(self.before, at=min(self.before.at, self.after.at))


class AssessStore(Protocol):
    """What assessing asks of the store; each method is one transaction."""

    async def unassessed(self, limit: int) -> Sequence[Pair]: ...

    async def feeds_revision(self) -> int:
        """Grows with every news from a feed; read before `KnownFeeds`, so that no news is missed in between."""

    async def save_changes(self, assessed_pairs: Sequence[tuple[Pair, Change]], revision: int) -> None: ...

    async def reassessable(self, revision: int) -> Sequence[Move]:
        """Returns changes to assess again, oldest first, so that what an own base brings comes before it."""
        ...

    async def copied_from(self, base_ids: Collection[int]) -> Mapping[int, Base]:
        """Of the bases that are copies in a mirror: what each is a copy of."""
        ...

    async def upstreams(self, base_ids: Collection[int]) -> Mapping[int, MirroredBase]:
        """What these copies are copies of, with all that it has shown of late."""
        ...

    async def changes_named(self, ids: Collection[int]) -> Mapping[int, Change]: ...

    async def save_reassessed(self, looked_at: Sequence[int], news: Sequence[Move], revision: int) -> None: ...


class KnownFeeds(Protocol):
    """What the feeds have shown so far."""

    async def known_releases(self) -> Mapping[str, Release]: ...

    async def known_advisories(self) -> Mapping[str, Advisory]: ...


class Lifecycle(Protocol):
    """What a registry itself says of an image."""

    async def end_of_life(self, base: Base, digest: str) -> date | None:
        """The day on which its publisher ended the image; None where it is not marked. Raises `Failure`."""


class OwnBases(Protocol):
    """Which bases the fleet builds itself, and what their rebuilds bring."""

    async def among(self, bases: Collection[Base]) -> Collection[Base]:
        """Reads which of these bases repositories of the fleet build."""

    async def brought(self, pair: Pair) -> InheritedChanges: ...


@dataclass(frozen=True, slots=True)
class AssessTally:
    """The changes that were found, and those to which a feed has added since."""

    changes: tuple[Change, ...] = ()
    enriched: tuple[Change, ...] = ()


async def tick(
    store: AssessStore, feeds: KnownFeeds, lifecycle: Lifecycle, own_bases: OwnBases, clock: Clock
) -> AssessTally:
    """Reads the feeds' tables only where there is something to assess.

    The changes of mirrors come after those of their upstreams, and those of own bases last, since those below them
    that came with them are to be found by then.
    """
    new_changes: list[Change] = []
    while pairs := await store.unassessed(_BATCH):
        revision = await store.feeds_revision()
        releases, advisories = await _read_feeds(feeds)
        now = clock.now()
        origins = await store.copied_from({pair.base_id for pair in pairs})
        lacking = _find_lost(pairs)
        assessed = [
            (pair, _assess_pair(pair, origins.get(pair.base_id, pair.after.base), releases, advisories, now))
            for pair in pairs
        ]
        assessed = await bounded_gather(_AT_ONCE, assessed, partial(_add_support, lifecycle, now))
        own = await own_bases.among({pair.after.base for pair in pairs})
        copies = [(pair, change) for pair, change in assessed if pair.base_id in origins]
        ordinary = [item for item in assessed if item[0].base_id not in origins and item[0].after.base not in own]
        ordinary = [(pair, with_lost_platforms(change, lacking[pair.id], pair.before)) for pair, change in ordinary]
        await store.save_changes(ordinary, revision)
        if copies:
            unlinked = {number: MirroredBase(base, (), ()) for number, base in origins.items()}
            upstreams = {**unlinked, **await store.upstreams(origins.keys())}
            copies = [
                (pair, as_upstream(change, pair.before, pair.after, upstreams[pair.base_id]))
                for pair, change in copies
            ]
            copies = [(pair, with_lost_platforms(change, lacking[pair.id], pair.before)) for pair, change in copies]
            await store.save_changes(copies, revision)
        new_changes += [change for _, change in (*ordinary, *copies)]
        for pair, change in assessed:
            if pair.after.base in own and pair.base_id not in origins:
                update = as_base_update(change, pair.before, pair.after, await own_bases.brought(pair))
                update = with_lost_platforms(update, lacking[pair.id], pair.before)
                await store.save_changes([(pair, update)], revision)
                new_changes.append(update)
    return AssessTally(tuple(new_changes), await _reassess(store, feeds, clock.now()))


def _find_lost(pairs: Sequence[Pair]) -> dict[int, tuple[str, ...]]:
    """What the base of each pair lacks since; several pairs of one base follow each other."""
    by_base: dict[int, tuple[str, ...]] = {}
    lacking: dict[int, tuple[str, ...]] = {}
    for pair in pairs:
        lacked_before = by_base.get(pair.base_id, pair.lacks)
        lacking[pair.id] = by_base[pair.base_id] = lacked(lacked_before, pair.before, pair.after)
    return lacking


def _assess_pair(
    pair: Pair, known_as: Base, releases: ReleaseIndex, advisories: Mapping[str, Advisory], now: datetime
) -> Change:
    """Assesses a pair: feeds know a copy by the name of what it is a copy of, and nothing of the releases of a
    line."""
    before, after = replace(pair.earlier, base=known_as), replace(pair.after, base=known_as)
    if not is_line(known_as):
        return assess(before, after, releases, advisories, now)
    bare = replace(before, version=None), replace(after, version=None)
    change = assess(*bare, releases, advisories, now)
    change = replace(change, from_version=before.version, to_version=after.version)
    if not goes_back(before.version, after.version):
        return change
    detail = f"{before.version} → {after.version} goes back to an older release"
    return replace(change, cause=Cause.ROLLBACK, cause_at_detection=Cause.ROLLBACK, detail=detail)


async def _add_support(lifecycle: Lifecycle, now: datetime, item: tuple[Pair, Change]) -> tuple[Pair, Change]:
    """A withdrawal with what the registry says of the last image, if it says anything; only then it is asked."""
    pair, change = item
    if change.cause is not Cause.WITHDRAWN or pair.before.digest is None:
        return item
    try:
        end_day = await lifecycle.end_of_life(pair.before.base, pair.before.digest)
    except Failure:
        return item
    return (pair, change) if end_day is None else (pair, supported(change, pair.before.digest, end_day, now))


async def _reassess(store: AssessStore, feeds: KnownFeeds, now: datetime) -> tuple[Change, ...]:
    revision = await store.feeds_revision()
    earlier = await store.reassessable(revision)
    if not earlier:
        return ()
    releases, advisories = await _read_feeds(feeds)
    below = dict(await store.changes_named({id_ for move in earlier for id_ in move.change.brings}))
    news: list[Move] = []
    for move in earlier:
        if move.change.cause is Cause.BASE_UPDATE:
            news_of_change = brought_anew(move.change, [below[id_] for id_ in move.change.brings if id_ in below])
        else:
            news_of_change = _reassess_copy(move.change, below, releases, advisories, now)
        if news_of_change is not None:
            news.append(Move(move.id, news_of_change))
            below[move.id] = news_of_change
    await store.save_reassessed([move.id for move in earlier], news, revision)
    return tuple(move.change for move in news)


def _reassess_copy(
    change: Change,
    below: Mapping[int, Change],
    releases: ReleaseIndex,
    advisories: Mapping[str, Advisory],
    now: datetime,
) -> Change | None:
    """A copy's change once more under the name of what it is a copy of."""
    known_as = next((below[id_].base for id_ in change.brings if id_ in below), change.base)
    news_of_change = reassess(replace(change, base=known_as), releases, advisories, now)
    return None if news_of_change is None else replace(news_of_change, base=change.base)


async def _read_feeds(feeds: KnownFeeds) -> tuple[ReleaseIndex, Mapping[str, Advisory]]:
    return ReleaseIndex((await feeds.known_releases()).values()), await feeds.known_advisories()


def lacked(lacked_before: Collection[str], before: Observation, after: Observation) -> tuple[str, ...]:
    """The platforms that a base has had and does not have any more, with those that it lacked before.

    An observation does not lack what it says nothing of: an entry that was not judged, an index not recorded.
    """
    if after.digest is None or not after.platforms:
        return tuple(lacked_before)
    there = {*after.by_platform(), *(each.name.partition(" ")[0] for each in after.not_judged)}
    return tuple(each for each in dict.fromkeys((*lacked_before, *before.by_platform())) if each not in there)


def with_lost_platforms(change: Change, lacks: tuple[str, ...], before: Observation) -> Change:
    """The change with what the base lacks since, which is its cause where nothing else is news."""
    lost_platforms = [each for each in lacks if each in before.by_platform()]
    change = replace(change, lacks=lacks)
    if not lost_platforms:
        return change
    if not all(each in change.detail for each in lost_platforms):
        change = replace(change, detail=f"{change.detail}; dropped {', '.join(lost_platforms)}")
    if change.cause is not Cause.INDEX_ONLY:
        return change
    return replace(change, cause=Cause.PLATFORM_DROPPED, cause_at_detection=Cause.PLATFORM_DROPPED)
