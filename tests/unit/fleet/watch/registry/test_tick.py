from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.bases.observation import ShowsTwo, Sight
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, LeaseLost, Trouble
from bot.domain.reference import Base
from bot.fleet.watch.registry.ports import Sighting
from bot.fleet.watch.registry.tick import WatchOptions, WatchTally, tick
from bot.reconcile.loop import Loop
from tests.fakes.registry import FakeRegistry, failure
from tests.fakes.stores.watch import FakeWatchStore

NOW = datetime(2025, 11, 20, 9, 0, tzinfo=UTC)
MCR, GHCR = "mcr.microsoft.com", "ghcr.io"
ASPNET = Base(MCR, "dotnet/aspnet", "10.0")
NOBLE = Base(MCR, "dotnet/aspnet", "10.0-noble")
SDK = Base(MCR, "dotnet/sdk", "10.0")
OTHER = Base(GHCR, "contoso/base", "1")
MANY = [Base(MCR, "dotnet/aspnet", f"{number}.0") for number in range(30)]


class World:
    """The stage between a store and registries, ticking when told to."""

    def __init__(self, *bases: Base, options: WatchOptions | None = None) -> None:
        self.clock = ManualClock(NOW)
        self.store = FakeWatchStore(bases, self.clock)
        self.registry = FakeRegistry()
        self.options = options
        self.loop = Loop(self.clock)
        for base in bases:
            self.registry.push(base, content=f"first {base.repository}")

    async def tick(self, after: timedelta = timedelta(0)) -> WatchTally:
        self.clock.advance(after)
        return await tick(self.store, self.registry, self.loop, self.options)

    async def tick_when_due(self, base: Base) -> WatchTally:
        self.clock.move_to(self.store.due(base))
        return await self.tick()

    async def settled(self) -> "World":
        await self.tick()
        self.registry.asked.clear()
        self.store.writes.clear()
        return self


QUARTER = timedelta(minutes=15)


async def test_the_first_sight_of_a_base_is_a_baseline_and_no_news() -> None:
    world = World(ASPNET, SDK)
    tally = await world.tick()
    assert [each.sight for each in tally.sightings] == [Sight.FIRST, Sight.FIRST]
    assert tally.moved == ()
    assert {seen.base for seen in world.store.history} == {ASPNET, SDK}


async def test_nothing_is_asked_before_it_is_due() -> None:
    world = await World(ASPNET).settled()
    assert await world.tick(timedelta(minutes=10)) == WatchTally()
    assert not world.registry.asked


async def test_an_unmoved_base_costs_one_head_and_all_of_them_one_write() -> None:
    world = await World(*MANY).settled()
    tally = await world.tick(QUARTER)
    assert (tally.asked, tally.unchanged) == (30, 30)
    assert world.registry.asked == {"head": 30}
    assert world.store.writes == {"reschedule": 1}


async def test_a_move_is_observed_with_what_the_image_says() -> None:
    world = await World(ASPNET).settled()
    digest = world.registry.push(
        ASPNET, content="second", version="10.0.1", platforms=["linux/amd64", "linux/arm64"]
    )
    tally = await world.tick(QUARTER)
    [seen] = tally.moved
    assert (seen.base, seen.digest, seen.version) == (ASPNET, digest, "10.0.1")
    assert [image.platform for image in seen.platforms] == ["linux/amd64", "linux/arm64"]
    assert seen.at == world.clock.now()


async def test_a_moved_index_costs_at_most_two_requests_for_each_platform_and_one() -> None:
    world = await World(ASPNET).settled()
    world.registry.push(ASPNET, content="second", platforms=["linux/amd64", "linux/arm64", "linux/s390x"])
    await world.tick(QUARTER)
    assert world.registry.asked["head"] == 1
    assert world.registry.asked["manifest"] + world.registry.asked["config"] <= 1 + 2 * 3


async def test_tags_that_move_together_are_read_once() -> None:
    world = await World(ASPNET, NOBLE).settled()
    world.registry.push(ASPNET, NOBLE, content="second")
    tally = await world.tick(QUARTER)
    assert {seen.base for seen in tally.moved} == {ASPNET, NOBLE}
    assert world.registry.asked == {"head": 2, "manifest": 2, "config": 1}


async def test_what_was_read_once_is_not_read_again() -> None:
    world = World(ASPNET)
    first = world.registry.shown[ASPNET]
    await world.tick()
    world.registry.push(ASPNET, content="second")
    await world.tick(QUARTER)
    world.registry.asked.clear()
    world.registry.shown[ASPNET] = first
    await world.tick(QUARTER)
    assert world.registry.asked == {"head": 1}


async def test_a_digest_that_comes_back_a_day_later_is_believed_once_two_polls_in_a_row_show_it() -> None:
    world = World(ASPNET)
    first = world.registry.shown[ASPNET]
    second = world.registry.push(ASPNET, content="second")
    sights: list[list[Sight]] = []
    for digest in (first, second, first, first, first):
        world.registry.shown[ASPNET] = digest
        after = timedelta(days=1) if sights == [[Sight.FIRST], [Sight.MOVED]] else QUARTER
        sights.append([each.sight for each in (await world.tick(after)).sightings])
    assert sights == [[Sight.FIRST], [Sight.MOVED], [], [Sight.CAME_BACK], []]


async def test_a_digest_that_comes_back_within_a_day_is_believed_once_it_was_shown_alone_for_a_day() -> None:
    world = World(ASPNET)
    first = world.registry.shown[ASPNET]
    await world.tick()
    second = world.registry.push(ASPNET, content="second")
    await world.tick(QUARTER)
    world.registry.shown[ASPNET] = first
    returned = world.clock.now() + QUARTER
    while not (tally := await world.tick(QUARTER)).sightings:
        assert doubt_of(world) == ShowsTwo(first, returned)
    assert [each.sight for each in tally.sightings] == [Sight.CAME_BACK]
    assert world.clock.now() - returned == timedelta(days=1)
    assert [seen.digest for seen in world.store.history] == [first, second, first]
    assert doubt_of(world) is None


@pytest.mark.parametrize("pattern", ["ab", "aabb", "abbb", "aaab", "aaaaaaab"])
async def test_an_edge_that_serves_two_in_turn_for_days_is_one_row(pattern: str) -> None:
    world = World(ASPNET)
    old = world.registry.shown[ASPNET]
    await world.tick()
    new = world.registry.push(ASPNET, content="second")
    await world.tick(QUARTER)
    for number in range(4 * 24 * 7):
        world.registry.shown[ASPNET] = old if pattern[number % len(pattern)] == "a" else new
        await world.tick(QUARTER)
    assert [seen.digest for seen in world.store.history] == [old, new]
    doubt = doubt_of(world)
    assert doubt is not None
    assert doubt.other == old


async def test_what_was_doubted_is_forgotten_once_the_newer_was_shown_alone_for_a_day() -> None:
    world = World(ASPNET)
    old = world.registry.shown[ASPNET]
    await world.tick()
    new = world.registry.push(ASPNET, content="second")
    for digest in (new, old, new):
        world.registry.shown[ASPNET] = digest
        await world.tick(QUARTER)
    assert doubt_of(world) == ShowsTwo(old, world.clock.now())
    await world.tick(timedelta(days=1))
    assert doubt_of(world) is None
    assert [seen.digest for seen in world.store.history] == [old, new]


def doubt_of(world: World) -> ShowsTwo | None:
    return world.store.bases[1].shows_two


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([2, 15, 60, 600])), max_size=60))
async def test_a_base_goes_back_at_most_once_a_day(looks: list[tuple[str, int]]) -> None:
    world = World(ASPNET)
    shown = {letter: world.registry.push(ASPNET, content=letter) for letter in "abc"}
    for letter, minutes in looks:
        world.registry.shown[ASPNET] = shown[letter]
        await world.tick(timedelta(minutes=minutes))
    history = world.store.history
    digests = [seen.digest for seen in history]
    backward = [seen.at for place, seen in enumerate(history) if seen.digest in digests[:place]]
    assert all(later - earlier >= timedelta(days=1) for earlier, later in pairwise(backward))


async def test_caches_that_disagree_are_no_ten_changes() -> None:
    world = World(ASPNET)
    old = world.registry.shown[ASPNET]
    new = world.registry.push(ASPNET, content="second")
    for number in range(20):
        world.registry.shown[ASPNET] = (old, new)[number % 2]
        await world.tick(QUARTER)
    assert [seen.digest for seen in world.store.history] == [old, new]


async def test_a_return_that_another_poll_denies_is_not_half_confirmed() -> None:
    world = World(ASPNET)
    first = world.registry.shown[ASPNET]
    second = world.registry.push(ASPNET, content="second")
    third = world.registry.push(ASPNET, content="third")
    for digest in (first, second, third, first, second, first, third, first):
        world.registry.shown[ASPNET] = digest
        await world.tick(QUARTER)
    assert [seen.digest for seen in world.store.history] == [first, second, third]


async def test_a_digest_never_seen_is_believed_at_once_while_a_return_awaits_its_second_poll() -> None:
    world = World(ASPNET)
    first = world.registry.shown[ASPNET]
    second = world.registry.push(ASPNET, content="second")
    third = world.registry.push(ASPNET, content="third")
    for digest in (first, second, first, third, first):
        world.registry.shown[ASPNET] = digest
        await world.tick(QUARTER)
    assert [seen.digest for seen in world.store.history] == [first, second, third]


async def test_a_record_that_fails_leaves_its_base_to_a_later_tick_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = await World(ASPNET, SDK).settled()
    world.registry.push(ASPNET, content="second")
    record = world.store.record

    async def fail_once(sightings: Sequence[Sighting], manifests: Mapping[str, bytes]) -> None:
        monkeypatch.setattr(world.store, "record", record)
        raise failure(Trouble.UNREACHABLE, "the database")

    monkeypatch.setattr(world.store, "record", fail_once)
    tally = await world.tick(QUARTER)
    assert (tally.moved, tally.unchanged, tally.failed) == ((), 1, 1)
    assert [seen.base for seen in (await world.tick(QUARTER)).moved] == [ASPNET]


async def test_a_record_that_fails_leaves_no_base_claimed_until_its_lease_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(*MANY)
    record = world.store.record

    async def fail(sightings: Sequence[Sighting], manifests: Mapping[str, bytes]) -> None:
        if any(each.base_id == 7 for each in sightings):
            raise failure(Trouble.UNREACHABLE, "the database")
        await record(sightings, manifests)

    monkeypatch.setattr(world.store, "record", fail)
    with suppress(Failure):
        await world.tick()
    assert list(world.store.bases.held()) == []
    assert len(world.store.history) == len(MANY) - 1


@pytest.mark.parametrize("trouble", list(Trouble))
async def test_no_trouble_is_ever_taken_for_a_withdrawn_tag(trouble: Trouble) -> None:
    world = await World(ASPNET, NOBLE, SDK).settled()
    known = [world.store.bases[number].digest for number in world.store.bases.rows]
    world.registry.troubles[MCR] = failure(trouble)
    for _ in range(5):
        tally = await world.tick(timedelta(hours=6))
        assert tally.sightings == ()
    assert [world.store.bases[number].digest for number in world.store.bases.rows] == known
    assert all(seen.digest is not None for seen in world.store.history)


@pytest.mark.parametrize("trouble", [Trouble.UNREACHABLE, Trouble.THROTTLED])
async def test_a_host_in_trouble_is_told_once_and_its_end_once(trouble: Trouble) -> None:
    world = await World(*MANY).settled()
    world.registry.troubles[MCR] = failure(trouble)
    for _ in range(6):
        await world.tick(timedelta(hours=1))
    assert world.store.told == [f"{MCR}: has a trouble; its bases are looked at again later"]
    del world.registry.troubles[MCR]
    await world.tick(timedelta(hours=1))
    await world.tick(timedelta(hours=1))
    assert world.store.told[1:] == [f"over: {MCR}"]


async def test_a_host_in_trouble_is_not_asked_for_every_base() -> None:
    world = await World(*MANY).settled()
    world.registry.troubles[MCR] = failure(Trouble.UNREACHABLE)
    tally = await world.tick(QUARTER)
    assert tally.asked <= 3 + WatchOptions().per_host
    assert (tally.failed, tally.postponed) == (0, 30)
    tally = await world.tick(timedelta(hours=1))
    assert tally.asked == 3


async def test_after_too_many_requests_nothing_more_is_asked() -> None:
    world = await World(*MANY, options=WatchOptions(per_host=1)).settled()
    world.registry.troubles[MCR] = failure(Trouble.THROTTLED, retry_after=timedelta(hours=2))
    assert (await world.tick(QUARTER)).asked == 1
    assert {world.store.due(base) for base in MANY} == {world.clock.now() + timedelta(hours=2)}


async def test_a_host_is_left_alone_for_longer_the_longer_its_trouble_lasts() -> None:
    world = await World(ASPNET, NOBLE, SDK).settled()
    world.registry.troubles[MCR] = failure(Trouble.UNREACHABLE)
    world.clock.advance(QUARTER)
    pauses = []
    for _ in range(9):
        at = world.clock.now()
        await world.tick()
        world.clock.move_to(world.store.due(ASPNET))
        pauses.append((world.clock.now() - at).total_seconds() / 60)
    assert pauses == [1, 1, 2, 4, 8, 16, 30, 30, 30]


async def test_another_host_goes_on() -> None:
    world = await World(*MANY, OTHER).settled()
    world.registry.troubles[MCR] = failure(Trouble.UNREACHABLE)
    world.registry.push(OTHER, content="second")
    assert [seen.base for seen in (await world.tick(QUARTER)).moved] == [OTHER]


async def test_one_broken_base_does_not_stop_its_host() -> None:
    world = await World(*MANY).settled()
    world.registry.troubles[str(MANY[0])] = failure(Trouble.UNREACHABLE)
    world.registry.push(*MANY[1:], content="second")
    tally = await world.tick(QUARTER)
    assert (len(tally.moved), tally.failed, tally.opened) == (29, 1, ())


async def test_one_base_without_an_answer_is_told_the_second_time() -> None:
    world = await World(ASPNET, SDK).settled()
    world.registry.troubles[str(SDK)] = failure(Trouble.UNREACHABLE, str(SDK))
    assert (await world.tick(QUARTER)).opened == ()
    assert [each.place for each in (await world.tick_when_due(SDK)).opened] == [str(SDK)]
    assert (await world.tick_when_due(SDK)).opened == ()
    del world.registry.troubles[str(SDK)]
    assert [each.place for each in (await world.tick_when_due(SDK)).cleared] == [str(SDK)]


async def test_a_refused_repository_is_told_once_for_all_its_tags() -> None:
    world = await World(ASPNET, NOBLE, SDK).settled()
    for base in (ASPNET, NOBLE):
        world.registry.troubles[str(base)] = failure(Trouble.DENIED, str(base))
    tally = await world.tick(QUARTER)
    assert [each.place for each in tally.opened] == [ASPNET.name]
    assert (tally.failed, tally.unchanged) == (2, 1)


async def test_a_missing_tag_is_told_once_and_looked_for_less_and_less_often() -> None:
    world = World(ASPNET, SDK)
    del world.registry.shown[SDK]
    opened = list((await world.tick()).opened)
    for _ in range(5):
        opened.extend((await world.tick_when_due(SDK)).opened)
    assert [each.detail for each in opened] == [f"{SDK}: has a trouble; do something"]
    assert world.store.due(SDK) - world.clock.now() == timedelta(hours=1)
    assert world.store.bases.rows[2].error == f"{SDK}: has a trouble; do something"


async def test_a_document_that_cannot_be_read_keeps_the_base_where_it_was() -> None:
    world = await World(ASPNET, SDK).settled()
    before = world.store.bases[1].digest
    digest = world.registry.push(ASPNET, content="second")
    world.registry.documents[digest] = b"{}"
    tally = await world.tick(QUARTER)
    assert (world.store.bases[1].digest, tally.unchanged) == (before, 1)
    assert [each.place for each in tally.opened] == [str(ASPNET)]


async def test_an_incident_is_not_over_while_another_tag_of_the_repository_is_refused() -> None:
    world = await World(ASPNET, NOBLE).settled()
    world.registry.troubles[str(NOBLE)] = failure(Trouble.DENIED)
    await world.tick(QUARTER)
    assert (await world.tick_when_due(NOBLE)).cleared == ()


async def test_a_lost_lease_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def lost(*_: object) -> None:
        raise LeaseLost("another worker has it")

    world = await World(ASPNET, SDK).settled()
    world.registry.push(ASPNET, content="second")
    monkeypatch.setattr(world.store, "record", lost)
    tally = await world.tick(QUARTER)
    assert (tally.sightings, tally.unchanged) == ((), 1)


async def test_a_tick_goes_on_batch_after_batch() -> None:
    world = World(*MANY, options=WatchOptions(batch=10))
    assert [(await world.tick()).asked for _ in range(2)] == [30, 0]


async def test_one_document_without_an_answer_is_no_trouble_of_its_host_however_many_tags_need_it() -> None:
    world = await World(*MANY, SDK).settled()
    digest = world.registry.push(*MANY, content="second")
    world.registry.troubles[digest] = failure(Trouble.UNREACHABLE)
    tally = await world.tick(QUARTER)
    assert (tally.failed, tally.unchanged, tally.postponed) == (30, 1, 0)
    assert world.registry.asked["manifest"] == 1


async def test_a_cache_of_a_mirror_that_serves_an_older_digest_is_no_news_however_often_it_does() -> None:
    world = World(OTHER)
    old = world.registry.shown[OTHER]
    await world.tick()
    new = world.registry.push(OTHER, content="second")
    await world.tick(QUARTER)
    world.store.mirror(OTHER, published=new)
    world.registry.shown[OTHER] = old
    for _ in range(5):
        assert (await world.tick(QUARTER)).sightings == ()
    world.store.mirror(OTHER, published=old)
    assert [each.sight for each in (await world.tick(QUARTER)).sightings] == [Sight.CAME_BACK]


async def test_a_line_of_releases_shows_the_newest_of_its_tags() -> None:
    line = Base(GHCR, "contoso/golden", "1.*.*")
    world = World(line)
    del world.registry.shown[line]
    world.registry.push(replace(line, tag="1.4.2"), content="first")
    [first] = (await world.tick()).sightings
    digest = world.registry.push(replace(line, tag="1.10.0"), content="second")
    world.registry.push(replace(line, tag="2.0.0"), content="third")
    [second] = (await world.tick(QUARTER)).sightings
    assert (first.observation.version, second.observation.version) == ("1.4.2", "1.10.0")
    assert (second.observation.base, second.observation.digest) == (line, digest)


async def test_a_line_without_a_tag_is_told() -> None:
    line = Base(GHCR, "contoso/golden", "1.*.*")
    world = World(line)
    del world.registry.shown[line]
    [incident] = (await world.tick()).opened
    assert "no tag of this line is there" in incident.detail


PATCH_TUESDAY = datetime(2025, 12, 9, 18, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def expecting(*bases: Base, options: WatchOptions | None = None) -> World:
    """A world on Patch Tuesday, whose bases moved last month and are looked at every two minutes."""
    world = await World(*bases, options=options).settled()
    world.clock.move_to(PATCH_TUESDAY + timedelta(hours=1))
    await world.tick()
    world.registry.asked.clear()
    return world


def wait(world: World, base: Base) -> timedelta:
    return world.store.due(base) - world.clock.now()


async def test_a_failed_look_while_a_publication_is_expected_puts_off_that_base_alone_and_by_minutes() -> None:
    world = await expecting(ASPNET, SDK)
    world.registry.troubles[str(SDK)] = failure(Trouble.UNREACHABLE)
    waits = []
    for _ in range(5):
        await world.tick(5 * 2 * MINUTE)
        waits.append(wait(world, SDK))
        assert wait(world, ASPNET) <= 2 * MINUTE
    assert waits == [2 * MINUTE, 4 * MINUTE, 8 * MINUTE, 10 * MINUTE, 10 * MINUTE]


async def test_a_silent_host_is_left_alone_for_minutes_while_a_publication_is_expected() -> None:
    world = await expecting(ASPNET, NOBLE, SDK)
    world.registry.troubles[MCR] = failure(Trouble.UNREACHABLE)
    world.clock.advance(QUARTER)
    pauses = []
    for _ in range(7):
        await world.tick()
        pauses.append(wait(world, ASPNET))
        world.clock.advance(pauses[-1])
    assert pauses == [each * MINUTE for each in (1, 1, 2, 4, 8, 10, 10)]


async def test_what_a_host_asks_for_is_heeded_while_a_publication_is_expected() -> None:
    world = await expecting(ASPNET, NOBLE)
    world.registry.troubles[MCR] = failure(Trouble.THROTTLED, retry_after=timedelta(hours=1))
    await world.tick(QUARTER)
    assert (wait(world, ASPNET), wait(world, NOBLE)) == (timedelta(hours=1), timedelta(hours=1))
    world.registry.asked.clear()
    assert (await world.tick(timedelta(minutes=59))).asked == 0


async def test_a_pause_before_a_publication_ends_with_it() -> None:
    world = World(ASPNET, NOBLE, SDK)
    world.clock.move_to(PATCH_TUESDAY - timedelta(hours=6))
    world = await world.settled()
    world.registry.troubles[MCR] = failure(Trouble.UNREACHABLE)
    world.clock.advance(QUARTER)
    while world.clock.now() < PATCH_TUESDAY:
        await world.tick()
        world.clock.move_to(max(world.store.due(ASPNET), world.clock.now()))
    assert world.clock.now() < PATCH_TUESDAY + 2 * MINUTE
