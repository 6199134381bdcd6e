"""Who is told what, and where: the fleet's channel, a team's own, and the thread below a rollout's message."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.store.orders.orders import OrdersStore
from sandbox.world import World
from tests.e2e.sample import SETTLED
from tests.e2e.staging import Stage


def in_days(days: int) -> str:
    """A time of the week, so many days from now: tests of which one was near would depend on when they run."""
    return f"0 9 * * {(datetime.now(UTC) + timedelta(days=days)).isoweekday() % 7}"


def with_a_team(world: World, _: Path) -> dict[str, object]:
    own = {
        "match": {"repositories": ["contoso/catalog-*"]},
        "channel": world.slack.team_channel,
        "mention": "U0123456",
    }
    return {
        "notify": [own],
        "fleet_issue": {"repository": "contoso/handbook"},
        "schedule": {"summary": in_days(3)},
    }


staged = SETTLED.under(with_a_team).then(Stage.run_pass).fixture()
"""The sample fleet after a pass, in which one team reads its own part, and is called where somebody must act."""


async def test_a_team_reads_its_own_part_and_is_called_when_it_fails(staged: Stage) -> None:
    slack = staged.world.slack
    await staged.fleet.publish_runtime("10.0.1")
    await staged.run_pass()

    [everything] = await slack.messages()
    [own] = await slack.messages(slack.team_channel)
    assert "; 4 repositories" in everything["text"]
    assert own["text"].endswith("; 1 repository on 1 base: 1 under way")

    [run] = staged.world.github.runs("catalog-web")
    staged.world.github.finish_run(run.id, "failure")
    await staged.run_pass()

    [after] = await slack.messages(slack.team_channel)
    assert after["text"].endswith("; 1 repository on 1 base: 1 needs you (failed)")
    answers = await slack.thread(everything["ts"])
    assert [answer["text"].partition(":")[0] for answer in answers[1:]] == ["1 of 4 rebuilds failed"]
    assert "<@U0123456>" not in str(answers)
    await staged.run_pass()
    assert len(await slack.thread(everything["ts"])) == 2


async def test_every_channel_gets_the_summary_when_its_time_has_come(staged: Stage) -> None:
    slack = staged.world.slack
    staged.clock.ahead += timedelta(days=7)
    await staged.run_pass()
    await staged.run_pass()
    [fleet] = [message for message in await slack.messages() if "of the fleet is current" in message["text"]]
    [own] = await slack.messages(slack.team_channel)
    assert ": of 1 repository " in own["text"]
    assert ": 1 repository: " not in fleet["text"]


async def test_a_box_that_is_ticked_in_the_fleet_issue_has_a_failure_tried_again(staged: Stage) -> None:
    github = staged.world.github
    await staged.fleet.publish_runtime("10.0.1")
    await staged.run_pass()
    [run] = github.runs("catalog-web")
    github.finish_run(run.id, "failure")
    await staged.run_pass()
    await staged.run_pass()

    [issue] = await github.issues("handbook")
    offered = "- [ ] **try again** [contoso/catalog-web]"
    assert offered in issue["body"]
    ticked = issue["body"].replace(offered, offered.replace("[ ]", "[x]"))
    await github.edit_issue("handbook", issue["number"], ticked)
    await staged.run_pass()
    await staged.run_pass()

    assert len(github.runs("catalog-web")) == 2
    [after] = await github.issues("handbook")
    assert "[x]" not in after["body"]
    [entry] = await staged.bot.stores[OrdersStore].entries(10)
    assert (entry.what, entry.subject) == ("retry", "contoso/catalog-web")
    assert entry.word.who == f"contoso/handbook#{issue['number']}"
