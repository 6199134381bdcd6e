"""Posting to Slack: an incoming webhook, which can do nothing else, or a bot, which can also answer and edit.

Both have the same methods. Slack answers most failures with status 200 and `"ok": false`.
"""

import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlencode

from bot.clients.http.answers import Answer
from bot.clients.http.client import Http
from bot.clients.notifiers.slack_scopes import SignedIn
from bot.domain.failure import Failure, Trouble

SLACK_API = "https://slack.com/api"
EVENT_TYPE = "freshness"
PAGE = 200
MOST_PAGES = 10
_SCOPES = "x-oauth-scopes"
"""The header in which Slack names the scopes of the token that asked."""
LARGEST_ANSWER = 8 * 1024 * 1024

SlackBlock = Mapping[str, Any]
"""A Block Kit block as JSON."""

_TROUBLES: Mapping[str, tuple[Trouble, str]] = {
    **dict.fromkeys(
        ("invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "invalid_token"),
        (Trouble.DENIED, "put a valid token in the secret file"),
    ),
    **dict.fromkeys(
        ("missing_scope", "no_permission", "restricted_action", "action_prohibited", "access_denied"),
        (Trouble.DENIED, "grant the app chat:write and channels:history"),
    ),
    **dict.fromkeys(
        ("not_in_channel", "channel_not_found", "is_archived", "channel_is_archived"),
        (Trouble.MISSING, "name the channel by its ID and invite the app to it"),
    ),
    **dict.fromkeys(
        ("message_not_found", "thread_not_found", "cant_update_message", "edit_window_closed"),
        (Trouble.MISSING, "it is posted anew"),
    ),
    **dict.fromkeys(("no_service", "no_team"), (Trouble.MISSING, "create the webhook anew")),
    **dict.fromkeys(("ratelimited", "rate_limited"), (Trouble.THROTTLED, "it is sent later")),
    **dict.fromkeys(
        ("internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"),
        (Trouble.UNREACHABLE, "it is sent later"),
    ),
}


@dataclass(frozen=True, slots=True)
class Posted:
    """A message in Slack: `ts` names it within `channel`."""

    channel: str
    ts: str


@dataclass(frozen=True, slots=True)
class FoundInSlack:
    """A message of the bot's own, and what it is about."""

    posted: Posted
    about: frozenset[str]


class Slack(Protocol):
    """What both senders do; every method raises `Failure`."""

    @property
    def can_update(self) -> bool:
        """Whether messages can be edited and answered in threads."""
        ...

    async def post(
        self,
        key: str,
        text: str,
        blocks: Sequence[SlackBlock],
        *,
        thread: Posted | None = None,
        maybe_sent_since: datetime | None = None,
        about: Sequence[str] = (),
    ) -> Posted | None:
        """Posts once. `key` is the message's own name: where an earlier attempt may have got through since
        `maybe_sent_since`, a message with that key is looked for first, adopted, and given these words. `about` is
        kept with it, to be found by."""
        ...

    async def update(
        self, posted: Posted, key: str, text: str, blocks: Sequence[SlackBlock], *, about: Sequence[str] = ()
    ) -> None:
        """Replaces the message's text; repeating it does no harm."""
        ...

    async def find(self, about: Collection[str], since: datetime) -> FoundInSlack | None:
        """The newest message of the bot's own that is about one of these; None where there is none, or it cannot be
        told."""
        ...


@dataclass(frozen=True, slots=True)
class SlackWebhook:
    """Posts to the one channel that the webhook was made for. `url` is a secret, and never shown."""

    http: Http
    url: str = field(repr=False)

    @property
    def can_update(self) -> bool:
        return False

    async def post(
        self,
        key: str,
        text: str,
        blocks: Sequence[SlackBlock],
        *,
        thread: Posted | None = None,
        maybe_sent_since: datetime | None = None,
        about: Sequence[str] = (),
    ) -> None:
        """Posts a message by a webhook, which tells nothing of it: after a broken connection it may come twice."""
        place = "Slack webhook"
        headers = {"Content-Type": "application/json; charset=utf-8"}
        body = json.dumps({"text": text, "blocks": list(blocks), "unfurl_links": False}).encode()
        answer = await self.http.request(
            "POST", self.url, headers=headers, content=body, max_bytes=LARGEST_ANSWER, place=place
        )
        if answer.status != 200:
            answer_text = answer.body[:80].decode("utf-8", "replace").strip()
            raise _failure(
                answer_text if answer_text.replace("_", "").isalnum() else "", place, status=answer.status
            )

    async def update(
        self, posted: Posted, key: str, text: str, blocks: Sequence[SlackBlock], *, about: Sequence[str] = ()
    ) -> None:
        raise Failure(
            Trouble.DENIED,
            "cannot edit a message",
            where="Slack webhook",
            advice="set `bot_token_file` and `channel` instead",
        )

    async def find(self, about: Collection[str], since: datetime) -> None:
        """Nothing: a webhook shows nothing of its channel."""


@dataclass(frozen=True, slots=True)
class SlackBot:
    """Posts to `channel` (an ID, `C…`) with a bot token. Needs chat:write and, to look back, channels:history."""

    http: Http
    token: str = field(repr=False)
    channel: str = ""
    api_url: str = SLACK_API

    @property
    def can_update(self) -> bool:
        return True

    async def check(self) -> SignedIn:
        """Asks whose token it is and which scopes it has. Raises `Failure` where Slack does not take it."""
        answer = await self._send("auth.test", {}, retry=True)
        identity = self._check_answer(answer, "auth.test")
        scope_names = answer.headers.get(_SCOPES)
        scopes = (
            None
            if scope_names is None
            else frozenset(scope.strip() for scope in scope_names.split(",") if scope.strip())
        )
        return SignedIn(str(identity.get("user", "a bot")), str(identity.get("team", "a workspace")), scopes)

    async def post(
        self,
        key: str,
        text: str,
        blocks: Sequence[SlackBlock],
        *,
        thread: Posted | None = None,
        maybe_sent_since: datetime | None = None,
        about: Sequence[str] = (),
    ) -> Posted:
        """Posts a message, or updates the one that an earlier attempt left since `maybe_sent_since`. Raises
        `Failure`."""
        if maybe_sent_since is not None:
            earlier = await self._find(key, thread, maybe_sent_since)
            if earlier is not None:
                await self.update(earlier, key, text, blocks, about=about)
                return earlier
        message = {**_message(key, text, blocks, about), "channel": thread.channel if thread else self.channel}
        if thread is not None:
            message["thread_ts"] = thread.ts
        answer = await self._write("chat.postMessage", message, retry=False)
        return _message_named(answer, str(answer.get("channel", "")), "chat.postMessage")

    async def update(
        self, posted: Posted, key: str, text: str, blocks: Sequence[SlackBlock], *, about: Sequence[str] = ()
    ) -> None:
        message = {**_message(key, text, blocks, about), "channel": posted.channel, "ts": posted.ts}
        await self._write("chat.update", message, retry=True)

    async def find(self, about: Collection[str], since: datetime) -> FoundInSlack | None:
        try:
            async for message in self._messages(None, since):
                keys = _about(message)
                if not keys.isdisjoint(about):
                    return FoundInSlack(_message_named(message, self.channel, "conversations.history"), keys)
        except Failure as failure:
            if failure.trouble is not Trouble.MALFORMED:
                raise
        return None

    async def _find(self, key: str, thread: Posted | None, since: datetime) -> Posted | None:
        """Our own message with that key, in the channel or the thread, not older than `since`."""
        async for message in self._messages(thread, since):
            if _key_of(message) == key:
                channel, method = _place_of(thread, self.channel)
                return _message_named(message, channel, method)
        return None

    async def _messages(self, thread: Posted | None, since: datetime) -> AsyncIterator[object]:
        """Those of the channel, the newest first, or of the thread; raises `Failure` where they are too many."""
        channel, method = _place_of(thread, self.channel)
        arguments = {
            "channel": channel,
            "oldest": f"{since.timestamp():.6f}",
            "inclusive": "true",
            "include_all_metadata": "true",
            "limit": str(PAGE),
            **({"ts": thread.ts} if thread else {}),
        }
        cursor = ""
        for _ in range(MOST_PAGES):
            answer = await self._get(method, {**arguments, **({"cursor": cursor} if cursor else {})})
            for message in _list(answer.get("messages")):
                yield message
            cursor = str(_object(answer.get("response_metadata")).get("next_cursor") or "")
            if not cursor:
                return
        raise Failure(
            Trouble.MALFORMED,
            f"has more than {MOST_PAGES * PAGE} messages to look through for one that may be there",
            where=self._place_of(method),
            advice="check the channel by hand",
        )

    async def _get(self, method: str, arguments: Mapping[str, str]) -> Mapping[str, Any]:
        url = f"{self.api_url}/{method}?{urlencode(arguments)}"
        answer = await self.http.request("GET", url, headers=self._headers, max_bytes=LARGEST_ANSWER)
        return self._check_answer(answer, method)

    async def _write(self, method: str, message: Mapping[str, Any], *, retry: bool) -> Mapping[str, Any]:
        return self._check_answer(await self._send(method, message, retry=retry), method)

    async def _send(self, method: str, message: Mapping[str, Any], *, retry: bool) -> Answer:
        headers = {**self._headers, "Content-Type": "application/json; charset=utf-8"}
        url = f"{self.api_url}/{method}"
        content = json.dumps(message).encode()
        return await self.http.request(
            "POST", url, headers=headers, content=content, max_bytes=LARGEST_ANSWER, retry=retry
        )

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}

    def _check_answer(self, answer: Answer, method: str) -> Mapping[str, Any]:
        body = answer.json()
        if not isinstance(body, dict) or answer.status != 200:
            raise _failure("", self._place_of(method), status=answer.status)
        if body.get("ok") is not True:
            notes = _list(_object(body.get("response_metadata")).get("messages"))
            raise _failure(
                str(body.get("error", ""))[:80], self._place_of(method), notes=[str(each) for each in notes]
            )
        return body

    def _place_of(self, method: str) -> str:
        return f"Slack {method}"


def _place_of(thread: Posted | None, channel: str) -> tuple[str, str]:
    """The channel, and the method that reads it or the thread."""
    return (channel, "conversations.history") if thread is None else (thread.channel, "conversations.replies")


def _message(key: str, text: str, blocks: Sequence[SlackBlock], about: Sequence[str]) -> dict[str, Any]:
    payload = {"key": key, **({"about": list(about)} if about else {})}
    return {
        "text": text,
        "blocks": list(blocks),
        "unfurl_links": False,
        "unfurl_media": False,
        "metadata": {"event_type": EVENT_TYPE, "event_payload": payload},
    }


def _key_of(message: object) -> str | None:
    metadata = _object(_object(message).get("metadata"))
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    key = _object(metadata.get("event_payload")).get("key")
    return key if isinstance(key, str) else None


def _about(message: object) -> frozenset[str]:
    metadata = _object(_object(message).get("metadata"))
    if metadata.get("event_type") != EVENT_TYPE:
        return frozenset()
    return frozenset(map(str, _list(_object(metadata.get("event_payload")).get("about"))))


def _message_named(answer: object, channel: str, method: str) -> Posted:
    ts = _object(answer).get("ts")
    if not isinstance(ts, str) or not channel:
        raise Failure(Trouble.MALFORMED, "does not say which message it is", where=f"Slack {method}")
    return Posted(channel, ts)


def _failure(error: str, place: str, *, status: int | None = None, notes: Sequence[str] = ()) -> Failure:
    """Slack's own word for what went wrong, in `Failure`'s terms."""
    trouble, advice = _TROUBLES.get(error, (Trouble.MALFORMED, "check the message and the address"))
    reason = error or f"status {status}"
    details = f" ({'; '.join(notes)[:200]})" if notes else ""
    return Failure(trouble, f"refused: {reason}{details}", where=place, advice=advice, status=status)


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()
