"""Repositories are taken up, brought along with the texts that were kept of them, and told of where that fails."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from bot.domain.failure import Failure, Trouble
from bot.domain.forge.branches import scratch_of
from bot.domain.repositories.onboarding import Onboarding, OnboardingState
from bot.domain.repositories.repository import blob_name
from bot.fleet.act.onboarding.deciding import BRANCH
from bot.fleet.act.onboarding.ports import DueOnboarding, OnboardingOptions
from bot.fleet.act.onboarding.tick import OnboardingTally, tick
from bot.fleet.wiring.auditing import AuditProposer
from bot.reconcile.loop import Loop
from tests.fakes.hooks import ToldRows
from tests.fakes.queue import FakeQueue
from tests.fakes.repository import BOT, SHA1
from tests.unit.fleet.act.onboarding.world import World

WAITING, OPEN = OnboardingState.WAITING, OnboardingState.OPEN
SET_ASIDE, DONE = OnboardingState.SET_ASIDE, OnboardingState.DONE
DAY = timedelta(days=1)
SCRATCH = scratch_of(BRANCH)
DENIED = Failure(Trouble.DENIED, "Resource not accessible by integration")
SAID = "Resource not accessible by integration"


@dataclass
class Store:
    """One repository that is due, as discovery has read it last."""

    world: World
    onboardings: FakeQueue[DueOnboarding] = field(default_factory=FakeQueue)
    kept: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[Collection[str], Collection[str], int]] = field(default_factory=list)
    settled: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        home = self.world.home
        files = home.commits[home.branches[home.trunk]].files
        names = {path: blob_name(text, SHA1) for path, text in files.items()}
        self.kept = {names[path]: text for path, text in files.items()}
        due = DueOnboarding(1, home.identity, names, self.world.onboarding)
        self.onboardings.add(due, self.world.clock.now())

    async def enlist(self, repositories: Collection[str], checks: Collection[str], at_once: int) -> int:
        self.asked.append((repositories, checks, at_once))
        return 2

    async def contents(self, shas: Sequence[str]) -> Mapping[str, bytes]:
        return {sha: self.kept[sha] for sha in shas if sha in self.kept}

    async def settle_onboarding(
        self, item: DueOnboarding, after: Onboarding, due_at: datetime, *, succeeded: bool = True
    ) -> None:
        self.settled.append(succeeded)
        self.onboardings.settle(1, due_at, replace(item, onboarding=after))

    def stands(self, state: OnboardingState, reason: str = "asked for", **values: object) -> None:
        onboarding = Onboarding(state, reason, **values)  # type: ignore[arg-type]
        self.onboardings[1] = replace(self.onboardings[1], onboarding=onboarding)

    @property
    def now(self) -> Onboarding:
        return self.onboardings[1].onboarding

    @property
    def rest(self) -> timedelta:
        return self.onboardings.rows[1].due_at - self.world.clock.now()

    async def tick(self) -> OnboardingTally:
        options = self.world.options
        proposer = AuditProposer(frozenset(options.checks))
        return await tick(self, self.world.forge, self.world.forge, proposer, options, Loop(self.world.clock))


@pytest.fixture
def store(world: World) -> Store:
    world.only("base-pinned")
    return Store(world)


async def test_what_is_due_is_brought_along_and_looked_at_again(store: Store) -> None:
    assert await store.tick() == OnboardingTally(done=1, enlisted=2)
    assert (store.now.state, store.now.number) == (OPEN, 1)
    assert (store.rest, store.settled) == (timedelta(minutes=5), [True])


async def test_repositories_are_taken_up_as_the_operator_wants_it(store: Store) -> None:
    store.world.options = OnboardingOptions(("contoso/*",), 7, ("sbom",))
    await store.tick()
    assert store.asked == [(("contoso/*",), ("sbom",), 7)]


async def test_what_a_repository_has_declined_is_not_proposed(store: Store) -> None:
    store.stands(WAITING, declined=("base-pinned",))
    await store.tick()
    assert (store.now.state, store.world.home.requests) == (DONE, {})


async def test_where_texts_are_not_kept_any_more_it_is_told_how_many_and_tried_again(store: Store) -> None:
    for sha in [*store.kept][:2]:
        del store.kept[sha]
    tally = await store.tick()
    told = "contoso/shop: 2 of its files are not kept any more; the next reading of the repository brings them back"
    assert (tally.problems, store.world.forge.calls) == ((told,), [])
    assert (store.now.state, store.rest) == (WAITING, timedelta(seconds=30))


@pytest.mark.parametrize("trouble", [Trouble.DENIED, Trouble.CONFLICT])
@pytest.mark.parametrize("state", [WAITING, SET_ASIDE])
async def test_what_the_forge_refuses_before_anything_is_open_gives_its_place_to_another_until_tomorrow(
    store: Store, state: OnboardingState, trouble: Trouble
) -> None:
    store.stands(state)
    store.world.forge.failing["carry_out"] = Failure(trouble, SAID)
    assert (await store.tick()).problems == (SAID,)
    assert (store.now.state, store.now.reason) == (SET_ASIDE, SAID)
    assert (store.rest, store.settled) == (DAY, [False])


@pytest.mark.parametrize(
    "under_way",
    [{"state": OPEN, "number": 1}, {"state": WAITING, "number": 1}, {"state": DONE}],
    ids=["it is open", "one was merged", "nothing is left to do"],
)
async def test_what_is_refused_later_keeps_its_state(store: Store, under_way: dict[str, object]) -> None:
    store.stands(**under_way)  # type: ignore[arg-type]
    store.world.forge.failing["look"] = DENIED
    await store.tick()
    assert (store.now.state, store.rest) == (under_way["state"], timedelta(seconds=30))


async def test_where_the_forge_does_not_answer_it_keeps_its_place(store: Store) -> None:
    store.world.forge.failing["look"] = Failure(Trouble.MISSING, "not found")
    assert (await store.tick()).problems == ("not found",)
    assert (store.now.state, store.rest) == (WAITING, timedelta(seconds=30))


async def test_a_refusal_is_told_once(store: Store) -> None:
    store.world.forge.failing["look"] = DENIED
    assert (await store.tick()).problems == (SAID,)
    store.world.clock.advance(DAY)
    assert (await store.tick()).problems == ()


async def test_a_failure_that_its_row_shows_already_is_not_told_again(store: Store) -> None:
    store.world.forge.failing["look"] = Failure(Trouble.MISSING, "not found")
    store.onboardings[1] = replace(store.onboardings[1], error="not found")
    assert (await store.tick()).problems == ()


# What an attempt has left that came to no end


def left_by_a_crash(
    store: Store, message: str = "Pinned (base-pinned)\n\nFreshness-Onboarding: base-pinned\n"
) -> None:
    """The scratch branch of an attempt that got no further, and its row, of which nothing is to be brought now."""
    home = store.world.home
    store.stands(WAITING, declined=("base-pinned",))
    home.branches[SCRATCH] = home.add(
        replace(home.commits[home.branches[home.trunk]], message=message, author=BOT, committer=BOT)
    )
    store.onboardings.rows[1].attempts = 1


async def test_a_look_at_it_that_grew_old_while_its_deletion_waited_counts_no_more(store: Store) -> None:
    left_by_a_crash(store)
    store.world.forge.meanwhile["look"] = lambda: store.world.clock.advance(timedelta(seconds=70))
    await store.tick()
    assert SCRATCH in store.world.home.branches
    store.world.clock.advance(DAY)
    await store.tick()
    assert SCRATCH not in store.world.home.branches


async def test_the_next_attempt_takes_its_scratch_branch_away(store: Store) -> None:
    left_by_a_crash(store)
    await store.tick()
    assert SCRATCH not in store.world.home.branches


async def test_a_first_attempt_looks_for_none(store: Store) -> None:
    left_by_a_crash(store)
    store.onboardings.rows[1].attempts = 0
    await store.tick()
    assert SCRATCH in store.world.home.branches


@pytest.mark.parametrize("message", ["mine", "Refresh aspnet:10.0\n\nFreshness-Base: aspnet:10.0@sha256:b\n"])
async def test_a_branch_of_that_name_that_no_onboarding_has_made_stays(store: Store, message: str) -> None:
    left_by_a_crash(store, message)
    await store.tick()
    assert SCRATCH in store.world.home.branches


async def test_one_that_a_person_has_committed_to_stays(store: Store) -> None:
    left_by_a_crash(store)
    store.world.home.amend(SCRATCH, {"Dockerfile": b"FROM ours\n"})
    await store.tick()
    assert SCRATCH in store.world.home.branches


async def test_one_without_a_commit_of_its_own_goes(store: Store) -> None:
    left_by_a_crash(store)
    home = store.world.home
    home.branches[SCRATCH] = home.branches[home.trunk]
    await store.tick()
    assert SCRATCH not in home.branches


async def test_nothing_is_taken_away_in_a_repository_that_is_read_only(store: Store) -> None:
    left_by_a_crash(store)
    store.world.home.is_archived = True
    await store.tick()
    assert (store.now.state, store.now.reason) == (SET_ASIDE, "the repository is archived")
    assert (store.settled, store.world.forge.calls) == ([True], [])


async def test_where_none_was_left_the_next_attempt_goes_on(store: Store) -> None:
    store.onboardings.rows[1].attempts = 1
    await store.tick()
    assert store.now.state is OPEN


async def test_metrics_have_it_under_its_name(store: Store) -> None:
    told = ToldRows()
    options = store.world.options
    proposer = AuditProposer(frozenset(options.checks))
    await tick(store, store.world.forge, store.world.forge, proposer, options, Loop(store.world.clock, told))
    assert told.stages == ["onboarding"]
