import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from bot.clients.http.client import Http
from bot.clients.notifiers.slack import Posted, SlackBot, SlackWebhook
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble

NOW = datetime(2025, 11, 11, 18, 0, tzinfo=UTC)
BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}]
WEBHOOK = "https://hooks.slack.com/services/T0/B0/hush"

Answers = Callable[[httpx.Request], httpx.Response]


class Workspace:
    """Keeps what is posted, and shows it as Slack does."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.asked: list[httpx.Request] = []
        self.page = 200

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        method = request.url.path.removeprefix("/api/")
        if method in ("conversations.history", "conversations.replies"):
            return self._read(request.url.params)
        message = json.loads(request.content)
        if method == "chat.update":
            found = next(each for each in self.messages if each["ts"] == message["ts"])
            found.update(message)
            return httpx.Response(200, json={"ok": True, "ts": found["ts"], "channel": "C1"})
        message["ts"] = f"{NOW.timestamp() + len(self.messages):.6f}"
        self.messages.append(message)
        return httpx.Response(200, json={"ok": True, "ts": message["ts"], "channel": "C1"})

    def _read(self, asked: httpx.QueryParams) -> httpx.Response:
        thread = asked.get("ts")
        shown = [
            each for each in self.messages if each.get("thread_ts") == thread and each["ts"] >= asked["oldest"]
        ]
        start = int(asked.get("cursor", "0"))
        following = str(start + self.page) if start + self.page < len(shown) else ""
        page = [dict(each) for each in reversed(shown)][start : start + self.page]
        if asked.get("include_all_metadata") != "true":
            for each in page:
                each.pop("metadata", None)
        answer = {"ok": True, "messages": page, "response_metadata": {"next_cursor": following}}
        return httpx.Response(200, json=answer)


def http_to(answers: Answers) -> Http:
    return Http(ManualClock(NOW), transport=httpx.MockTransport(answers))


def says(error: str, **more: Any) -> Answers:
    return lambda request: httpx.Response(200, json={"ok": False, "error": error, **more})


async def test_a_message_carries_its_key() -> None:
    workspace = Workspace()
    async with http_to(workspace) as http:
        posted = await SlackBot(http, "xoxb-1", "C1").post("rollout:1", "hello", BLOCKS)
    assert posted == Posted("C1", workspace.messages[0]["ts"])
    assert workspace.messages[0]["metadata"] == {"event_type": "freshness", "event_payload": {"key": "rollout:1"}}
    assert workspace.messages[0]["blocks"] == BLOCKS
    assert workspace.asked[0].headers["authorization"] == "Bearer xoxb-1"


async def test_an_answer_stands_in_its_thread() -> None:
    workspace = Workspace()
    async with http_to(workspace) as http:
        bot = SlackBot(http, "t", "C1")
        opened = await bot.post("a", "opened", BLOCKS)
        await bot.post("b", "more", BLOCKS, thread=opened)
    assert workspace.messages[1]["thread_ts"] == opened.ts


async def test_an_update_replaces_the_text_and_keeps_the_key() -> None:
    workspace = Workspace()
    async with http_to(workspace) as http:
        bot = SlackBot(http, "t", "C1")
        posted = await bot.post("a", "before", BLOCKS)
        await bot.update(posted, "a", "after", BLOCKS)
    assert [(each["text"], each["metadata"]["event_payload"]) for each in workspace.messages] == [
        ("after", {"key": "a"})
    ]


@pytest.mark.parametrize("in_thread", [False, True])
async def test_a_message_that_got_through_unnoticed_is_adopted(in_thread: bool) -> None:
    workspace = Workspace()
    workspace.page = 2
    async with http_to(workspace) as http:
        bot = SlackBot(http, "t", "C1")
        thread = await bot.post("thread", "opened", BLOCKS) if in_thread else None
        lost = await bot.post("mine", "x", BLOCKS, thread=thread)
        for number in range(5):
            await bot.post(f"other:{number}", "x", BLOCKS, thread=thread)
        assert await bot.post("mine", "x", BLOCKS, thread=thread, maybe_sent_since=NOW) == lost
    assert sum(each["metadata"]["event_payload"]["key"] == "mine" for each in workspace.messages) == 1


async def test_an_adopted_message_gets_the_words_of_now() -> None:
    workspace = Workspace()
    async with http_to(workspace) as http:
        bot = SlackBot(http, "t", "C1")
        lost = await bot.post("mine", "3 pull requests are open", BLOCKS)
        assert await bot.post("mine", "all are merged", BLOCKS, maybe_sent_since=NOW) == lost
    assert [each["text"] for each in workspace.messages] == ["all are merged"]


async def test_a_message_that_did_not_get_through_is_posted() -> None:
    workspace = Workspace()
    async with http_to(workspace) as http:
        await SlackBot(http, "t", "C1").post("mine", "x", BLOCKS, maybe_sent_since=NOW)
    assert len(workspace.messages) == 1


async def test_a_post_is_not_repeated_and_an_update_is(waits: list[float]) -> None:
    asked: list[str] = []

    def broken(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(503)

    async with http_to(broken) as http:
        bot = SlackBot(http, "t", "C1")
        with pytest.raises(Failure):
            await bot.post("a", "x", BLOCKS)
        with pytest.raises(Failure):
            await bot.update(Posted("C1", "1.0"), "a", "x", BLOCKS)
    assert asked == ["/api/chat.postMessage"] + ["/api/chat.update"] * 3


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        ("invalid_auth", Trouble.DENIED),
        ("missing_scope", Trouble.DENIED),
        ("channel_not_found", Trouble.MISSING),
        ("message_not_found", Trouble.MISSING),
        ("edit_window_closed", Trouble.MISSING),
        ("ratelimited", Trouble.THROTTLED),
        ("internal_error", Trouble.UNREACHABLE),
        ("invalid_blocks", Trouble.MALFORMED),
        ("something_new", Trouble.MALFORMED),
    ],
)
async def test_what_slack_refuses_is_a_failure_of_its_kind(error: str, trouble: Trouble) -> None:
    async with http_to(says(error)) as http:
        with pytest.raises(Failure) as caught:
            await SlackBot(http, "t", "C1").post("a", "x", BLOCKS)
    assert caught.value.trouble is trouble
    assert str(caught.value).startswith(f"Slack chat.postMessage: refused: {error}; ")


async def test_slacks_own_words_on_a_bad_block_are_kept() -> None:
    notes = {"messages": ["[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text]"]}
    async with http_to(says("invalid_blocks", response_metadata=notes)) as http:
        with pytest.raises(Failure, match="must be less than 3001 characters"):
            await SlackBot(http, "t", "C1").post("a", "x", BLOCKS)


async def test_too_many_messages_come_back_with_the_time_to_wait() -> None:
    async with http_to(lambda request: httpx.Response(429, headers={"retry-after": "30"})) as http:
        with pytest.raises(Failure) as caught:
            await SlackBot(http, "t", "C1").post("a", "x", BLOCKS)
    assert caught.value.trouble is Trouble.THROTTLED
    assert caught.value.retry_after is not None
    assert caught.value.retry_after.total_seconds() == 30


async def test_another_address_may_be_set() -> None:
    workspace = Workspace()
    async with http_to(workspace) as http:
        await SlackBot(http, "t", "C1", "https://slack.example/api").post("a", "x", BLOCKS)
    assert str(workspace.asked[0].url) == "https://slack.example/api/chat.postMessage"


async def test_a_webhook_posts_text_and_blocks() -> None:
    asked: list[Any] = []

    def hook(request: httpx.Request) -> httpx.Response:
        asked.append((str(request.url), json.loads(request.content)))
        return httpx.Response(200, text="ok")

    async with http_to(hook) as http:
        await SlackWebhook(http, WEBHOOK).post("a", "hello", BLOCKS)
    assert asked == [(WEBHOOK, {"text": "hello", "blocks": BLOCKS, "unfurl_links": False})]


@pytest.mark.parametrize(
    ("status", "text", "trouble"),
    [
        (403, "invalid_token", Trouble.DENIED),
        (404, "no_service", Trouble.MISSING),
        (410, "channel_is_archived", Trouble.MISSING),
        (400, "invalid_payload", Trouble.MALFORMED),
        (400, "<html>", Trouble.MALFORMED),
        (500, "rollup_error", Trouble.UNREACHABLE),
    ],
)
async def test_a_webhooks_refusal_never_shows_its_address(status: int, text: str, trouble: Trouble) -> None:
    async with http_to(lambda request: httpx.Response(status, text=text)) as http:
        with pytest.raises(Failure) as caught:
            await SlackWebhook(http, WEBHOOK).post("a", "x", BLOCKS)
    assert caught.value.trouble is trouble
    assert "hush" not in str(caught.value)
    assert "hooks.slack.com" not in str(caught.value)


async def test_a_webhook_cannot_edit_and_says_what_can() -> None:
    async with http_to(says("x")) as http:
        hook = SlackWebhook(http, WEBHOOK)
        assert not hook.can_update
        with pytest.raises(Failure, match="cannot edit a message"):
            await hook.update(Posted("C1", "1.0"), "a", "x", BLOCKS)


def test_secrets_do_not_show() -> None:
    http = http_to(says("x"))
    assert "hush" not in repr(SlackWebhook(http, WEBHOOK)) + repr(SlackBot(http, "hush", "C1"))


@pytest.mark.parametrize(
    ("headers", "scopes"),
    [({"X-OAuth-Scopes": "chat:write, channels:history"}, {"chat:write", "channels:history"}), ({}, None)],
)
async def test_a_token_is_told_apart_by_its_scopes(headers: dict[str, str], scopes: set[str] | None) -> None:
    def answered(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"ok": True, "user": "freshness", "team": "Contoso"}, headers=headers)

    async with http_to(answered) as http:
        found = await SlackBot(http, "xoxb-1", "C1").check()
    assert (str(found), found.scopes) == ("freshness in Contoso", scopes)
