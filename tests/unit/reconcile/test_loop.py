"""The loop over rows in memory: what is claimed ends settled, put off, or with somebody else."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, LeaseLost, Trouble
from bot.reconcile.guarded import NoTurn
from bot.reconcile.loop import Loop
from bot.reconcile.round import Tally
from bot.reconcile.work import Claimed, Hooks, Lease, RowOutcome, Work, put_off_by_backoff
from bot.store.engine.failures import NoRoom
from tests.fakes.failures import alike
from tests.fakes.queue import FakeQueue

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SILENT = Failure(Trouble.UNREACHABLE, "no answer")
THROTTLED = Failure(Trouble.THROTTLED, "slow down", where="a.example", retry_after=timedelta(minutes=20))


@dataclass(slots=True)
class Post:
    """An item that belongs to a host; what happens to it is told by `Posts.meets`."""

    host: str
    number: int


class Posts(Work[Post, str]):
    stage = "posts"
    batch = 10
    at_once = 3

    def __init__(self, queue: FakeQueue[Post]) -> None:
        self._queue = queue
        self.meets: dict[int, Exception | Callable[[Lease], Awaitable[None]]] = {}
        self.unsettled: dict[int, Exception] = {}
        self.unfailing: Exception | None = None
        self.tried: list[int] = []
        self.settled: list[int] = []
        self.prepared: list[tuple[str, int]] = []
        self.together: list[int] = []
        self.are_small = False
        self.meet_the_same = False
        """Whether items that meet alike failures were asked about together, and meet the very same one."""
        self.suspects: set[str] = set()
        self.needs_also: dict[str, tuple[str, ...]] = {}
        self.longest = timedelta(minutes=30)
        self.running = self.most_running = 0

    @property
    def queue(self) -> FakeQueue[Post]:
        return self._queue

    def host(self, item: Post) -> str:
        return item.host

    def needs(self, item: Post) -> Sequence[str]:
        return self.needs_also.get(item.host, ())

    def is_suspect(self, host: str) -> bool:
        return host in self.suspects

    def longest_pause(self, items: Sequence[Post], now: datetime) -> timedelta:
        return self.longest

    async def prepare(self, host: str, items: Sequence[Post]) -> None:
        self.prepared.append((host, len(items)))

    async def attempt(self, item: Post, lease: Lease) -> str:
        self.tried.append(item.number)
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        try:
            await asyncio.sleep(0)
            match self.meets.get(item.number):
                case None:
                    return "well"
                case Failure() as failure:
                    raise failure if self.meet_the_same else alike(failure)
                case Exception() as error:
                    raise error
                case act:
                    await act(lease)
                    return "well"
        finally:
            self.running -= 1

    def is_small(self, result: str) -> bool:
        return self.are_small

    async def settle(self, item: Post, result: str) -> None:
        if item.number in self.unsettled:
            raise self.unsettled[item.number]
        self._queue.settle(item.number, NOON + HOUR)
        self.settled.append(item.number)

    async def settle_together(self, done: Sequence[tuple[Post, str]]) -> None:
        if any(item.number in self.unsettled for item, _ in done):
            raise SILENT
        self.together.append(len(done))
        for item, result in done:
            await self.settle(item, result)

    async def failed(self, item: Post, claimed: Claimed, failure: Failure, now: datetime) -> str | None:
        if self.unfailing is not None:
            raise self.unfailing
        await put_off_by_backoff(self._queue, claimed, failure, now)
        return f"{item.host}: {failure}"


class Counted(Hooks):
    def __init__(self) -> None:
        self.outcomes: Counter[RowOutcome] = Counter()
        self.told: list[tuple[str, str, timedelta]] = []

    def ended(self, stage: str, host: str, outcome: RowOutcome, took: timedelta) -> None:
        self.outcomes[outcome] += 1
        self.told.append((stage, host, took))


@dataclass(slots=True)
class World:
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOON))
    queue: FakeQueue[Post] = field(default_factory=FakeQueue)
    hooks: Counted = field(default_factory=Counted)
    posts: Posts = field(init=False)
    loop: Loop = field(init=False)

    def __post_init__(self) -> None:
        self.posts = Posts(self.queue)
        self.loop = Loop(self.clock, self.hooks)

    def add(self, *hosts: str) -> None:
        for host in hosts:
            number = len(self.queue.rows) + 1
            self.queue.add(Post(host, number), NOON, id=number)

    async def run(self, after: timedelta = timedelta()) -> Tally:
        self.clock.advance(after)
        return await self.loop.run(self.posts)

    def due(self, number: int) -> timedelta:
        return self.queue.rows[number].due_at - self.clock.now()


@pytest.fixture
def world() -> World:
    return World()


async def test_all_that_is_due_is_done_batch_after_batch_and_nothing_twice(world: World) -> None:
    world.add(*["a"] * 25)
    tally = await world.run()
    assert (tally.claimed, tally.done, tally.problems) == (25, 25, [])
    assert sorted(world.posts.settled) == list(range(1, 26))
    assert (await world.run()).claimed == 0


async def test_what_has_ended_is_not_given_back_besides(world: World) -> None:
    """That would be one more write for each batch."""
    world.add(*["a"] * 5)
    await world.run()
    assert world.queue.put_off_calls == 0


async def test_no_more_items_of_a_host_are_tried_at_a_time_than_allowed(world: World) -> None:
    world.add(*["a"] * 10)
    await world.run()
    assert world.posts.most_running == 3


async def test_hosts_do_not_wait_for_each_other(world: World) -> None:
    released = asyncio.Event()

    async def wait(_: Lease) -> None:
        await released.wait()

    async def release(_: Lease) -> None:
        released.set()

    world.add("a", "a", "a", "b")
    world.posts.meets = {1: wait, 2: wait, 3: wait, 4: release}
    assert (await world.run()).done == 4


async def test_items_with_the_same_key_are_tried_one_after_the_other(world: World) -> None:
    world.add(*["a"] * 6)
    world.posts.key = lambda item: "same"  # type: ignore[method-assign]
    await world.run()
    assert world.posts.most_running == 1


async def test_each_hosts_items_are_prepared_together(world: World) -> None:
    world.add("a", "b", "a", "a")
    await world.run()
    assert sorted(world.posts.prepared) == [("a", 3), ("b", 1)]


async def test_a_host_that_is_left_alone_is_not_asked_for_what_can_be_prepared_either(world: World) -> None:
    world.add("a")
    world.posts.meets[1] = Failure(Trouble.THROTTLED, "slow down", retry_after=timedelta(hours=1))
    await world.run()
    world.add("a")
    await world.run()
    assert (world.posts.prepared, world.due(2)) == ([("a", 1)], timedelta(hours=1))


async def test_what_cannot_be_prepared_fails_with_its_reason(world: World) -> None:
    async def refuse(host: str, items: Sequence[Post]) -> None:
        raise Failure(Trouble.DENIED, "not for you")

    world.add("a", "a")
    world.posts.prepare = refuse  # type: ignore[method-assign]
    tally = await world.run()
    assert (world.posts.tried, tally.failed) == ([], 2)
    assert {row.error for row in world.queue.rows.values()} == {"not for you"}


async def test_a_row_that_cannot_be_read_fails_alone_and_is_named(world: World) -> None:
    world.add("a", "a")
    world.queue.add(ValueError("no such state: 'melted'"), NOON, "rebuild 3", id=3)
    with capture_logs() as logs:
        tally = await world.run()
    assert (tally.done, tally.failed) == (2, 1)
    [problem] = tally.problems
    assert problem.startswith("rebuild 3: cannot be read: ValueError")
    assert (logs[0]["event"], logs[0]["stage"], logs[0]["row"]) == ("row cannot be read", "posts", "rebuild 3")
    assert world.queue.rows[3].error == problem.removeprefix("rebuild 3: ")
    assert world.due(3) == timedelta(seconds=30)
    await world.run(timedelta(seconds=30))
    assert world.due(3) == timedelta(minutes=1)


async def test_what_a_row_that_cannot_be_read_says_is_cut(world: World) -> None:
    world.queue.add(ValueError("x" * 900), NOON, "rebuild 1")
    [problem] = (await world.run()).problems
    assert len(problem) == len("rebuild 1: ") + 500


@pytest.mark.parametrize(("home", "told"), [(None, ""), ("a", "a")])
async def test_a_row_that_cannot_be_read_is_counted_for_the_host_that_all_need(
    world: World, home: str | None, told: str
) -> None:
    world.posts.home = home
    world.queue.add(ValueError("melted"), NOON, "rebuild 1")
    await world.run()
    assert world.hooks.told == [("posts", told, timedelta())]


@pytest.mark.parametrize("met", [None, LeaseLost("taken over")])
async def test_it_is_told_how_long_an_attempt_took(world: World, met: Exception | None) -> None:
    async def take_long(lease: Lease) -> None:
        world.clock.advance(timedelta(minutes=1))
        if met is not None:
            raise met

    world.add("a")
    world.posts.meets[1] = take_long
    await world.run()
    assert world.hooks.told == [("posts", "a", timedelta(minutes=1))]


async def test_a_row_whose_reading_says_why_it_fails_stops_no_other(world: World) -> None:
    world.add("a", "a")
    world.queue.add(Failure(Trouble.MALFORMED, "due_at holds no date"), NOON, "rebuild 3", id=3)
    tally = await world.run()
    assert (tally.done, tally.failed, tally.problems) == (2, 1, ["rebuild 3: due_at holds no date"])
    assert world.due(3) == timedelta(seconds=30)


async def test_a_failure_puts_off_its_item_alone_with_a_growing_rest(world: World) -> None:
    world.add("a", "a", "a")
    world.posts.meets[2] = Failure(Trouble.MALFORMED, "no list")
    tally = await world.run()
    assert (tally.done, tally.failed, tally.problems) == (2, 1, ["a: no list"])
    rests = [world.due(2)]
    for _ in range(2):
        await world.run(world.due(2))
        rests.append(world.due(2))
    assert [rest.total_seconds() for rest in rests] == [30, 60, 120]


async def test_who_only_waits_for_a_turn_to_write_is_no_problem_and_a_refused_write_is_one(world: World) -> None:
    world.add("a.example", "b.example")
    world.posts.meets = {
        1: NoTurn("there were 480 in the last hour", HOUR),
        2: NoTurn("the forge wants fewer writes", HOUR, is_news=True),
    }
    tally = await world.run()
    assert tally.problems == [f"b.example: {world.posts.meets[2]}"]


async def test_a_defect_is_logged_with_its_row_and_stops_nobody(world: World) -> None:
    world.add("a", "a", "a")
    world.posts.meets[1] = KeyError("merged_at")
    with capture_logs() as logs:
        tally = await world.run()
    assert tally.done == 2
    assert (logs[0]["event"], logs[0]["stage"], logs[0]["row"]) == ("defect", "posts", "row 1")
    assert world.queue.rows[1].error == "a defect of the bot: KeyError('merged_at')"
    assert world.hooks.outcomes == {RowOutcome.DONE: 2, RowOutcome.DEFECT: 1}


async def test_a_lost_lease_is_no_error(world: World) -> None:
    world.add("a", "a", "a")
    world.posts.meets[1] = LeaseLost("taken over")
    world.posts.unsettled[2] = LeaseLost("taken over")
    tally = await world.run()
    assert (tally.done, tally.failed, tally.problems) == (1, 0, [])
    assert world.hooks.outcomes == {RowOutcome.DONE: 1, RowOutcome.LOST: 2}


# A host in trouble


async def test_a_throttled_host_pauses_its_own_work_only(world: World) -> None:
    world.add(*["a"] * 6, "b", "b")
    for number in range(1, 7):
        world.posts.meets[number] = THROTTLED
    tally = await world.run()
    assert sorted(world.posts.settled) == [7, 8]
    assert len([number for number in world.posts.tried if number < 7]) <= 3
    assert {world.due(number) for number in range(1, 7)} == {timedelta(minutes=20)}
    assert (tally.untried, tally.failed, tally.problems) == (6, 0, ["a.example: slow down"])


async def test_a_host_that_pauses_is_not_asked_by_a_later_run_either(world: World) -> None:
    world.add("a")
    world.posts.meets[1] = THROTTLED
    await world.run()
    world.add("a", "b")
    world.posts.tried.clear()
    tally = await world.run(timedelta(minutes=1))
    assert world.posts.tried == [3]
    assert world.due(2) == timedelta(minutes=19)
    assert tally.problems == []
    world.posts.meets.clear()
    assert (await world.run(timedelta(minutes=19))).done == 2


async def test_a_host_does_not_rest_until_a_time_that_a_clock_which_was_ahead_has_told(world: World) -> None:
    world.add("a.example")
    world.posts.meets[1] = THROTTLED
    await world.run(timedelta(days=365))
    world.posts.meets.clear()
    world.add("a.example")
    await world.run(timedelta(days=-365))
    assert world.posts.settled == [2, 1]


async def test_what_was_not_tried_counts_no_attempt(world: World) -> None:
    world.add(*["a"] * 10)
    world.posts.meets = dict.fromkeys(range(1, 11), THROTTLED)
    await world.run()
    attempts = Counter(row.attempts for row in world.queue.rows.values())
    assert attempts == {1: len(world.posts.tried), 0: 10 - len(world.posts.tried)}


async def test_a_stage_with_one_host_claims_nothing_while_that_pauses(world: World) -> None:
    world.add(*["a"] * 3)
    world.posts.home = "a"
    world.posts.meets[1] = world.posts.meets[2] = world.posts.meets[3] = THROTTLED
    await world.run()
    world.add("a")
    assert (await world.run(timedelta(minutes=1))).claimed == 0
    assert world.queue.rows[4].attempts == 0


async def test_several_items_in_a_row_without_an_answer_are_their_hosts_trouble(world: World) -> None:
    world.add(*["a"] * 30)
    world.posts.meets = dict.fromkeys(range(1, 31), SILENT)
    tally = await world.run()
    assert 5 <= len(world.posts.tried) <= 5 + world.posts.at_once
    assert (tally.failed, tally.problems) == (0, ["no answer"])
    assert {row.error for row in world.queue.rows.values()} == {None}


async def test_a_host_is_not_to_blame_for_the_bots_own_store(world: World) -> None:
    world.add(*["a"] * 8)
    world.posts.meets = {number: NoRoom(Trouble.UNREACHABLE, "no room left") for number in range(1, 9)}
    await world.run()
    assert len(world.posts.tried) == 8
    world.posts.meets = {}
    assert (await world.run(after=timedelta(minutes=2))).done == 8


async def test_the_pause_grows_with_the_trouble(world: World) -> None:
    world.add(*["a"] * 9)
    world.posts.meets = dict.fromkeys(range(1, 10), SILENT)
    pauses = []
    for _ in range(8):
        await world.run()
        pauses.append(world.due(1).total_seconds() / 60)
        world.clock.move_to(world.queue.rows[1].due_at)
    assert pauses == [1, 1, 2, 4, 8, 16, 30, 30]


async def test_no_pause_is_longer_than_the_stage_can_bear_unless_the_host_asks_for_it(world: World) -> None:
    world.posts.longest = timedelta(minutes=5)
    world.add(*["a"] * 9)
    world.posts.meets = dict.fromkeys(range(1, 10), SILENT)
    pauses = []
    for _ in range(6):
        await world.run()
        pauses.append(world.due(1).total_seconds() / 60)
        world.clock.move_to(world.queue.rows[1].due_at)
    assert pauses == [1, 1, 2, 4, 5, 5]
    world.posts.meets = dict.fromkeys(range(1, 10), THROTTLED)
    await world.run()
    assert world.due(1) == timedelta(minutes=20)


async def test_another_stages_pause_holds_a_stage_up_for_no_longer_than_it_can_bear(world: World) -> None:
    world.add("a", "a", "a", "a", "a")
    world.posts.meets = dict.fromkeys(range(1, 6), SILENT)
    for _ in range(7):
        await world.run()
        world.clock.move_to(world.queue.rows[1].due_at)
    await world.run()
    assert world.due(1) == timedelta(minutes=30)
    world.add("a")
    world.posts.longest = timedelta(minutes=5)
    world.posts.tried.clear()
    await world.run(timedelta(minutes=4))
    assert (world.posts.tried, world.due(6)) == ([], timedelta(minutes=1))
    await world.run(timedelta(minutes=1))
    assert set(world.posts.tried) == {6}


async def test_one_item_without_an_answer_is_its_own_trouble(world: World) -> None:
    world.add(*["a"] * 9)
    world.posts.meets[4] = SILENT
    tally = await world.run()
    assert (tally.done, tally.failed, world.queue.rows[4].error) == (8, 1, "no answer")


async def test_who_has_answered_in_this_run_is_not_judged_by_the_few_of_a_later_batch(world: World) -> None:
    world.posts.batch = 3
    world.add(*["a"] * 6)
    world.posts.meets = dict.fromkeys([3, 4, 5, 6], SILENT)
    tally = await world.run()
    assert (tally.done, tally.failed, tally.untried) == (2, 4, 0)


async def test_silence_is_counted_on_from_one_batch_to_the_next(world: World) -> None:
    world.posts.batch, world.posts.at_once = 4, 1
    world.add(*["a"] * 8)
    world.posts.meets = dict.fromkeys(range(2, 9), SILENT)
    tally = await world.run()
    assert world.posts.tried == [1, 2, 3, 4, 5, 6]
    assert (tally.done, tally.problems[-1]) == (1, "no answer")


async def test_what_a_stage_takes_for_its_hosts_trouble_is_blamed_on_the_host(world: World) -> None:
    denied = Failure(Trouble.DENIED, "the token has expired")
    world.posts.at_once = 1
    world.posts.is_hosts = lambda failure: failure.what == denied.what  # type: ignore[method-assign]
    world.add(*["a"] * 3)
    world.posts.meets = {1: denied}
    tally = await world.run()
    assert (tally.failed, tally.untried, tally.problems) == (0, 3, ["the token has expired"])
    assert {row.error for row in world.queue.rows.values()} == {None}


async def test_a_host_known_in_trouble_is_tried_carefully(world: World) -> None:
    world.add(*["a"] * 10)
    world.posts.meets = dict.fromkeys(range(1, 11), SILENT)
    world.posts.suspects = {"a"}
    await world.run()
    assert len(world.posts.tried) == world.posts.strikes
    assert world.posts.most_running == 1


# The store in trouble


async def test_results_that_may_wait_are_stored_in_one_transaction(world: World) -> None:
    world.add(*["a"] * 7)
    world.posts.are_small = True
    assert (await world.run()).done == 7
    assert world.posts.together == [7]


async def test_where_the_common_transaction_fails_each_result_fails_alone(world: World) -> None:
    world.add(*["a"] * 7)
    world.posts.are_small = True
    world.posts.unsettled[3] = Failure(Trouble.MALFORMED, "a deadlock")
    tally = await world.run()
    assert (tally.done, tally.failed) == (6, 1)
    assert (list(world.queue.held()), world.due(3)) == ([], timedelta(seconds=30))


async def test_a_result_that_cannot_be_stored_puts_its_row_off(world: World) -> None:
    world.add("a", "a")
    world.posts.unsettled[1] = Failure(Trouble.UNREACHABLE, "the database does not answer")
    tally = await world.run()
    assert (tally.done, tally.failed, tally.problems) == (1, 1, ["a: the database does not answer"])
    assert (list(world.queue.held()), world.due(1)) == ([], timedelta(seconds=30))
    assert world.hooks.outcomes == {RowOutcome.DONE: 1, RowOutcome.FAILED: 1}


async def test_a_result_whose_storing_meets_a_defect_is_logged_with_its_row(world: World) -> None:
    world.add("a")
    world.posts.unsettled[1] = KeyError("merged_at")
    with capture_logs() as logs:
        assert (await world.run()).problems == ["a: a defect of the bot: KeyError('merged_at')"]
    assert (logs[0]["event"], logs[0]["row"]) == ("defect", "row 1")
    assert world.hooks.outcomes == {RowOutcome.DEFECT: 1}


async def test_a_failure_that_cannot_be_stored_leaves_no_row_leased(world: World) -> None:
    world.add("a", "a")
    world.posts.meets[1] = Failure(Trouble.MALFORMED, "no list")
    world.posts.unfailing = RuntimeError("no such column")
    tally = await world.run()
    assert tally.done == 1
    assert (list(world.queue.held()), world.due(1)) == ([], timedelta(seconds=30))


async def test_rows_that_a_silent_store_does_not_take_back_are_given_back_by_the_next_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*_: object, **__: object) -> None:
        raise Failure(Trouble.UNREACHABLE, "the database does not answer")

    world.add("a", "a", "a")
    world.posts.meets[1] = THROTTLED
    with monkeypatch.context() as patched:
        patched.setattr(FakeQueue, "put_off", silent)
        with pytest.raises(Failure, match="does not answer"):
            await world.run()
    assert 1 in world.queue.held()
    await world.run()
    assert list(world.queue.held()) == []


# Leases


async def test_leases_are_renewed_while_an_item_is_worked_on(world: World) -> None:
    naps = 0

    async def nap(seconds: float) -> None:
        nonlocal naps
        naps += 1
        world.clock.advance(timedelta(seconds=seconds))
        await asyncio.sleep(0)

    async def work_long(_: Lease) -> None:
        while naps < 20:
            await asyncio.sleep(0)

    world.loop.sleep = nap
    world.add("a")
    world.posts.meets[1] = work_long
    assert (await world.run()).done == 1
    assert world.clock.now() - NOON > timedelta(minutes=30)


async def test_what_another_has_taken_over_is_cut_off_and_its_neighbours_go_on(world: World) -> None:
    finished: list[int] = []

    async def nap(_: float) -> None:
        await asyncio.sleep(0)

    async def be_robbed(_: Lease) -> None:
        world.queue.steal(1)
        for _turn in range(100):
            await asyncio.sleep(0)
        finished.append(1)

    world.loop.sleep = nap
    world.add("a", "a")
    world.posts.meets[1] = be_robbed
    tally = await world.run()
    assert (finished, tally.done, tally.failed) == ([], 1, 0)
    assert world.hooks.outcomes == {RowOutcome.DONE: 1, RowOutcome.LOST: 1}


async def test_a_pause_ends_those_with_the_same_key_that_still_wait(world: World) -> None:
    world.add(*["a"] * 6)
    world.posts.key = lambda item: "same"  # type: ignore[method-assign]
    world.posts.meets = dict.fromkeys(range(1, 7), THROTTLED)
    await world.run()
    assert world.posts.tried == [1]


async def test_a_lease_is_checked_before_a_write(world: World) -> None:
    written: list[int] = []

    async def write(lease: Lease) -> None:
        await lease.check()
        written.append(1)
        world.queue.steal(1)
        await lease.check()
        written.append(2)

    world.add("a")
    world.posts.meets[1] = write
    await world.run()
    assert written == [1]


async def test_a_row_that_is_always_due_does_not_keep_a_run_from_ending(world: World) -> None:
    async def settle(item: Post, result: str) -> None:
        world.queue.settle(item.number, NOON)

    world.add("a", "a")
    world.posts.settle = settle  # type: ignore[method-assign]
    assert (await world.run()).done == 4


async def test_rows_that_take_turns_in_being_due_do_not_either(world: World) -> None:
    async def settle(item: Post, result: str) -> None:
        world.queue.settle(item.number, NOON)

    world.posts.batch, world.posts.most = 1, 50
    world.queue.add(Post("a", 1), NOON - 2 * HOUR, id=1)
    world.queue.add(Post("a", 2), NOON - HOUR, id=2)
    world.posts.settle = settle  # type: ignore[method-assign]
    assert (await world.run()).done == 3


async def test_no_more_is_claimed_in_a_run_than_is_left_to_the_next(world: World) -> None:
    world.posts.batch, world.posts.most = 2, 3
    world.add(*["a"] * 5)
    assert (await world.run()).claimed == 3
    assert (await world.run()).claimed == 2


async def test_the_lease_of_what_has_ended_is_not_renewed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    renewed: list[list[int]] = []
    renew = FakeQueue.renew

    async def watched(self: FakeQueue[Post], claims: Sequence[Claimed], now: datetime) -> object:
        renewed.append([claimed.id for claimed in claims])
        return await renew(self, claims, now)

    async def nap(_: float) -> None:
        await asyncio.sleep(0)

    async def until_the_other_has_ended(_: Lease) -> None:
        while not (world.posts.settled and renewed and renewed[-1] == [1]):
            await asyncio.sleep(0)

    monkeypatch.setattr(FakeQueue, "renew", watched)
    world.loop.sleep = nap
    world.add("a", "a")
    world.posts.meets[1] = until_the_other_has_ended
    assert (await asyncio.wait_for(world.run(), 5)).done == 2


async def test_what_small_results_and_those_put_off_took_is_not_told(world: World) -> None:
    world.add("a", "b")
    world.posts.are_small = True
    world.posts.meets[2] = THROTTLED
    await world.run()
    assert sorted(world.hooks.told) == [("posts", "a", timedelta()), ("posts", "b", timedelta())]
    assert world.hooks.outcomes == {RowOutcome.DONE: 1, RowOutcome.UNTRIED: 1}


async def test_what_cannot_be_put_off_is_told_and_given_back_at_the_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_off, calls = FakeQueue.put_off, 0

    async def silent_once(self: FakeQueue[Post], *arguments: object, **named: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise Failure(Trouble.UNREACHABLE, "the database does not answer")
        await put_off(self, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(FakeQueue, "put_off", silent_once)
    world.add("a")
    world.posts.meets[1] = THROTTLED
    tally = await world.run()
    assert tally.problems == ["a.example: slow down", "the database does not answer"]
    assert (list(world.queue.held()), world.due(1)) == ([], timedelta(seconds=30))


async def test_what_is_given_back_rests_as_long_as_the_one_that_has_failed_most(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add("a", "a")
    world.queue.rows[1].attempts = 2
    world.posts.meets = dict.fromkeys((1, 2), Failure(Trouble.MALFORMED, "no list"))
    world.posts.unfailing = RuntimeError("no such column")
    await world.run()
    assert (world.due(1), world.due(2)) == (timedelta(minutes=2), timedelta(minutes=2))


async def test_where_a_round_cannot_be_finished_that_is_told_and_its_rows_are_stored(world: World) -> None:
    async def refuse(host: str, tripped: Failure | None, now: datetime) -> None:
        raise Failure(Trouble.DENIED, f"not for {host}")

    world.add("a")
    world.posts.finish = refuse  # type: ignore[method-assign]
    tally = await world.run()
    assert (tally.done, tally.problems) == (1, ["not for a"])


async def test_a_round_is_finished_with_what_its_host_pauses_for(world: World) -> None:
    finished: list[tuple[str, str, datetime]] = []

    async def finish(host: str, tripped: Failure | None, now: datetime) -> None:
        finished.append((host, str(tripped), now))

    world.add("a", "b")
    world.posts.meets[2] = THROTTLED
    world.posts.finish = finish  # type: ignore[method-assign]
    await world.run()
    assert sorted(finished, key=lambda each: each[0]) == [("a", "None", NOON), ("b", str(THROTTLED), NOON)]


async def test_what_waits_for_its_host_shows_the_excuse_of_the_stage(world: World) -> None:
    world.posts.excuse = lambda host, failure: f"{host} pauses: {failure.what}"  # type: ignore[method-assign]
    world.add("a")
    world.posts.meets[1] = THROTTLED
    await world.run()
    assert world.queue.rows[1].error == "a pauses: slow down"


async def test_a_pause_that_the_stage_has_told_before_is_told_once_in_a_run(world: World) -> None:
    world.posts.told = lambda host, failure: "one word for all"  # type: ignore[method-assign]
    world.add("a", "b")
    world.posts.meets = {1: THROTTLED, 2: THROTTLED}
    assert (await world.run()).problems == ["one word for all"]


async def test_a_pause_that_the_stage_keeps_to_itself_is_not_told(world: World) -> None:
    world.posts.told = lambda host, failure: None  # type: ignore[method-assign]
    world.add("a")
    world.posts.meets[1] = THROTTLED
    assert (await world.run()).problems == []


async def test_a_failure_of_which_the_stage_says_nothing_is_not_told(world: World) -> None:
    async def failed(item: Post, claimed: Claimed, failure: Failure, now: datetime) -> None:
        await put_off_by_backoff(world.queue, claimed, failure, now, "kept with the row")

    world.add("a")
    world.posts.failed = failed  # type: ignore[method-assign]
    world.posts.meets[1] = Failure(Trouble.MALFORMED, "no list")
    tally = await world.run()
    assert (tally.failed, tally.problems, world.queue.rows[1].error) == (1, [], "kept with the row")


async def test_a_stage_that_knows_how_long_its_host_is_in_trouble_pauses_as_long(world: World) -> None:
    world.posts.paused_since = lambda host: NOON - timedelta(minutes=8)  # type: ignore[method-assign]
    world.posts.strikes = 1
    world.add("a")
    world.posts.meets[1] = SILENT
    await world.run()
    assert world.due(1) == timedelta(minutes=8)


async def test_a_failure_that_another_item_has_met_too_tells_no_more_of_the_host(world: World) -> None:
    world.posts.meet_the_same = True
    world.add(*["a"] * 9)
    world.posts.meets = dict.fromkeys(range(1, 10), SILENT)
    assert (await world.run()).failed == 9


def test_the_host_of_a_stage_that_names_none_is_what_all_its_items_need_or_the_stage_itself() -> None:
    class Plain(Posts):
        host = Work.host
        is_suspect, longest_pause = Work.is_suspect, Work.longest_pause

    plain, item = Plain(FakeQueue()), Post("a", 1)
    assert plain.host(item) == "posts"
    plain.home = "forge"
    assert plain.host(item) == "forge"
    assert (plain.is_suspect("forge"), plain.longest_pause([item], NOON)) == (False, timedelta(minutes=30))
    assert (plain.most, plain.strikes) == (100_000, 5)


async def test_a_lost_lease_names_its_row(world: World) -> None:
    world.add("a")
    [claimed] = await world.queue.claim(NOON, 1)
    world.queue.steal(1)
    with pytest.raises(LeaseLost, match="row 1 is no longer leased to us"):
        await Lease(claimed, world.queue, world.clock).check()


async def test_by_itself_what_is_small_is_stored_one_after_the_other(world: World) -> None:
    class Plain(Posts):
        settle_together = Work.settle_together

    world.posts = Plain(world.queue)
    world.posts.are_small = True
    world.add("a", "a")
    assert (await world.run()).done == 2
    assert world.posts.settled == [1, 2]


async def test_all_rows_that_cannot_be_read_are_counted(world: World) -> None:
    for number in (1, 2, 3):
        world.queue.add(ValueError("melted"), NOON, f"rebuild {number}", id=number)
    tally = await world.run()
    assert (tally.failed, len(tally.problems)) == (3, 3)


async def test_a_trouble_goes_on_that_no_answer_has_ended(world: World) -> None:
    """One item without an answer is its own trouble, and tells nothing of the host."""
    world.add(*["a"] * 9)
    world.posts.meets = dict.fromkeys(range(1, 10), SILENT)
    await world.run()
    for row in world.queue.rows.values():
        row.due_at = NOON + HOUR
    world.queue.rows[1].due_at = NOON + timedelta(minutes=2)
    assert (await world.run(timedelta(minutes=2))).failed == 1
    await world.run(timedelta(minutes=58))
    assert world.due(9) == timedelta(minutes=30)


class Backing(Posts):
    rests_by_backoff = True


def rested(*hosts: str, due_in: timedelta = 20 * HOUR, attempts: int = 40) -> Backing:
    """One post that is due now at each of two hosts, and others that rest for long there."""
    queue: FakeQueue[Post] = FakeQueue()
    for number, host in enumerate(("a", "b"), 1):
        queue.add(Post(host, number), NOON, id=number)
    for number, host in enumerate(hosts, 3):
        queue.add(Post(host, number), NOON + due_in, id=number).attempts = attempts
    return Backing(queue)


async def test_once_something_goes_through_at_a_host_what_rests_there_is_due_again_soon() -> None:
    work, clock = rested("a", "b", "a", "a"), ManualClock(NOON)
    work.meets[2] = SILENT
    await Loop(clock).run(work)
    soon = [work.queue.rows[number].due_at for number in (3, 5, 6)]
    assert NOON <= min(soon) < max(soon) <= NOON + timedelta(minutes=10)
    assert len(set(soon)) == 3, "no burst"
    assert work.queue.rows[4].due_at == NOON + 20 * HOUR, "nothing has gone through at its host"
    clock.advance(timedelta(minutes=10))
    await Loop(clock).run(work)
    assert {3, 5, 6} <= set(work.settled)


async def test_what_fails_by_itself_is_tried_once_an_hour_at_most_for_that() -> None:
    work, clock, loop = rested("a"), ManualClock(NOON), None
    work.meets[3] = SILENT
    loop = Loop(clock)
    for _ in range(24 * 12):
        work.queue.rows[1].due_at = clock.now()
        await loop.run(work)
        clock.advance(timedelta(minutes=5))
    assert 12 <= work.tried.count(3) <= 24


@pytest.mark.parametrize("values", [{"due_in": HOUR}, {"attempts": 0}], ids=str)
async def test_what_rests_no_longer_than_usual_or_has_not_failed_keeps_its_time(values: dict[str, object]) -> None:
    work = rested("a", **values)  # type: ignore[arg-type]
    before = work.queue.rows[3].due_at
    await Loop(ManualClock(NOON)).run(work)
    assert work.queue.rows[3].due_at == before


async def test_a_stage_with_times_of_its_own_keeps_them() -> None:
    queue: FakeQueue[Post] = FakeQueue()
    queue.add(Post("a", 1), NOON, id=1)
    queue.add(Post("a", 2), NOON + 20 * HOUR, id=2).attempts = 40
    await Loop(ManualClock(NOON)).run(Posts(queue))
    assert queue.rows[2].due_at == NOON + 20 * HOUR


async def test_a_store_that_cannot_tell_what_rests_stops_nothing() -> None:
    class Broken(FakeQueue[Post]):
        async def resting(self, beyond: datetime, limit: int) -> Sequence[Claimed]:
            raise SILENT

    queue = Broken()
    queue.add(Post("a", 1), NOON, id=1)
    work = Backing(queue)
    assert (await Loop(ManualClock(NOON)).run(work)).done == 1


async def test_a_trouble_after_an_answer_is_a_new_one(world: World) -> None:
    world.add(*["a"] * 9)
    world.posts.meets = dict.fromkeys(range(1, 10), SILENT)
    await world.run()
    world.posts.meets = {}
    assert (await world.run(timedelta(minutes=10))).done == 9
    world.posts.meets = dict.fromkeys(range(1, 10), SILENT)
    await world.run(HOUR)
    assert world.due(1) == timedelta(minutes=1)


async def test_a_run_that_is_stopped_stops_what_it_works_on_and_takes_no_lease_for_lost(world: World) -> None:
    begun = asyncio.Event()

    async def work_for_ever(_: Lease) -> None:
        begun.set()
        await asyncio.Event().wait()

    world.add("a")
    world.posts.meets[1] = work_for_ever
    running = asyncio.ensure_future(world.run())
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (world.hooks.outcomes, world.posts.running) == ({}, 0)


async def test_a_stage_that_counts_no_silence_tries_nobody_carefully(world: World) -> None:
    world.add("a", "a")
    world.posts.strikes = None
    world.posts.suspects = {"a"}
    await world.run()
    assert (world.posts.most_running, sorted(world.posts.tried)) == (2, [1, 2])


async def test_a_row_that_cannot_be_read_is_not_given_back_besides(world: World) -> None:
    world.queue.add(ValueError("no such state"), NOON, "rebuild 1")
    await world.run()
    assert world.queue.put_off_calls == 1


async def test_what_is_lost_while_it_waits_for_its_key_is_not_tried(world: World) -> None:
    async def nap(_: float) -> None:
        await asyncio.sleep(0)

    async def see_the_next_stolen(_: Lease) -> None:
        world.queue.steal(2)
        for _turn in range(100):
            await asyncio.sleep(0)

    world.loop.sleep = nap
    world.add("a", "a")
    world.posts.key = lambda item: "same"  # type: ignore[method-assign]
    world.posts.meets[1] = see_the_next_stolen
    await world.run()
    assert world.posts.tried == [1]
    assert world.hooks.outcomes == {RowOutcome.DONE: 1, RowOutcome.LOST: 1}


async def test_a_host_in_trouble_puts_off_once_where_none_was_left_untried(world: World) -> None:
    world.add("a")
    world.posts.meets[1] = THROTTLED
    await world.run()
    assert world.queue.put_off_calls == 1


@pytest.mark.parametrize(
    ("met", "outcome"),
    [(Failure(Trouble.MISSING, "not found"), RowOutcome.FAILED), (ValueError("oops"), RowOutcome.DEFECT)],
)
async def test_what_fails_and_what_is_a_defect_are_counted_apart(
    world: World, met: Exception, outcome: RowOutcome
) -> None:
    world.add("a")
    world.posts.meets[1] = met
    await world.run()
    assert world.hooks.outcomes == {outcome: 1}


async def test_a_defect_is_logged_with_where_it_comes_from(world: World) -> None:
    world.add("a")
    world.posts.meets[1] = defect = ValueError("oops")
    with capture_logs() as logs:
        await world.run()
    assert [entry["exc_info"] for entry in logs if entry["event"] == "defect"] == [defect]


async def test_after_one_that_waits_was_lost_the_others_are_looked_after_still(world: World) -> None:
    finished: list[int] = []

    async def nap(_: float) -> None:
        await asyncio.sleep(0)

    async def be_robbed_last(_: Lease) -> None:
        for number in (2, 1):
            world.queue.steal(number)
            for _turn in range(100):
                await asyncio.sleep(0)
        finished.append(1)

    world.loop.sleep = nap
    world.add("a", "a")
    world.posts.key = lambda item: "same"  # type: ignore[method-assign]
    world.posts.meets[1] = be_robbed_last
    await world.run()
    assert (finished, world.hooks.outcomes) == ([], {RowOutcome.LOST: 2})


async def test_what_a_defect_says_is_cut(world: World) -> None:
    world.add("a")
    world.posts.meets[1] = ValueError("x" * 900)
    await world.run()
    assert len(world.queue.rows[1].error or "") == 500


def at(host: str, failure: Failure) -> Failure:
    """The failure, met at another host than the item's own."""
    failure.host = host
    return failure


async def test_what_another_host_asks_for_rests_that_host_and_not_the_items_own(world: World) -> None:
    world.add("builder", "builder", "forge")
    world.posts.needs_also = {"builder": ("forge",)}
    world.posts.at_once = 1
    world.posts.meets[1] = at("forge", Failure(Trouble.THROTTLED, "slow down", retry_after=HOUR / 3))
    await world.run()
    world.posts.needs_also = {}
    world.add("builder", "forge")
    world.posts.tried.clear()
    await world.run(timedelta(minutes=1))
    assert (4 in world.posts.tried, 5 in world.posts.tried) == (True, False)
    assert world.due(5) == timedelta(minutes=19)


async def test_what_needs_a_host_that_rests_is_not_tried_at_its_own(world: World) -> None:
    world.add("forge")
    world.posts.meets[1] = THROTTLED
    await world.run()
    world.posts.needs_also = {"builder": ("forge",)}
    world.add("builder")
    await world.run(timedelta(minutes=1))
    assert (world.posts.tried, world.due(2), world.queue.rows[2].attempts) == ([1], timedelta(minutes=19), 0)


async def test_silence_at_another_host_is_counted_against_that_one(world: World) -> None:
    world.add(*["builder"] * 6)
    world.posts.at_once = 1
    for number in range(1, 7):
        world.posts.meets[number] = at("forge", Failure(Trouble.UNREACHABLE, "no answer"))
    await world.run()
    world.add("builder", "forge")
    world.posts.tried.clear()
    await world.run(timedelta(seconds=1))
    assert world.posts.tried == [7]
