"""What fails on a new digest is tried again, asked about or held back, each once."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.domain.builder.runs import Run
from bot.domain.evidence import ImageVerdict
from bot.domain.reference import Reference
from bot.domain.repositories.repository import Workflow
from bot.domain.repositories.usage import Replacement
from bot.domain.rollouts.after_build import join, leave_run
from bot.domain.rollouts.journal import BOT, Word
from bot.domain.rollouts.quarantine import Suspect
from bot.domain.rollouts.rebuild import Action, Joined, Merge, RebuildState
from bot.domain.rollouts.timing.waiting import ReleaseRules, RolloutOptions, holds_of
from bot.store.engine.codec import dump
from bot.store.engine.counters import RELEASES, counter, raise_counter
from bot.store.engine.writing import lock
from bot.store.pages.rows import latest_rebuilds
from bot.store.rows.bases.tables import bases
from bot.store.rows.repositories.issues import issue_sections
from bot.store.rows.repositories.tables import repositories as repositories_table
from bot.store.rows.rollouts.quarantines import open_quarantine
from bot.store.rows.rollouts.tables import pauses, rebuilds
from tests.builders import NOON
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import ASPNET, HOUR, Stores, digest
from tests.integration.store.moving import opened, someone_waits

ANN = Word("Ann", "it does not start")


async def failed(stores: Stores, repositories: int, going: int = 0, **known: Any) -> None:
    """Every repository is rebuilt by a run, and fails with what is `known`; `going` more are still being built."""
    await stores.fill(repositories=repositories + going)
    await stores.plan_all(action=Action.DISPATCH, branch=None, workflow="weekly.yml")
    now = stores.clock.now()
    for job in await stores.jobs():
        started = job.rebuild.moved(RebuildState.DISPATCHED, "started", at=now)
        await stores.act.settle_rebuild(job.rebuild, replace(started, run=job.rebuild.id, attempted_at=now))
    for rebuild in (await stores.followed())[:repositories]:
        await stores.follow.settle_rebuild(
            rebuild, replace(rebuild, **known).moved(RebuildState.FAILED, "red", at=now)
        )


async def merged(stores: Stores, repositories: int, *workflows: str, told: str = "weekly.yml") -> None:
    """Every repository has such workflows, and merges a pull request whose build fails, which `told` says."""
    await stores.fill(repositories=repositories)
    known = tuple(Workflow(f".github/workflows/{file}") for file in workflows)
    async with stores.database.transaction() as connection:
        await connection.execute(update(repositories_table).values(workflows=dump(known, tuple[Workflow, ...])))
    await stores.plan_all(workflow="weekly.yml")
    await opened(stores)
    stores.clock.advance(HOUR)
    now = stores.clock.now()
    for rebuild in await stores.followed():
        on_main = replace(rebuild, merge=Merge("abc", "C_1", now)).moved(RebuildState.BUILDING, "merged", at=now)
        await stores.follow.settle_rebuild(rebuild, replace(on_main, due_at=now))
    for rebuild in await stores.followed():
        red = replace(rebuild, workflow=told)
        await stores.follow.settle_rebuild(rebuild, red.moved(RebuildState.FAILED, "merged, but red", at=now))


@ON_BOTH
@pytest.mark.parametrize("verdict", [ImageVerdict.NO_OP, ImageVerdict.OTHER, ImageVerdict.NOT_SEEN])
async def test_an_image_that_does_not_stand_on_the_new_base_tells_nothing_against_it(
    stores: Stores, verdict: ImageVerdict
) -> None:
    await failed(stores, 3, built_at=NOON, proof=verdict)
    assert await stores.states() == ["failed"] * 3
    assert await stores.quarantine.ends() == []


@ON_BOTH
async def test_the_builds_of_merged_pull_requests_tell_of_their_base_too(stores: Stores) -> None:
    await merged(stores, 3, "weekly.yml")
    ends = [known.end for known in await stores.quarantine.ends()]
    assert [(end.digest, end.succeeded, end.can_be_repeated) for end in ends] == [(digest("b"), False, True)] * 3
    assert await stores.quarantine.run_again([known.rebuild for known in await stores.quarantine.ends()]) == 3
    assert {(job.rebuild.action, job.rebuild.workflow, job.rebuild.merge) for job in await stores.jobs()} == {
        (Action.DISPATCH, "weekly.yml", None)
    }


@ON_BOTH
async def test_the_red_part_of_a_monorepo_is_run_once_more_too(stores: Stores) -> None:
    """`follow` has named its workflow; the others are green."""
    await merged(stores, 3, "cart.yml", "shop.yml", told="cart.yml")
    known = await stores.quarantine.ends()
    assert {each.end.can_be_repeated for each in known} == {True}
    assert await stores.quarantine.run_again([each.rebuild for each in known]) == 3
    assert {(job.rebuild.action, job.rebuild.workflow) for job in await stores.jobs()} == {
        (Action.DISPATCH, "cart.yml")
    }


async def fail_again_after_a_run_of_others(stores: Stores) -> None:
    """What is tried again follows a run of others, which is red; so is what is dispatched in its place."""
    now = stores.clock.now()
    for job in await stores.jobs():
        pushed = Run(100 + job.rebuild.id, "https://host/run", "queued", None, now, number=412)
        await stores.act.settle_rebuild(job.rebuild, replace(join(job.rebuild, pushed, now=now), due_at=now))
    for rebuild in await stores.followed():
        vain = leave_run(rebuild, "it concluded with failure", Joined.IN_VAIN, now=now)
        await stores.follow.settle_rebuild(rebuild, vain)
    for job in await stores.jobs():
        started = job.rebuild.moved(RebuildState.DISPATCHED, "started", at=now)
        await stores.act.settle_rebuild(job.rebuild, replace(started, run=job.rebuild.id, attempted_at=now))
    for rebuild in await stores.followed():
        await stores.follow.settle_rebuild(rebuild, rebuild.moved(RebuildState.FAILED, "red", at=now))


@ON_BOTH
async def test_what_failed_again_after_a_run_of_others_in_vain_is_not_tried_a_third_time(stores: Stores) -> None:
    await failed(stores, 3)
    await stores.quarantine.run_again([known.rebuild for known in await stores.quarantine.ends()])
    await fail_again_after_a_run_of_others(stores)
    assert [known.end.failed_again for known in await stores.quarantine.ends()] == [True] * 3


@ON_BOTH
async def test_what_was_dispatched_after_a_run_of_others_in_vain_is_an_end_like_any(stores: Stores) -> None:
    await stores.fill(repositories=3)
    await stores.plan_all(action=Action.DISPATCH, branch=None, workflow="weekly.yml")
    await fail_again_after_a_run_of_others(stores)
    assert [known.end.failed_again for known in await stores.quarantine.ends()] == [None] * 3


@ON_BOTH
async def test_a_build_that_nobody_can_start_is_not_tried_again(stores: Stores) -> None:
    await merged(stores, 3, "other.yml")
    assert {known.end.can_be_repeated for known in await stores.quarantine.ends()} == {False}
    await stores.orders.retry("contoso/shop-0000", ANN)
    assert (await stores.states())[-1] == RebuildState.BUILDING


@ON_BOTH
async def test_a_retry_starts_nothing_on_a_quarantined_digest(stores: Stores) -> None:
    await failed(stores, 1)
    await stores.orders.quarantine("aspnet:10.0", ANN)
    assert await stores.orders.retry("contoso/shop-0000", ANN) == 1
    assert await stores.jobs() == []
    await stores.orders.lift("aspnet:10.0", ANN)
    assert len(await stores.jobs()) == 1


@ON_BOTH
async def test_a_digest_that_was_quarantined_is_judged_no_more(stores: Stores) -> None:
    await failed(stores, 3)
    assert len(await stores.quarantine.ends()) == 3
    await stores.orders.quarantine("aspnet:10.0", ANN)
    assert await stores.quarantine.ends() == []


@ON_BOTH
async def test_a_person_is_asked_once_about_a_digest_whoever_fails_on_it_later(stores: Stores) -> None:
    await failed(stores, 3, going=1)
    assert await stores.quarantine.ask(Suspect(ASPNET, digest("b"), ("shop", "cart", "till"), 5)) == 1
    async with stores.database.reading() as connection:
        releases = await counter(connection, RELEASES)
    assert await stores.quarantine.ask(Suspect(ASPNET, digest("b"), ("shop", "cart", "till"), 5)) == 0
    async with stores.database.reading() as connection:
        assert await counter(connection, RELEASES) == releases, "nothing was to be written"
    await stores.orders.resume(1, ANN)
    await stores.orders.retry("contoso/shop-0000", ANN)
    assert await stores.quarantine.ask(Suspect(ASPNET, digest("b"), ("shop", "cart", "till", "desk"), 6)) == 0
    assert await stores.column(pauses, "reason") == [
        "repositories fail on aspnet:10.0 at sha256:bbbbbbbbbbbb that were green before; "
        "it fixes something severe, so a person decides"
    ]


@ON_BOTH
async def test_a_rebuild_that_cannot_be_read_keeps_no_digest_from_being_judged_and_held_back(
    stores: Stores,
) -> None:
    await failed(stores, 3, going=1)
    suspect = Suspect(ASPNET, digest("b"), ("shop", "cart", "till"), 4)
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).where(rebuilds.c.id == 1).values(targets=[7]))
    assert len(await stores.quarantine.ends()) == 2
    assert await stores.quarantine.ask(suspect) == 1
    await stores.orders.retry("contoso/shop-0001", ANN)
    assert await stores.quarantine.quarantine(suspect)


@ON_BOTH
async def test_a_pull_request_that_cannot_be_read_keeps_no_quarantine_from_being_lifted(stores: Stores) -> None:
    await stores.fill(repositories=3)
    await stores.plan_all()
    await opened(stores, 2)
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).where(rebuilds.c.id.in_([1, 3])).values(targets=[7]))
    await stores.orders.quarantine("aspnet:10.0", ANN)
    assert await stores.orders.lift("aspnet:10.0", ANN) == 1


@ON_BOTH
async def test_what_repeats_a_merged_build_and_may_not_is_known_by_the_merge(stores: Stores) -> None:
    await merged(stores, 1, "weekly.yml")
    await stores.orders.retry("contoso/shop-0000", ANN)
    [job] = await stores.jobs()
    assert job.condemned is None
    failed_one = await stores.act.merge_repeated_by(job.rebuild)
    assert failed_one is not None
    assert (failed_one.id, failed_one.merge and failed_one.merge.commit) == (1, "abc")
    followed = replace(job.rebuild, action=Action.PULL_REQUEST, merge=failed_one.merge, branch="b", built_by=(7,))
    now = stores.clock.now()
    await stores.act.settle_rebuild(job.rebuild, followed.moved(RebuildState.BUILDING, "run it again", at=now))
    [rebuild] = await stores.followed()
    assert (rebuild.action, rebuild.merge, rebuild.built_by) == (Action.PULL_REQUEST, failed_one.merge, (7,))
    await stores.follow.settle_rebuild(rebuild, rebuild.moved(RebuildState.SKIPPED, "nobody has", at=now))
    assert await stores.orders.retry("contoso/shop-0000", ANN) == 1, "it has not been tried again yet"


@ON_BOTH
@pytest.mark.parametrize("is_lifted", [True, False])
async def test_a_repeated_build_that_was_held_back_does_not_build_what_was_quarantined(
    stores: Stores, is_lifted: bool
) -> None:
    """The next publication ends the quarantine of what nothing carries any more, and the default branch still pins
    it."""
    await merged(stores, 1, "weekly.yml")
    pinned = (
        Replacement(Reference(ASPNET.name, "10.0", digest("a")), Reference(ASPNET.name, "10.0", digest("b"))),
    )
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).values(replacements=dump(pinned, tuple[Replacement, ...])))
    await stores.orders.quarantine("aspnet:10.0", ANN)
    if is_lifted:
        await stores.orders.retry("contoso/shop-0000", ANN)
        assert await stores.jobs() == []
        await stores.orders.lift("aspnet:10.0", ANN)
    else:
        await stores.see({ASPNET: "c"})
        assert await stores.quarantine.lift_published() == 1
        await stores.orders.retry("contoso/shop-0000", ANN)
    [job] = await stores.jobs()
    assert job.condemned == (None if is_lifted else digest("b"))


async def next_digest(stores: Stores, letter: str = "c") -> None:
    """The base shows another digest, which nobody has planned yet."""
    stores.clock.advance(HOUR)
    await stores.see({ASPNET: letter})


async def quarantined_while(stores: Stores, *states: RebuildState) -> None:
    """Repositories are that far with a digest that is quarantined, and the next one was published."""
    await stores.fill(repositories=len(states))
    await stores.plan_all()
    async with stores.database.transaction() as connection:
        for number, state in enumerate(states, 1):
            await connection.execute(update(rebuilds).where(rebuilds.c.id == number).values(state=state.value))
    await stores.orders.quarantine("aspnet:10.0", ANN)
    await next_digest(stores)


async def held(stores: Stores) -> list[str]:
    return [status.digest for status in await stores.rollout_views.open_quarantines()]


@ON_BOTH
@pytest.mark.parametrize("state", [state for state in RebuildState if not state.has_ended])
async def test_a_digest_stays_quarantined_while_a_rebuild_that_has_not_ended_carries_it(
    stores: Stores, state: RebuildState
) -> None:
    await quarantined_while(stores, state)
    assert await stores.quarantine.lift_published() == 0
    assert await held(stores) == [digest("b")]


@ON_BOTH
async def test_a_tick_with_nothing_to_lift_writes_nothing_while_a_quarantine_holds(stores: Stores) -> None:
    await quarantined_while(stores, RebuildState.OPEN)
    await stores.quarantine.lift_published()
    async with stores.database.reading() as connection:
        before = await counter(connection, RELEASES)
    assert await stores.quarantine.lift_published() == 0
    async with stores.database.reading() as connection:
        assert await counter(connection, RELEASES) == before


@ON_BOTH
@pytest.mark.parametrize("state", [state for state in RebuildState if state.has_ended])
async def test_a_quarantine_ends_with_the_next_digest_once_nothing_carries_it_any_more(
    stores: Stores, state: RebuildState
) -> None:
    await quarantined_while(stores, state)
    assert await stores.quarantine.lift_published() == 1
    assert await held(stores) == []


@ON_BOTH
async def test_an_open_pull_request_with_a_quarantined_digest_does_not_merge_by_itself_after_the_next_one(
    stores: Stores,
) -> None:
    await stores.fill()
    await stores.plan_all()
    await opened(stores)
    await stores.orders.quarantine("aspnet:10.0", ANN)
    await next_digest(stores)
    await stores.quarantine.lift_published()
    [job] = await stores.jobs()
    assert job.quarantined == {ASPNET: "it does not start (Ann)"}


@ON_BOTH
async def test_what_is_planned_for_the_next_digest_is_kept_by_no_quarantine_of_the_one_before(
    stores: Stores,
) -> None:
    await quarantined_while(stores, RebuildState.OPEN, RebuildState.PLANNED)
    await stores.assess_all()
    planned = await stores.planned()
    one = replace(planned, rebuilds=(replace(planned.rebuilds[1], supersedes=(2,)),))
    await stores.plan.save_plan(one)
    assert await stores.quarantine.lift_published() == 0
    assert await stores.column(rebuilds, "quarantine_id") == [None, None, None]
    assert await stores.states() == ["open", "superseded", "planned"]


async def told_to_wait_for(stores: Stores) -> set[str]:
    """What is said of each rebuild that waits, by commands and on pages."""
    now = stores.clock.now()
    held = holds_of(await stores.rollout_views.waits(ReleaseRules(now)), RolloutOptions(), now)
    async with stores.database.reading() as connection:
        rows = await latest_rebuilds(connection, 10)
    return {hold.reason for hold in held.values()} | {row.kept for row in rows if row.kept}


@ON_BOTH
async def test_what_a_quarantine_keeps_is_told_why_and_what_it_waits_for(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    await stores.orders.quarantine("aspnet:10.0", ANN)
    lift = "`freshness-bot quarantine lift mcr.microsoft.com/dotnet/aspnet:10.0`"
    told = "quarantined by Ann (it does not start): it waits until aspnet:10.0 shows another digest, or for"
    assert await told_to_wait_for(stores) == {f"{told} {lift}"}
    await next_digest(stores)
    told = (
        "quarantined by Ann (it does not start): what is planned for the digest that aspnet:10.0 shows by now takes"
    )
    assert await told_to_wait_for(stores) == {f"{told} its place, or it waits for {lift}"}


@ON_BOTH
async def test_what_a_quarantine_lets_go_begins_at_once_however_long_it_was_put_off(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    [job] = await stores.jobs()
    put_off = job.rebuild.moved(RebuildState.WAITING, "HTTP 502", at=stores.clock.now())
    put_off = replace(put_off, due_at=stores.clock.now() + 24 * HOUR)
    await stores.act.settle_rebuild(job.rebuild, put_off, succeeded=False)
    await stores.orders.quarantine("aspnet:10.0", ANN)
    assert await stores.jobs() == []
    await stores.orders.lift("aspnet:10.0", ANN)
    assert len(await stores.jobs()) == 1


@ON_BOTH
async def test_what_has_not_settled_yet_keeps_its_time_when_it_is_let_go(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all(due_in=6 * HOUR)
    await stores.orders.quarantine("aspnet:10.0", ANN)
    await stores.orders.lift("aspnet:10.0", ANN)
    assert await stores.jobs() == []


@ON_BOTH
async def test_what_nothing_has_taken_up_a_week_after_the_next_digest_keeps_no_quarantine(stores: Stores) -> None:
    """As where the repository follows the base no longer: it is planned anew if it still needs something."""
    await quarantined_while(stores, RebuildState.PLANNED, RebuildState.OPEN)
    stores.clock.advance(7 * 24 * HOUR - HOUR)
    assert await stores.quarantine.lift_published() == 0
    assert await stores.states() == ["planned", "open"]
    stores.clock.advance(HOUR)
    await stores.quarantine.lift_published()
    assert await stores.states() == ["skipped", "open"]
    [skipped, _] = await stores.rollout_views.rebuilds_of(1)
    shown = "aspnet:10.0 has not shown the quarantined digest that this was for"
    assert skipped.reason == f"{shown}, for 7 days, and nothing has taken it up"
    assert await held(stores) == [digest("b")], "an open pull request still carries it"


@ON_BOTH
async def test_what_its_base_still_shows_is_kept_however_long_that_is_so(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    await stores.orders.quarantine("aspnet:10.0", ANN)
    stores.clock.advance(100 * 24 * HOUR)
    await stores.quarantine.lift_published()
    assert await stores.states() == ["planned"]


@ON_BOTH
async def test_rebuilds_of_another_digest_keep_no_quarantine(stores: Stores) -> None:
    await quarantined_while(stores, RebuildState.PLANNED)
    await stores.assess_all()
    await stores.plan_all(supersedes=(1,))
    assert await stores.states() == ["superseded", "planned"]
    assert await stores.quarantine.lift_published() == 1
    assert await held(stores) == []


@ON_BOTH
async def test_what_waits_is_kept_again_while_its_base_has_come_back_to_what_is_still_quarantined(
    stores: Stores,
) -> None:
    await quarantined_while(stores, RebuildState.OPEN)
    await stores.assess_all()
    await stores.plan_all()
    kept = []
    for letter in ("b", "c"):
        await next_digest(stores, letter)
        assert await stores.quarantine.lift_published() == 0
        kept.append(await stores.column(rebuilds, "quarantine_id"))
    assert kept == [[None, 1], [None, None]]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_a_quarantine_locks_what_it_keeps_and_what_it_marks_in_one_order(stores: Stores) -> None:
    """One open pull request, and one that waits, whose ids are the other way round than they are written."""
    await stores.fill(repositories=2)
    await stores.plan_all()
    await opened(stores)
    async with stores.database.transaction() as connection:
        await connection.execute(
            update(rebuilds).where(rebuilds.c.id == 2).values(state=RebuildState.WAITING.value)
        )
    nowait = select(rebuilds.c.id).where(rebuilds.c.id == 2).with_for_update(nowait=True)
    async with stores.database.transaction() as connection:
        await lock(connection, rebuilds, [1])
        quarantining = asyncio.create_task(stores.orders.quarantine("aspnet:10.0", ANN))
        await someone_waits(stores)
        await connection.execute(nowait)
    await quarantining
    assert await stores.column(rebuilds, "quarantine_id") == [None, 1]


@ON_BOTH
async def test_nothing_is_run_once_more_in_a_rollout_that_a_person_has_paused(stores: Stores) -> None:
    """What is begun so passes the pauses that the bot makes itself where too many fail."""
    await failed(stores, 3, going=1)
    numbers = [known.rebuild for known in await stores.quarantine.ends()]
    await stores.orders.pause(1, ANN)
    assert await stores.quarantine.run_again(numbers) == 0
    await stores.orders.resume(1, ANN)
    await stores.orders.pause(1, Word(BOT, "3 of 3 failed"))
    assert await stores.quarantine.run_again(numbers) == 3


@ON_BOTH
async def test_a_failure_stands_where_the_bot_may_not_try_it_again(stores: Stores) -> None:
    """A merged pull request's build is started by a run, for which a token may lack the right."""
    await failed(stores, 1, going=1)
    assert await stores.issues.gather() == 1
    await stores.orders.retry("contoso/shop-0000", ANN)
    [job] = await stores.jobs()
    denied = job.rebuild.moved(RebuildState.SKIPPED, "it may not", at=stores.clock.now())
    await stores.act.settle_rebuild(job.rebuild, denied, succeeded=False)
    assert await stores.issues.gather() == 0
    assert await stores.count(issue_sections) == 1
    [standing] = (await stores.advance.standings(ReleaseRules(stores.clock.now()))).rollouts
    assert standing.tallies["rest"].failed == 1


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_what_is_planned_in_the_moment_in_which_its_base_is_quarantined_is_kept(stores: Stores) -> None:
    await stores.fill()
    plan = await stores.planned()
    async with stores.database.transaction() as connection:
        await raise_counter(connection, RELEASES)
        [base] = (await connection.execute(select(bases.c.id))).scalars()
        await open_quarantine(connection, base, digest("b"), "Ann", "it does not start", stores.clock.now())
        planning = asyncio.create_task(stores.plan.save_plan(plan))
        await someone_waits(stores)
    await planning
    assert await stores.column(rebuilds, "quarantine_id") == [1]


@ON_BOTH
@pytest.mark.parametrize("name", ["mcr.microsoft.com/{repository}:{tag}", "{repository}:{tag}", "aspnet:{tag}"])
@pytest.mark.parametrize("suffix", ["", "@{digest}"])
async def test_a_base_is_quarantined_lifted_and_looked_up_by_the_same_names(
    stores: Stores, name: str, suffix: str
) -> None:
    await failed(stores, repositories=1)
    shown = await stores.orders.quarantine(str(ASPNET), ANN)
    called = (name + suffix).format(repository=ASPNET.repository, tag=ASPNET.tag, digest=shown)
    assert ASPNET.is_called(called)
    assert await stores.orders.lift(called, ANN) == 1
    assert await stores.orders.quarantine(called, ANN) == shown
