"""Against a stateful Slack on loopback."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.clients.http.client import Http
from bot.clients.notifiers.slack import Posted, SlackBot, SlackWebhook
from bot.domain.failure import Failure, Trouble
from sandbox.world import World

BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}]


@pytest.fixture
def bot(shared_world: World, http: Http) -> SlackBot:
    slack = shared_world.slack
    return SlackBot(http, slack.token, slack.channel, f"{slack.url}/api")


def an_hour_ago() -> datetime:
    return datetime.now(UTC) - timedelta(hours=1)


async def keys(world: World) -> list[str]:
    found = [message.get("metadata", {}).get("event_payload", {}) for message in await world.slack.messages()]
    return [payload.get("key", "") for payload in found]


async def test_a_message_is_posted_answered_and_edited(shared_world: World, bot: SlackBot) -> None:
    posted = await bot.post("edited", "before", BLOCKS)
    await bot.post("answer", "more", BLOCKS, thread=posted)
    await bot.update(posted, "edited", "after", BLOCKS)
    assert [message["text"] for message in await shared_world.slack.thread(posted.ts)] == ["after", "more"]


async def test_a_message_whose_confirmation_was_lost_is_not_posted_again(
    shared_world: World, bot: SlackBot
) -> None:
    shared_world.faults.add("POST", "chat.postMessage", service="slack", drop=True, applied=True)
    with pytest.raises(Failure):
        await bot.post("lost", "x", BLOCKS)
    found = await bot.post("lost", "x", BLOCKS, maybe_sent_since=an_hour_ago())
    assert (await keys(shared_world)).count("lost") == 1
    assert found.ts


async def test_an_answer_whose_confirmation_was_lost_is_not_posted_again(
    shared_world: World, bot: SlackBot
) -> None:
    thread = await bot.post("thread", "x", BLOCKS)
    shared_world.faults.add("POST", "chat.postMessage", service="slack", status=503, applied=True)
    with pytest.raises(Failure):
        await bot.post("reply", "y", BLOCKS, thread=thread)
    await bot.post("reply", "y", BLOCKS, thread=thread, maybe_sent_since=an_hour_ago())
    assert len(await shared_world.slack.thread(thread.ts)) == 2


async def test_a_message_that_is_gone_is_missing(bot: SlackBot) -> None:
    with pytest.raises(Failure) as caught:
        await bot.update(Posted(bot.channel, "1.000000"), "a", "x", BLOCKS)
    assert caught.value.trouble is Trouble.MISSING


async def test_a_webhook_posts(shared_world: World, http: Http) -> None:
    await SlackWebhook(http, shared_world.slack.webhook).post("a", "by webhook", BLOCKS)
    assert (await shared_world.slack.messages())[-1]["text"] == "by webhook"


async def test_a_webhook_that_was_removed_is_missing(shared_world: World, http: Http) -> None:
    with pytest.raises(Failure) as caught:
        await SlackWebhook(http, f"{shared_world.slack.url}/services/T0/B0/wrong").post("a", "x", BLOCKS)
    assert str(caught.value) == "Slack webhook: refused: no_service; create the webhook anew"


async def test_a_message_is_found_by_what_it_is_about_whatever_its_key(bot: SlackBot) -> None:
    first = await bot.post("rollout:1", "one", BLOCKS, about=("sought-1", "sought-2"))
    await bot.post("rollout:1", "other", BLOCKS, about=("sought-3",))
    found = await bot.find({"sought-2", "unknown"}, an_hour_ago())
    assert found is not None
    assert (found.posted, found.about) == (first, frozenset({"sought-1", "sought-2"}))
    await bot.update(first, "rollout:9", "one", BLOCKS, about=("sought-4",))
    assert await bot.find({"sought-2"}, an_hour_ago()) is None
    assert await bot.find({"sought-4"}, an_hour_ago()) is not None
    assert await bot.find({"sought-4"}, datetime.now(UTC) + timedelta(hours=1)) is None


async def test_a_webhook_finds_nothing(shared_world: World, http: Http) -> None:
    found: object = await SlackWebhook(http, shared_world.slack.webhook).find({"sought"}, an_hour_ago())  # type: ignore[func-returns-value]
    assert found is None
