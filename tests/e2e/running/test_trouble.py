"""Something is down: one clear line each, the rest of the pass goes on, and a later pass catches up."""

from datetime import timedelta

from bot.domain.rollouts.rebuild import RebuildState
from sandbox.feeds.feeds import INDEX
from tests.e2e.staging import Stage

LATER = timedelta(hours=2)


async def caught_up(stage: Stage) -> bool:
    """Whether a patch has come to all that it should."""
    opened = [len(await stage.world.github.pull_requests(name)) for name in stage.fleet.repositories("10.0.0")]
    return sum(opened) == 3 and len(stage.world.github.runs()) == 2 and len(await stage.world.slack.messages()) == 1


async def test_a_registry_that_is_down_is_one_incident(published: Stage) -> None:
    published.world.faults.add(None, "/v2/.*", service="registry", status=503, times=1000)

    outcomes = await published.run_pass()

    assert len(outcomes["watch"].problems) == 1
    assert published.fleet.registry in outcomes["watch"].problems[0]
    assert outcomes["feeds"].problems == []
    published.world.faults.clear()
    published.clock.ahead += LATER
    await published.run_pass()
    states = await published.states()
    assert len(states) == 5
    texts = [message["text"] for message in await published.world.slack.messages()]
    assert [text for text in texts if "is well again" in text]


async def test_github_answering_502_costs_no_rebuild(published: Stage) -> None:
    published.world.faults.add("POST", "createCommitOnBranch.*contoso/payments-api", status=502, times=1)

    outcomes = await published.run_pass()

    assert len(outcomes["act"].problems) == 1
    assert "contoso/payments-api" in outcomes["act"].problems[0]
    states = await published.states()
    assert states["payments-api"] is RebuildState.WAITING
    assert states["orders-api"] is RebuildState.OPEN
    published.clock.ahead += LATER
    await published.run_pass()
    assert await caught_up(published)


async def test_a_secondary_limit_stops_the_writes_until_it_is_over(published: Stage) -> None:
    published.world.faults.add_secondary_limit("POST", "/repos/.*/dispatches", retry_after=90)

    outcomes = await published.run_pass()

    assert len(outcomes["act"].problems) == 1
    assert "rate limit" in outcomes["act"].problems[0]
    assert [entry for entry in published.world.traffic.writes() if entry.service == "github"][1:] == []
    published.clock.ahead += LATER
    await published.run_pass()
    assert await caught_up(published)


async def test_a_garbled_feed_leaves_the_last_good_copy_in_use(published: Stage) -> None:
    good = published.world.feeds
    good.put(INDEX, b"<html>we will be back soon</html>")

    outcomes = await published.run_pass()

    assert len(outcomes["feeds"].problems) == 1
    assert INDEX in outcomes["feeds"].problems[0]
    assert len(await published.states()) == 5


async def test_slack_being_down_loses_no_message(published: Stage) -> None:
    published.world.faults.add("POST", "/api/chat.postMessage", service="slack", status=503, times=1000)

    outcomes = await published.run_pass()

    assert len(outcomes["report"].problems) == 1
    assert len(await published.states()) == 5
    published.world.faults.clear()
    published.clock.ahead += LATER
    await published.run_pass()
    assert await caught_up(published)


async def test_an_answer_lost_after_the_write_leads_to_no_second_one(published: Stage) -> None:
    for path in ("createPullRequest.*contoso/payments-api", "/repos/contoso/catalog-web/actions/.*/dispatches"):
        published.world.faults.add("POST", path, drop=True, applied=True, times=1)
    published.world.faults.add("POST", "/api/chat.postMessage", service="slack", drop=True, applied=True, times=1)

    await published.run_pass()
    for _ in range(2):
        published.clock.ahead += LATER
        await published.run_pass()

    assert await caught_up(published)


async def test_a_repository_that_denies_access_does_not_stop_the_others(published: Stage) -> None:
    node = (await published.world.github.ask("GET", "/repos/contoso/orders-api"))["node_id"]
    published.world.faults.add(None, f"/repos/contoso/orders-api/|{node}", status=403, times=1000)

    outcomes = await published.run_pass()

    assert "contoso/orders-api" in outcomes["act"].problems[0]
    states = await published.states()
    assert {name for name, state in states.items() if state is RebuildState.OPEN} == {
        "payments-api",
        "search-worker",
    }
