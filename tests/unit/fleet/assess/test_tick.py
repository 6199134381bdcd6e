"""The stage between the store's observations and its changes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import pytest

from bot.domain.bases.change import Cause, Change, Move
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.advisory import Advisory, Evidence, Release
from bot.domain.reference import Base
from bot.fleet.assess.mirror import MirroredBase
from bot.fleet.assess.own_base import InheritedChanges
from bot.fleet.assess.tick import Pair, tick
from tests.builders import change
from tests.unit.fleet.assess.world import DAY, image, release, seen


@dataclass
class Store:
    """Holds pairs until their changes are saved; no change is old enough to be looked at again."""

    pairs: list[Pair]
    changes: list[Change] = field(default_factory=list)
    copies: Mapping[int, MirroredBase] = field(default_factory=dict)
    """By the bases that are copies in a mirror what each is a copy of."""
    are_unlinked: bool = False
    """Whether the operator takes the mirror out while they are assessed."""

    async def unassessed(self, limit: int) -> Sequence[Pair]:
        return self.pairs[:limit]

    async def feeds_revision(self) -> int:
        return 0

    async def save_changes(self, found: Sequence[tuple[Pair, Change]], revision: int) -> None:
        self.changes += [change for _, change in found]
        self.pairs = self.pairs[len(found) :]

    async def reassessable(self, revision: int) -> Sequence[Move]:
        return ()

    async def copied_from(self, base_ids: Collection[int]) -> Mapping[int, Base]:
        return {number: each.base for number, each in self.copies.items() if number in base_ids}

    async def upstreams(self, base_ids: Collection[int]) -> Mapping[int, MirroredBase]:
        return {number: self.copies[number] for number in base_ids if not self.are_unlinked}

    async def changes_named(self, ids: Collection[int]) -> Mapping[int, Change]:
        return {}

    async def save_reassessed(self, looked_at: Sequence[int], news: Sequence[Move], revision: int) -> None:
        raise AssertionError("there was nothing to look at again")

    async def known_releases(self) -> Mapping[str, Release]:
        return {}

    async def known_advisories(self) -> Mapping[str, Advisory]:
        return {}


@dataclass
class Registry:
    """Marks images as ended, by their digest; a failure instead of a day is raised."""

    ends: Mapping[str, date | Failure] = field(default_factory=dict)
    asked: list[tuple[Base, str]] = field(default_factory=list)

    async def end_of_life(self, base: Base, digest: str) -> date | None:
        self.asked.append((base, digest))
        found = self.ends.get(digest)
        if isinstance(found, Failure):
            raise found
        return found


@dataclass
class OwnBases:
    """`bringing` are the changes that each own base brings."""

    bringing: Mapping[Base, InheritedChanges] = field(default_factory=dict)

    async def among(self, bases: Collection[Base]) -> Collection[Base]:
        return self.bringing.keys() & set(bases)

    async def brought(self, pair: Pair) -> InheritedChanges:
        return self.bringing[pair.after.base]


OLD = seen("1", at=DAY)
GONE = seen(None, at=DAY + timedelta(hours=1))


async def assessed(registry: Registry, *pairs: Pair, own_bases: OwnBases = OwnBases()) -> list[Change]:  # noqa: B008
    store = Store(list(pairs))
    await tick(store, store, registry, own_bases, ManualClock(DAY + timedelta(hours=2)))
    return store.changes


async def test_what_the_registry_marks_as_ended_supports_its_withdrawal() -> None:
    assert OLD.digest is not None
    registry = Registry({OLD.digest: date(2026, 11, 10)})
    (change,) = await assessed(registry, Pair(2, 1, 1, OLD, GONE))
    assert change.cause is Cause.WITHDRAWN
    assert change.detail.endswith("; its publisher marked the image as at its end on 2026-11-10")
    assert change.evidence[-1] == Evidence(
        "registry lifecycle", f"{OLD.digest}: end of life on 2026-11-10", DAY + timedelta(hours=2)
    )
    assert registry.asked == [(OLD.base, OLD.digest)]


async def test_a_withdrawal_needs_no_support() -> None:
    (change,) = await assessed(Registry(), Pair(2, 1, 1, OLD, GONE))
    assert change.cause is Cause.WITHDRAWN
    assert "its publisher" not in change.detail


async def test_a_registry_that_does_not_tell_leaves_the_withdrawal_as_it_is_and_stops_no_other() -> None:
    assert OLD.digest is not None
    registry = Registry({OLD.digest: Failure(Trouble.UNREACHABLE, "is down", where="mcr.microsoft.com")})
    other = Pair(4, 3, 2, seen("2", of="sdk:8.0"), seen(None, of="sdk:8.0", at=GONE.at))
    changes = await assessed(registry, Pair(2, 1, 1, OLD, GONE), other)
    assert [change.cause for change in changes] == [Cause.WITHDRAWN, Cause.WITHDRAWN]
    assert len(registry.asked) == 2


async def test_nothing_but_a_withdrawal_asks_the_registry() -> None:
    """A mark alone withdraws nothing."""
    later = seen("2", at=GONE.at)
    assert later.digest is not None
    registry = Registry({later.digest: date(2026, 11, 10)})
    (change,) = await assessed(registry, Pair(2, 1, 1, OLD, later))
    assert change.cause is Cause.LAYERS_ONLY
    assert registry.asked == []


async def test_an_inventory_fetched_before_a_registry_was_asked_and_read_after_it_stops_nothing() -> None:
    fetched, asked = DAY, DAY + timedelta(seconds=2)
    withdrawn = Pair(2, 1, 1, seen("1", at=asked), seen(None, at=fetched))
    other = Pair(4, 3, 2, seen("1", of="sdk:8.0", at=fetched), seen("2", of="sdk:8.0", at=asked))
    store = Store([withdrawn, other])
    tally = await tick(store, store, Registry(), OwnBases(), ManualClock(asked))
    assert [(change.cause, change.at) for change in tally.changes] == [
        (Cause.WITHDRAWN, fetched),
        (Cause.LAYERS_ONLY, asked),
    ]
    assert store.pairs == []


@pytest.mark.parametrize("are_unlinked", [False, True])
async def test_the_copy_in_a_mirror_is_assessed_under_the_name_of_what_it_is_a_copy_of(are_unlinked: bool) -> None:
    copy = Base("myacr.azurecr.io", "images/web", "8.0")
    before, after = seen("1"), seen("2", at=GONE.at)
    pair = Pair(2, 1, 7, replace(before, base=copy), replace(after, base=copy))
    store = Store([pair], copies={7: MirroredBase(OLD.base, [before, after], [])}, are_unlinked=are_unlinked)
    await tick(store, store, Registry(), OwnBases(), ManualClock(GONE.at))
    [change] = store.changes
    assert (change.base, change.cause) == (copy, Cause.LAYERS_ONLY)
    assert change.evidence[0].source == str(OLD.base)


async def test_a_platform_that_an_index_lost_is_no_index_only_and_stays_lacking() -> None:
    arm = image("2", platform="linux/arm/v7")
    both = seen("1", image("1", platform="linux/amd64"), arm, at=DAY)
    one = seen("2", image("1", platform="linux/amd64"), at=DAY + timedelta(minutes=1))
    later = seen("3", image("3", platform="linux/amd64"), at=DAY + timedelta(minutes=2))
    changes = await assessed(Registry(), Pair(2, 1, 1, both, one), Pair(3, 2, 1, one, later))
    assert [(each.cause, each.lacks) for each in changes] == [
        (Cause.PLATFORM_DROPPED, ("linux/arm/v7",)),
        (Cause.LAYERS_ONLY, ("linux/arm/v7",)),
    ]
    assert changes[0].detail == "the index dropped linux/arm/v7; nothing else changed"


async def test_what_the_last_change_says_a_base_lacks_it_lacks_still() -> None:
    before, after = seen("1", image("1"), at=DAY), seen("2", image("2"), at=GONE.at)
    (change,) = await assessed(Registry(), Pair(2, 1, 1, before, after, ("linux/arm/v7",)))
    assert change.lacks == ("linux/arm/v7",)


async def test_a_line_whose_newest_release_is_gone_went_back() -> None:
    line = Base("ghcr.io", "contoso/golden", "1.*.*")
    before = replace(OLD, base=line, version="1.4.10")
    after = replace(seen("2", at=DAY + timedelta(hours=1)), base=line, version="1.4.9")
    (change,) = await assessed(Registry({}), Pair(2, 1, 1, before, after))
    assert (change.cause, change.detail) == (Cause.ROLLBACK, "1.4.10 → 1.4.9 goes back to an older release")


GOLDEN = Base("ghcr.io", "contoso/golden", "latest")
BELOW = change(OLD.base, cves=("CVE-2025-0001",))


async def test_a_base_of_the_organisations_own_is_told_by_what_it_brings_and_lacks() -> None:
    arm = image("2", platform="linux/arm64")
    before = replace(seen("1", image("1", layers="ab"), arm), base=GOLDEN)
    after = replace(seen("2", image("3", layers="ac"), at=GONE.at), base=GOLDEN)
    own_bases = OwnBases({GOLDEN: InheritedChanges((Move(5, BELOW),), is_proved=True)})
    other = Pair(4, 3, 2, seen("1", of="sdk:8.0"), seen("2", of="sdk:8.0", at=GONE.at))
    store = Store([Pair(2, 1, 1, before, after), other])
    tally = await tick(store, store, Registry(), own_bases, ManualClock(GONE.at))
    by_base = {each.base: each for each in store.changes}
    assert sorted(tally.changes, key=str) == sorted(store.changes, key=str)
    assert by_base[GOLDEN].cause is Cause.BASE_UPDATE
    assert (by_base[GOLDEN].brings, by_base[GOLDEN].cves) == ((5,), ("CVE-2025-0001",))
    assert by_base[GOLDEN].lacks == ("linux/arm64",)
    assert by_base[other.after.base].cause is Cause.LAYERS_ONLY


@dataclass
class Remembering(Store):
    """Has changes to look at again, and feeds that have caught up."""

    moves: Sequence[Move] = ()
    below: Mapping[int, Change] = field(default_factory=dict)
    releases: Mapping[str, Release] = field(default_factory=dict)
    looked_at: list[int] = field(default_factory=list)
    news: list[Move] = field(default_factory=list)
    revisions: list[int] = field(default_factory=list)
    """Of the feeds, for which was asked and stored."""

    async def feeds_revision(self) -> int:
        return 5

    async def reassessable(self, revision: int) -> Sequence[Move]:
        self.revisions.append(revision)
        return self.moves

    async def changes_named(self, ids: Collection[int]) -> Mapping[int, Change]:
        return {number: each for number, each in self.below.items() if number in ids}

    async def save_reassessed(self, looked_at: Sequence[int], news: Sequence[Move], revision: int) -> None:
        self.looked_at += looked_at
        self.news += news
        self.revisions.append(revision)

    async def known_releases(self) -> Mapping[str, Release]:
        return self.releases


COPY = Base("myacr.azurecr.io", "images/web", "8.0")
UNKNOWN = replace(
    change(
        OLD.base, Cause.DOTNET_UNKNOWN, from_version="8.0.16", to_version="8.0.17", detail=".NET 8.0.16 → 8.0.17"
    ),
    at=DAY,
)
FIXED = {"8.0": release("8.0.17", "CVE-2025-0001")}


async def reassessed(*moves: Move, below: Mapping[int, Change], releases: Mapping[str, Release]) -> Remembering:
    store = Remembering([], moves=moves, below=below, releases=releases)
    tally = await tick(store, store, Registry(), OwnBases(), ManualClock(GONE.at))
    assert tally.enriched == tuple(move.change for move in store.news)
    return store


async def test_a_copys_change_is_looked_at_again_by_the_name_of_what_it_copies_and_keeps_its_own() -> None:
    store = await reassessed(Move(7, replace(UNKNOWN, base=COPY, brings=(6,))), below={6: UNKNOWN}, releases=FIXED)
    [news] = store.news
    assert (news.id, news.change.base, news.change.cause) == (7, COPY, Cause.DOTNET_SECURITY)


async def test_what_an_own_base_brings_is_told_anew_once_the_change_below_it_is_known_better() -> None:
    own = replace(UNKNOWN, base=GOLDEN, cause=Cause.BASE_UPDATE, causes=(Cause.DOTNET_UNKNOWN,), brings=(6,))
    store = await reassessed(Move(6, UNKNOWN), Move(7, own), below={6: UNKNOWN}, releases=FIXED)
    assert [(move.id, move.change.cves) for move in store.news] == [
        (6, ("CVE-2025-0001",)),
        (7, ("CVE-2025-0001",)),
    ]
    assert store.looked_at == [6, 7]


async def test_where_the_feeds_tell_nothing_new_it_is_kept_that_they_were_asked() -> None:
    store = await reassessed(Move(6, UNKNOWN), below={}, releases={})
    assert (store.looked_at, store.news, set(store.revisions)) == ([6], [], {5})


async def test_a_copy_of_an_sdk_is_told_as_an_sdk() -> None:
    below = replace(UNKNOWN, base=seen("1", of="sdk:8.0").base)
    move = Move(7, replace(UNKNOWN, base=COPY, brings=(5, 6)))
    store = await reassessed(move, below={6: below}, releases=FIXED)
    assert [each.change.detail for each in store.news] == [".NET SDK 8.0.16 → 8.0.17 fixes 1 CVE"]


async def test_the_releases_of_a_line_are_kept_and_one_that_goes_on_is_no_rollback() -> None:
    line = Base("ghcr.io", "contoso/golden", "1.*.*")
    before = replace(OLD, base=line, version="1.4.9")
    after = replace(seen("2", at=DAY + timedelta(hours=1)), base=line, version="1.4.10")
    (on,) = await assessed(Registry(), Pair(2, 1, 1, before, after))
    assert (on.cause, on.from_version, on.to_version) == (Cause.LAYERS_ONLY, "1.4.9", "1.4.10")
    (back,) = await assessed(Registry(), Pair(2, 1, 1, replace(after, at=DAY), replace(before, at=GONE.at)))
    assert (back.cause_at_detection, back.from_version, back.to_version) == (Cause.ROLLBACK, "1.4.10", "1.4.9")


async def test_what_several_looks_have_found_is_told_together() -> None:
    class OneByOne(Store):
        async def unassessed(self, limit: int) -> Sequence[Pair]:
            return self.pairs[:1]

    pairs = [Pair(2, 1, 1, OLD, seen("2", at=GONE.at)), Pair(4, 3, 2, OLD, seen("3", at=GONE.at))]
    store = OneByOne(pairs)
    tally = await tick(store, store, Registry(), OwnBases(), ManualClock(GONE.at))
    assert [each.to_digest for each in tally.changes] == [pair.after.digest for pair in pairs]


async def test_a_copy_in_a_mirror_that_is_the_organisations_own_too_is_told_once_as_a_copy() -> None:
    pair = Pair(2, 1, 7, replace(OLD, base=COPY), replace(seen("2", at=GONE.at), base=COPY))
    store = Store([pair], copies={7: MirroredBase(OLD.base, [OLD, seen("2", at=GONE.at)], [])})
    own_bases = OwnBases({COPY: InheritedChanges((), is_proved=False)})
    tally = await tick(store, store, Registry(), own_bases, ManualClock(GONE.at))
    assert [change.cause for change in tally.changes] == [Cause.LAYERS_ONLY]
    assert len(store.changes) == 1
