"""Messages are due from the transaction that causes them until the channel has the newest text."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.domain.failure import LeaseLost
from bot.domain.rollouts.rebuild import Action, RebuildState
from bot.domain.rollouts.timing.pace import WriteLimits
from bot.store.rows.rollouts.tables import rebuilds
from bot.store.rows.tables import announce, outbox
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import ASPNET, LEASE, Stores, moment_after
from tests.integration.store.moving import ended

NO_REST = timedelta(0)


async def say(stores: Stores, key: str = "rollout:1") -> None:
    async with stores.database.transaction() as connection:
        await announce(connection, key, stores.clock.now())


async def test_a_rollout_is_counted_and_those_who_are_needed_are_named_first(stores: Stores) -> None:
    await stores.fill(14)
    await stores.plan_all()
    async with stores.database.transaction() as connection:
        for number, state in ((3, RebuildState.SUPERSEDED), (5, RebuildState.OPEN), (9, RebuildState.FAILED)):
            await connection.execute(
                update(rebuilds).where(rebuilds.c.id == number).values(state=state.value, ended_at=None)
            )
        await connection.execute(update(rebuilds).where(rebuilds.c.id == 14).values(action=Action.NOTIFY.value))
    news = await stores.report.rollout(1)
    assert (news.repositories, news.told_count, news.total) == (13, 1, 13)
    assert news.states == {RebuildState.PLANNED: 10, RebuildState.OPEN: 1, RebuildState.FAILED: 1}
    assert [rebuild.id for rebuild in news.named_rebuilds] == [9, 5, 1, 2, 4, 6, 7, 8, 10, 11]


async def test_an_announcement_is_undone_with_what_caused_it(stores: Stores) -> None:
    async def break_off() -> None:
        async with stores.database.transaction() as connection:
            await announce(connection, "rollout:1", stores.clock.now())
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        await break_off()
    assert await stores.messages(10) == []


async def test_a_failed_message_rests_and_then_counts_its_attempts(stores: Stores) -> None:
    await say(stores)
    message = (await stores.messages(10))[0]
    await stores.put_off(stores.report.messages, message.id, moment_after(stores.clock, 5), "Slack: no answer")
    assert await stores.messages(10) == []
    stores.clock.advance(timedelta(minutes=5))
    assert (await stores.messages(10))[0].attempts == 2
    assert await stores.column(outbox, "error") == ["Slack: no answer"]


@ON_BOTH
async def test_a_message_that_a_killed_worker_held_is_sent_by_another(stores: Stores) -> None:
    await say(stores)
    message = (await stores.messages(10))[0]
    stores.clock.advance(LEASE)
    other = stores.other("second")
    assert (await other.messages(10))[0].attempts == 2
    with pytest.raises(LeaseLost):
        await stores.report.message_sent(message, "late", None, NO_REST)
    assert await stores.column(outbox, "sent") == [None]


@ON_BOTH
async def test_a_rollout_says_when_the_last_of_what_waits_will_have_begun(stores: Stores) -> None:
    await stores.fill(repositories=3)
    await stores.plan_all()
    for _ in range(480):
        await stores.budgets.take("contoso/", 1, WriteLimits(480, 480, timedelta(0)))
    found = await stores.report.rollout(1)
    assert found.opened_by == stores.clock.now() + timedelta(hours=1, seconds=2)


# Where it is told


async def test_news_are_due_for_each_destination_once_they_are_chosen(stores: Stores) -> None:
    await say(stores)
    [news] = await stores.messages(10)
    await stores.report.spread(news, ["slack", "teams"])
    assert [(each.key, each.destination) for each in await stores.messages(10)] == [
        ("rollout:1", "slack"),
        ("rollout:1", "teams"),
    ]


async def test_a_message_rests_before_it_is_edited_again(stores: Stores) -> None:
    await say(stores)
    await stores.report.spread((await stores.messages(10))[0], ["slack"])
    [message] = await stores.messages(10)
    await stores.report.message_sent(message, "print-1", {"channel": "C1", "ts": "1.1"}, timedelta(seconds=30))
    await say(stores)
    await stores.report.spread((await stores.messages(10))[0], ["slack"])
    assert await stores.messages(10) == []
    stores.clock.advance(timedelta(seconds=30))
    [again] = await stores.messages(10)
    assert again.remote == await stores.report.remote_of("rollout:1", "slack")


async def test_a_part_of_a_rollout_counts_its_own_repositories_alone(stores: Stores) -> None:
    await stores.fill(4)
    await stores.plan_all()
    about = await stores.report.about(1)
    assert about.repositories == tuple(f"contoso/shop-{number:04}" for number in range(4))
    assert [change.base for change in about.changes] == [ASPNET]
    part = await stores.report.rollout(1, about.repositories[:1])
    assert (part.repositories, part.bases, part.total) == (1, 1, 1)


async def test_a_wave_is_told_with_its_failures(stores: Stores) -> None:
    await stores.fill(3)
    await stores.plan_all(wave="canary")
    [job, *_] = await stores.jobs()
    await stores.act.settle_rebuild(
        job.rebuild, job.rebuild.moved(RebuildState.FAILED, "no", at=stores.clock.now())
    )
    assert "wave:1:canary" in [message.key for message in await stores.messages(10)]
    wave = await stores.report.wave(1, "canary")
    assert (wave.waves, wave.total, wave.succeeded, wave.failed) == (1, 3, 0, 1)
    assert [(each.repository, each.reason) for each in wave.failures] == [(job.rebuild.repository, "no")]


async def test_a_wave_counts_apart_what_was_built_and_is_not_proven(stores: Stores) -> None:
    await stores.fill(4)
    await stores.plan_all(wave="canary", action=Action.DISPATCH, branch=None, workflow="weekly.yml")
    await ended(stores, RebuildState.BUILT, RebuildState.SUCCEEDED, RebuildState.MERGED)
    wave = await stores.report.wave(1, "canary")
    assert (wave.total, wave.succeeded, wave.unproven, wave.merged, wave.failed) == (4, 1, 1, 1, 0)


# Summaries


async def test_the_first_summary_is_kept_and_each_later_one_announced_once(stores: Stores) -> None:
    first, second = stores.clock.now(), stores.clock.now() + timedelta(days=7)
    assert not await stores.report.announce_summary(first)
    assert await stores.report.announce_summary(second)
    assert not await stores.report.announce_summary(second)
    assert [message.key for message in await stores.messages(10)] == ["summary:2"]
    found = await stores.report.summary(2)
    assert (found.since, found.until) == (first, second)


async def test_a_teams_summary_counts_its_own_repositories(stores: Stores) -> None:
    await stores.fill(3)
    await stores.standing.count()
    await stores.report.announce_summary(stores.clock.now())
    await stores.report.announce_summary(stores.clock.now() + timedelta(days=7))
    names = await stores.report.fleet()
    assert len(names) == 3
    assert sum((await stores.report.summary(2, names[:1])).standings.values()) == 1
    assert sum((await stores.report.summary(2)).standings.values()) == 3
