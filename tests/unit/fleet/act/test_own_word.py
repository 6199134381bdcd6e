"""A repository's own word counts at the last moment, for every action."""

from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest

from bot.domain.builder.port import Builder
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.port import Forge
from bot.domain.forge.pull_requests import MergeRequirements
from bot.domain.host import Host, Hosts
from bot.domain.repositories.repository import FleetRepository, Identity, Workflow
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.rollouts.policy import ActionPreference, Policy, PolicyRule
from bot.domain.rollouts.rebuild import Action, RebuildState
from bot.domain.rollouts.terms import AutoMerge, MergeMethod
from bot.domain.rollouts.timing.pace import WriteLimits
from bot.files.formats.rewrite.refresh import refresh
from bot.fleet.act.own_word import OwnWords, WordHeld, as_now, check_recent
from bot.fleet.act.ports import Job, Successor
from bot.fleet.act.tick import tick
from bot.fleet.wiring.routing import Builders, Forges
from bot.reconcile.guarded import Budget, Turn, covers_all
from tests.fakes.forge import FakeForge
from tests.fakes.repository import CONFIG
from tests.unit.fleet.act.world import ASPNET, BRANCH, NO_ANSWER, NOON, WEEKLY, World, member, rebuild, reference

ACTIONS = [Action.PULL_REQUEST, Action.DISPATCH]


def planned(world: World, action: Action) -> None:
    world.add(rebuild(action), member(WEEKLY))


@pytest.mark.parametrize("action", ACTIONS, ids=str)
@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("enabled: false", "the repository opted out in .github/freshness.yaml"),
        ("action: notify", "the repository asks to be told only"),
        (
            "ignore: [{base: '*aspnet*', reason: frozen}]",
            "the repository asks to leave this alone: ignored: frozen",
        ),
        ("ignore: [{path: Dockerfile}]", "the repository asks to leave this alone: ignored"),
    ],
)
async def test_a_no_since_the_plan_is_heard_before_anything_is_written(
    world: World, action: Action, said: str, told: str
) -> None:
    planned(world, action)
    world.asks(said)
    await world.tick()
    assert (world.store[1].state, world.store[1].reason) == (RebuildState.SKIPPED, told)
    assert world.forge.calls == []


@pytest.mark.parametrize("action", ACTIONS, ids=str)
@pytest.mark.parametrize("said", ["Enabled: false", "enabled: 0", "enabled: [", "enabled: 'false".encode("utf-16")])
async def test_what_cannot_be_understood_may_be_a_no_and_nothing_is_written(
    world: World, action: Action, said: str | bytes
) -> None:
    planned(world, action)
    world.shop.commit_to(world.shop.trunk, {CONFIG: said if isinstance(said, bytes) else said.encode()})
    await world.tick()
    assert world.store[1].state is RebuildState.SKIPPED
    assert world.store[1].reason.startswith("what the repository asks for cannot be understood: .github/")
    assert (world.store.to_read_again, world.forge.calls) == ({7}, [])


@pytest.mark.parametrize("said", ["enabled: false", "enabled: ["])
async def test_what_is_open_stays_where_the_repository_may_say_no_but_merges_no_more_by_itself(
    world: World, said: str
) -> None:
    rule = PolicyRule(auto_merge=AutoMerge(MergeMethod.SQUASH))
    world.options = replace(world.options, policy=Policy((rule,)))
    world.shop.requirements = MergeRequirements(requires_checks=True, can_wait=True)
    planned(world, Action.PULL_REQUEST)
    await world.tick()
    assert world.shop.requests[1].is_to_merge_by_us
    world.asks(said)
    world.store.outdate(1)
    await world.tick()
    request = world.shop.requests[1]
    assert (request.is_open, request.is_to_merge_by_us, world.store[1].state) == (True, False, RebuildState.OPEN)
    world.asks("")
    world.store.outdate(1)
    await world.tick()
    assert world.shop.requests[1].is_to_merge_by_us


@pytest.mark.parametrize("action", ACTIONS, ids=str)
@pytest.mark.parametrize("is_known", [False, True], ids=["since it was read", "when it was read"])
async def test_a_repository_is_read_again_for_a_no_that_its_reading_does_not_know(
    world: World, action: Action, is_known: bool
) -> None:
    world.add(rebuild(action), member(WEEKLY, enabled=not is_known))
    world.asks("enabled: false")
    await world.tick()
    assert world.store[1].state is RebuildState.SKIPPED
    assert world.store.to_read_again == (set() if is_known else {7})


async def test_what_goes_on_with_an_open_pull_request_waits_with_it_for_the_end_of_a_no(world: World) -> None:
    """Skipped, it would leave the pull request to nobody."""
    planned(world, Action.PULL_REQUEST)
    await world.tick()
    world.store.alter(1, rebuild=world.store[1].moved(RebuildState.SUPERSEDED, "a newer digest", at=NOON))
    world.add(rebuild(to="c", id=2, pull_request=1), member(WEEKLY))
    world.asks("enabled: false")
    await world.tick()
    told = "the repository opted out in .github/freshness.yaml; pull request #1 stays as it is"
    assert (world.store[2].state, world.store[2].reason) == (RebuildState.WAITING, told)
    world.asks("")
    await world.later()
    assert (world.store[2].state, world.store[2].pull_request, list(world.shop.requests)) == (
        RebuildState.OPEN,
        1,
        [1],
    )


@pytest.mark.parametrize("action", ACTIONS, ids=str)
async def test_what_has_become_read_only_is_not_written_to(world: World, action: Action) -> None:
    planned(world, action)
    world.shop.is_locked = True
    await world.tick()
    told = "the repository is locked (migrating)"
    assert (world.store[1].state, world.store[1].reason) == (RebuildState.WAITING, told)
    await world.until_it_ends()
    assert (world.store[1].state, world.store[1].reason) == (RebuildState.SKIPPED, told)
    assert world.clock.now() - NOON > timedelta(days=7)
    assert world.forge.calls == []


@pytest.mark.parametrize("action", ACTIONS, ids=str)
@pytest.mark.parametrize("is_seen", [True, False], ids=["as it is looked at", "as it is written to"])
async def test_in_a_repository_that_was_archived_since_its_listing_it_ends_at_once(
    world: World, action: Action, is_seen: bool
) -> None:
    """It is planned again where a listing shows the repository as one that takes changes."""
    planned(world, action)

    def archive() -> None:
        world.shop.is_archived = True

    if is_seen:
        archive()
    else:
        world.forge.meanwhile["dispatch" if action is Action.DISPATCH else "carry_out"] = archive
    await world.tick()
    assert (world.store[1].state, world.store[1].reason) == (RebuildState.SKIPPED, "the repository is archived")
    assert world.store.to_read_once_listed == {7}


@pytest.mark.parametrize("is_seen", [True, False], ids=["as it is looked at", "as it is written to"])
async def test_what_is_built_for_its_age_waits_for_the_end_of_an_archive_and_misses_no_week(
    world: World, is_seen: bool
) -> None:
    aged = rebuild(Action.DISPATCH)
    world.add(replace(aged, targets=tuple(replace(each, changes=()) for each in aged.targets)), member(WEEKLY))

    def archive() -> None:
        world.shop.is_archived = True

    if is_seen:
        archive()
    else:
        world.forge.meanwhile["dispatch"] = archive
    await world.tick()
    assert (world.store[1].state, world.store[1].reason) == (RebuildState.WAITING, "the repository is archived")
    world.forge.meanwhile.clear()
    world.shop.is_archived = False
    await world.later()
    assert world.store[1].state is RebuildState.DISPATCHED


@pytest.mark.parametrize("is_seen", [True, False], ids=["as it is looked at", "as it is written to"])
async def test_what_goes_on_with_an_open_pull_request_waits_with_it_while_that_is_archived(
    world: World, is_seen: bool
) -> None:
    planned(world, Action.PULL_REQUEST)
    await world.tick()
    world.store.alter(1, rebuild=world.store[1].moved(RebuildState.SUPERSEDED, "a newer digest", at=NOON))
    world.add(rebuild(to="c", id=2, pull_request=1), member(WEEKLY))

    def archive() -> None:
        world.shop.is_archived = True

    if is_seen:
        archive()
    else:
        world.forge.meanwhile["prepare"] = archive
    await world.tick()
    assert (world.store[2].state, world.store[2].reason) == (RebuildState.WAITING, "the repository is archived")
    world.shop.is_archived = False
    await world.later()
    assert (world.store[2].state, world.store[2].pull_request, list(world.shop.requests)) == (
        RebuildState.OPEN,
        1,
        [1],
    )


@pytest.mark.parametrize(
    ("action", "said", "told"),
    [
        (Action.PULL_REQUEST, "dispatch", "the repository asks for a workflow run instead of a pull request"),
        (Action.DISPATCH, "pull_request", "the repository asks for a pull request instead of a workflow run"),
    ],
)
async def test_another_action_that_is_asked_for_since_the_plan_is_heard(
    world: World, action: Action, said: str, told: str
) -> None:
    planned(world, action)
    world.asks(f"action: {said}")
    await world.tick()
    assert (world.store[1].state, world.store[1].reason) == (RebuildState.SKIPPED, told)


@pytest.mark.parametrize(
    ("action", "said"),
    [(Action.PULL_REQUEST, "pull_request"), (Action.DISPATCH, "dispatch"), (Action.DISPATCH, "auto")],
)
async def test_the_action_that_was_planned_goes_on(world: World, action: Action, said: str) -> None:
    planned(world, action)
    world.asks(f"action: {said}")
    await world.tick()
    assert world.store[1].state in (RebuildState.OPEN, RebuildState.DISPATCHED)


async def test_what_is_dispatched_since_nothing_can_be_written_goes_on_though_a_pull_request_is_asked_for(
    world: World,
) -> None:
    """The plan knew of it."""
    world.add(rebuild(Action.DISPATCH), member(WEEKLY, action=ActionPreference.PULL_REQUEST))
    world.asks("action: pull_request")
    await world.tick()
    assert world.store[1].state is RebuildState.DISPATCHED


async def test_a_base_that_no_file_is_known_to_name_is_left_alone_for_no_file(world: World) -> None:
    planned(world, Action.DISPATCH)
    world.store.alter(1, places={ASPNET: ()})
    world.asks("ignore: [{path: Dockerfile}]")
    await world.tick()
    assert world.store[1].state is RebuildState.DISPATCHED


async def test_a_file_that_is_left_alone_keeps_no_other_from_being_dispatched_for(world: World) -> None:
    world.add(rebuild(Action.DISPATCH), member(WEEKLY), paths=("Dockerfile", "legacy/Dockerfile"))
    world.asks("ignore: [{path: 'legacy/*'}]")
    await world.tick()
    assert world.store[1].state is RebuildState.DISPATCHED


def many(world: World, count: int) -> None:
    for number in range(1, count + 1):
        home = world.forge.add(f"contoso/app-{number}", {"README.md": b""})
        fleet = FleetRepository(number, home.name, (WEEKLY,), RepositoryConfig(), node_id=home.node_id)
        world.add(rebuild(Action.DISPATCH, id=number, repository=home.name), fleet)


async def test_one_look_serves_fifty_dispatches(world: World) -> None:
    many(world, 100)
    await world.tick()
    assert world.forge.calls == ["dispatch"] * 100
    assert [call for call, _ in world.forge.asked].count("standings") == 2


async def test_one_that_a_shared_look_does_not_show_is_asked_for_by_itself(world: World) -> None:
    many(world, 3)
    world.forge.hidden = {"contoso/app-2"}
    await world.tick()
    assert [world.store[number].state for number in (1, 2, 3)] == [RebuildState.DISPATCHED] * 3


async def test_no_write_begins_more_than_a_minute_after_its_look(world: World) -> None:
    many(world, 30)
    world.forge.takes = timedelta(seconds=4)
    await world.tick()
    assert world.forge.calls == ["dispatch"] * 30
    looked_at = NOON
    for call, at in world.forge.asked:
        looked_at = at if call == "standings" else looked_at
        assert call != "dispatch" or at - looked_at <= timedelta(seconds=60)


async def test_a_pull_request_whose_writes_took_too_long_is_looked_at_again(world: World) -> None:
    """The branch stands by then; only the labels wait for the next attempt."""
    planned(world, Action.PULL_REQUEST)
    world.forge.takes = timedelta(seconds=40)
    await world.tick()
    assert (world.store[1].state, world.forge.calls) == (RebuildState.WAITING, ["carry_out"])
    world.forge.takes = timedelta(0)
    await world.later()
    assert (world.store[1].state, world.forge.calls) == (RebuildState.OPEN, ["carry_out", "grant"])


class Turns:
    """Gives each write its turn only after a while."""

    def __init__(self, world: World, wait: timedelta) -> None:
        self.world, self.wait = world, wait

    async def take(self, account: str, contents: int, limits: WriteLimits) -> Turn:
        return Turn(self.world.clock.now() + self.wait)

    async def stop(self, account: str, asked: timedelta | None) -> timedelta:
        return timedelta(0)

    async def sleep(self, seconds: float) -> None:
        self.world.clock.advance(timedelta(seconds=seconds))


def waiting_for_turns(world: World, wait: timedelta) -> Turns:
    turns = Turns(world, wait)
    world.loop.budget = Budget(turns, world.clock, sleep=turns.sleep)
    return turns


@pytest.mark.parametrize("action", ACTIONS, ids=str)
async def test_a_word_that_grew_old_while_the_write_waited_for_its_turn_counts_no_more(
    world: World, action: Action
) -> None:
    planned(world, action)
    waiting_for_turns(world, timedelta(seconds=70))
    await world.tick()
    assert (world.store[1].state, world.forge.calls) == (RebuildState.WAITING, [])
    assert "took too long" in world.store[1].reason


async def test_a_run_that_waited_too_long_for_its_turn_was_never_asked_for(world: World) -> None:
    planned(world, Action.DISPATCH)
    turns = waiting_for_turns(world, timedelta(seconds=70))
    for _ in range(4):
        await world.later()
    assert (world.store[1].state, world.store[1].attempted_at) == (RebuildState.WAITING, None)
    turns.wait = timedelta(seconds=1)
    await world.later()
    assert (world.store[1].state, world.forge.calls) == (RebuildState.DISPATCHED, ["dispatch"])


async def test_a_run_that_others_have_taken_over_before_its_turn_was_never_asked_for(world: World) -> None:
    planned(world, Action.DISPATCH)
    turns = waiting_for_turns(world, timedelta(seconds=1))

    async def held_meanwhile(seconds: float) -> None:
        world.store.jobs.steal(1)

    world.loop.budget = Budget(turns, world.clock, sleep=held_meanwhile)
    await world.tick()
    assert (world.store[1].attempted_at, world.forge.calls) == (None, [])


def test_a_look_that_a_clock_set_back_calls_still_to_come_counts_no_more() -> None:
    with pytest.raises(Failure, match="took too long"):
        check_recent("contoso/shop", NOON + timedelta(hours=1), NOON)


async def test_a_clock_that_is_set_back_has_the_repositories_looked_at_again(world: World) -> None:
    many(world, 2)
    world.forge.meanwhile["dispatch"] = lambda: world.clock.advance(-timedelta(hours=1))
    await world.tick()
    assert [call for call, _ in world.forge.asked].count("standings") == 2


async def test_a_repository_that_is_gone_is_no_yes(world: World) -> None:
    planned(world, Action.DISPATCH)
    world.shop.is_gone = True
    await world.tick()
    assert world.store[1].state is RebuildState.WAITING
    assert world.forge.calls == []


# Names


@pytest.mark.parametrize("action", ACTIONS, ids=str)
async def test_a_renamed_repository_is_written_to_under_its_new_name(world: World, action: Action) -> None:
    planned(world, action)
    world.shop.name = "contoso/store"
    await world.tick()
    assert world.store[1].state in (RebuildState.OPEN, RebuildState.DISPATCHED)


async def test_another_repository_under_the_old_name_is_left_alone(world: World) -> None:
    planned(world, Action.PULL_REQUEST)
    world.shop.name = "contoso/store"
    other = world.forge.add("contoso/shop", {"Dockerfile": f"FROM {reference('a')}\n".encode()})
    await world.tick()
    assert (other.requests, list(other.branches)) == ({}, ["main"])
    assert BRANCH in world.shop.branches


@pytest.mark.parametrize("action", ACTIONS, ids=str)
async def test_a_repository_renamed_out_of_what_the_operator_includes_is_not_written_to(
    world: World, action: Action
) -> None:
    planned(world, action)
    world.loop.covers = lambda home: home.name.startswith("contoso/")
    world.shop.name = "elsewhere/shop"
    await world.tick()
    assert (world.store[1].state, world.forge.calls) == (RebuildState.WAITING, [])
    assert world.store[1].reason.startswith("the repository is not in the fleet at present")


@pytest.mark.parametrize("action", ACTIONS, ids=str)
async def test_what_ends_for_the_word_of_a_renamed_repository_is_known_by_its_new_name(
    world: World, action: Action
) -> None:
    planned(world, action)
    world.shop.name = "contoso/store"
    world.asks("enabled: false")
    await world.tick()
    assert (world.store[1].state, world.store[1].repository) == (RebuildState.SKIPPED, "contoso/store")


async def test_a_rename_between_look_and_write_is_looked_up_again(world: World) -> None:
    planned(world, Action.PULL_REQUEST)

    def renamed() -> None:
        world.shop.name = "contoso/store"

    world.forge.meanwhile["carry_out"] = renamed
    await world.tick()
    assert world.store[1].state is RebuildState.WAITING
    await world.later()
    assert world.store[1].state is RebuildState.OPEN


# An action that changes for good


async def test_a_pull_request_ends_once_the_repository_asks_for_runs(world: World) -> None:
    planned(world, Action.PULL_REQUEST)
    await world.tick()
    world.asks("action: dispatch")
    world.store.outdate(1)
    await world.later()
    assert (world.store[1].state, world.store[1].reason) == (
        RebuildState.SKIPPED,
        "the repository is rebuilt by a workflow run instead",
    )
    assert not world.shop.requests[1].is_open
    assert (
        "**Closed by the bot:** the repository is rebuilt by a workflow run instead." in world.shop.requests[1].body
    )


async def test_a_pull_request_ends_once_a_run_was_dispatched_for_its_base(world: World) -> None:
    planned(world, Action.PULL_REQUEST)
    await world.tick()
    world.add(rebuild(Action.DISPATCH, id=2, to="c"), member(WEEKLY))
    await world.tick()
    await world.tick()
    assert [world.store[number].state for number in (1, 2)] == [RebuildState.CANCELLED, RebuildState.DISPATCHED]
    assert not world.shop.requests[1].is_open


async def test_a_closed_pull_request_links_to_the_run_that_took_its_place(world: World) -> None:
    planned(world, Action.PULL_REQUEST)
    await world.tick()
    later = Successor(Action.DISPATCH, "https://forge/run/7")
    world.store.jobs[1] = replace(world.store.jobs[1], replaced_by=later)
    world.store.outdate(1)
    await world.tick()
    told = "**Closed by the bot:** the repository is rebuilt by a workflow run instead: https://forge/run/7."
    assert told in world.shop.requests[1].body


async def test_one_that_has_ended_is_followed_to_its_end_whatever_the_repository_says_by_now(world: World) -> None:
    planned(world, Action.PULL_REQUEST)
    await world.tick()
    world.shop.merge(1)
    world.asks("enabled: false")
    world.store.outdate(1)
    await world.tick()
    after = world.store[1]
    assert (after.state, after.text_version) == (RebuildState.OPEN, after.facts_version)


# Looks


class Next:
    """Tells whose dispatches come next."""

    def __init__(self, *identities: Identity) -> None:
        self.identities = identities

    async def due_for_dispatch(self, limit: int) -> list[Identity]:
        return [*self.identities][:limit]


async def test_a_look_at_others_takes_nothing_away_from_what_was_heard_within_a_minute(world: World) -> None:
    other = world.forge.add("contoso/other", {"README.md": b""})
    words = OwnWords(Next(), world.forge, world.clock)
    await words.of(world.shop.identity)
    world.clock.advance(timedelta(seconds=30))
    await words.of(other.identity)
    await words.of(world.shop.identity)
    assert [call for call, _ in world.forge.asked] == ["standings"] * 2
    assert (words.looked_at(world.shop.identity), words.looked_at(other.identity)) == (
        NOON,
        NOON + timedelta(seconds=30),
    )


@pytest.mark.parametrize(("seconds", "looks"), [(45, 1), (46, 2)])
async def test_a_look_serves_others_for_three_quarters_of_a_minute(world: World, seconds: int, looks: int) -> None:
    words = OwnWords(Next(), world.forge, world.clock)
    await words.of(world.shop.identity)
    world.clock.advance(timedelta(seconds=seconds))
    await words.of(world.shop.identity)
    assert len(world.forge.asked) == looks


async def test_those_that_come_next_are_looked_at_with_the_first_and_one_that_was_forgotten_again(
    world: World,
) -> None:
    other = world.forge.add("contoso/other", {"README.md": b""})
    words = OwnWords(Next(world.shop.identity, other.identity), world.forge, world.clock)
    await words.of(world.shop.identity)
    await words.of(other.identity)
    assert len(world.forge.asked) == 1
    words.forget(other.identity)
    await words.of(world.shop.identity)
    assert len(world.forge.asked) == 1
    await words.of(other.identity)
    assert len(world.forge.asked) == 2


async def test_one_whose_word_holds_still_takes_no_place_in_a_look_at_others(world: World) -> None:
    other = world.forge.add("contoso/other", {"README.md": b""})
    come_next = Next()
    words = OwnWords(come_next, world.forge, world.clock)
    await words.of(world.shop.identity)
    world.clock.advance(timedelta(seconds=30))
    come_next.identities = (world.shop.identity,)
    await words.of(other.identity)
    assert words.looked_at(world.shop.identity) == NOON


async def test_a_repository_that_is_not_shown_is_told_with_what_to_check(world: World) -> None:
    words = OwnWords(Next(), world.forge, world.clock)
    world.shop.is_gone = True
    with pytest.raises(Failure) as failed:
        await words.of(world.shop.identity)
    assert str(failed.value) == (
        "contoso/shop: the repository is not there any more; "
        "check that it exists and that the credentials may see it"
    )


class Always:
    """A lease that is never lost."""

    async def check(self) -> None:
        return None


async def test_an_intent_is_stored_once_however_many_writes_follow(world: World) -> None:
    stored: list[str] = []

    async def store() -> None:
        stored.append("intent")

    held = WordHeld(Always(), world.clock, intent=store)
    for _ in range(3):
        await held.check()
    assert stored == ["intent"]


async def test_what_is_known_of_a_repository_at_the_write_is_what_it_shows_then(world: World) -> None:
    """Its name, its node and its default branch; who owns its code was read before."""
    known = replace(member(), node_id=None)
    world.shop.name = "contoso/store"
    job = Job(rebuild(), known, "master", (), (), is_listed=True)
    word = (await world.forge.standings([world.shop.identity]))[world.shop.identity]
    now = as_now(job, word, covers_all, NOON)
    assert (now.member.identity, now.rebuild.identity) == (world.shop.identity, world.shop.identity)
    assert (now.default_branch, now.is_listed) == ("main", True)
    empty = as_now(job, replace(word, default_branch=None), covers_all, NOON)
    assert empty.default_branch == "master"
    assert not as_now(replace(job, is_listed=False), word, covers_all, NOON).is_listed
    assert not as_now(job, word, lambda name: False, NOON).is_listed


@pytest.mark.parametrize(("seconds", "is_heard"), [(60, True), (61, False)])
async def test_a_word_counts_for_a_minute(world: World, seconds: int, is_heard: bool) -> None:
    held = WordHeld(Always(), world.clock)
    held.hear("contoso/shop", NOON)
    world.clock.advance(timedelta(seconds=seconds))
    if is_heard:
        await held.check()
    else:
        with pytest.raises(Failure) as failed:
            await held.check()
        assert str(failed.value) == (
            "contoso/shop: the forge took too long since the repository was looked at; the next attempt looks again"
        )


class Noted(Turns):
    """Notes whose turns are asked for."""

    def __init__(self, world: World) -> None:
        super().__init__(world, timedelta(0))
        self.accounts: list[str] = []

    async def take(self, account: str, contents: int, limits: WriteLimits) -> Turn:
        self.accounts.append(account)
        return await super().take(account, contents, limits)


async def test_a_dispatch_elsewhere_takes_no_turn_of_the_forge(world: World) -> None:
    planned(world, Action.DISPATCH)
    turns = Noted(world)
    world.loop.budget = Budget(turns, world.clock, sleep=turns.sleep)
    world.loop.builder_budget = Budget(turns, world.clock, sleep=turns.sleep, host="dev.azure.com")
    await world.tick()
    assert (world.forge.calls, turns.accounts) == (["dispatch"], ["dev.azure.com: contoso/"])


async def test_where_the_forge_builds_a_dispatch_takes_its_turn(world: World) -> None:
    planned(world, Action.DISPATCH)
    turns = Noted(world)
    world.loop.budget = Budget(turns, world.clock, sleep=turns.sleep)
    await world.tick()
    assert (world.forge.calls, turns.accounts) == (["dispatch"], ["contoso/"])


@pytest.mark.parametrize(
    ("builder", "opened"), [("dev.azure.com", RebuildState.OPEN), ("github", RebuildState.PLANNED)]
)
async def test_a_builder_elsewhere_that_cannot_be_reached_keeps_no_pull_request(
    world: World, builder: str, opened: RebuildState
) -> None:
    world.options = replace(world.options, hosts=Hosts(builder=Host(builder)))
    many(world, 9)
    world.add(rebuild(id=10), member(WEEKLY))
    world.forge.failing["dispatch"] = NO_ANSWER
    await world.tick()
    assert world.store[10].state is opened


async def test_words_are_asked_for_ahead_at_the_forge_alone_that_is_asked_anyway(world: World) -> None:
    """What another forge takes, or lacks, is no matter of this write."""
    desk = FleetRepository(8, "contoso/team/desk", (), RepositoryConfig(), node_id="R_8", forge="azure-devops")
    planned(world, Action.DISPATCH)
    world.add(rebuild(Action.DISPATCH, id=2), desk)
    azure = FakeForge(world.clock, forge="azure-devops")
    both = cast(Forge, Forges({"github": world.forge, "azure-devops": azure}))
    await OwnWords(world.store, both, world.clock).of(world.store.jobs[1].member.identity)
    assert (world.forge.asked[-1][0], azure.asked) == ("standings", [])


async def test_a_forge_that_wants_rest_during_a_dispatch_gets_it_and_the_builder_none(
    world: World,
) -> None:
    world.options = replace(world.options, hosts=Hosts(Host("api.github.com"), Host("dev.azure.com")))
    forge = cast(Forge, Forges({"github": world.forge}, Host("api.github.com")))
    planned(world, Action.DISPATCH)
    world.forge.failing["standings"] = Failure(Trouble.THROTTLED, "slow down", retry_after=timedelta(hours=1))
    await tick(world.store, forge, world.forge, world.registry, refresh, world.options, world.loop)
    assert set(world.loop._resting) == {"api.github.com"}
    world.clock.advance(timedelta(minutes=1))
    asked = len(world.forge.asked)
    world.add(rebuild(Action.DISPATCH, id=2), member(WEEKLY))
    await tick(world.store, forge, world.forge, world.registry, refresh, world.options, world.loop)
    assert len(world.forge.asked) == asked


async def test_a_pipeline_is_started_where_it_is_and_in_the_turn_of_whose_it_is(world: World) -> None:
    pipeline = "azure-pipelines: Fabrikam/team/12"
    azure, turns = FakeForge(world.clock), Noted(world)
    azure.homes = world.forge.homes
    world.options = replace(
        world.options, hosts=Hosts(builder=Host(others={"azure-pipelines": Host("dev.azure.com")}))
    )
    elsewhere = Budget(turns, world.clock, sleep=turns.sleep, host="dev.azure.com")
    world.loop.budget = Budget(turns, world.clock, sleep=turns.sleep, others={"azure-pipelines": elsewhere})
    world.add(rebuild(Action.DISPATCH, workflow=pipeline), member(Workflow(pipeline, ("correlation",))))
    builder = cast(Builder, Builders({"github": world.forge, "azure-pipelines": azure}))
    await tick(world.store, world.forge, builder, world.registry, refresh, world.options, world.loop)
    assert (world.forge.calls, azure.calls) == ([], ["dispatch"])
    assert turns.accounts == ["dev.azure.com: fabrikam/"]
