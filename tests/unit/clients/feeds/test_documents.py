import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from bot.clients.feeds.documents import FeedReader
from bot.clients.http.client import Http, Limits
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.document import (
    FeedKind,
    FeedSource,
    Fetched,
    NewContent,
    NotFetched,
    StoredDocument,
    Unchanged,
)

NOW = datetime(2025, 12, 9, 18, 0, tzinfo=UTC)
URL = "https://feeds.example/releases.json"
SOURCE = FeedSource(FeedKind.DOTNET_RELEASES, URL)
STORED = StoredDocument(
    URL, '"v1"', "Tue, 09 Dec 2025 10:00:00 GMT", b"one", NOW - timedelta(days=2), NOW - timedelta(hours=1), "1"
)


class Feed:
    """One feed host behind the reader: answers as told, remembers what it was asked."""

    def __init__(self, respond: Callable[[httpx.Request], httpx.Response] | httpx.Response) -> None:
        self._respond = respond
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self._respond if isinstance(self._respond, httpx.Response) else self._respond(request)

    async def fetch(
        self, source: FeedSource = SOURCE, previous: StoredDocument | None = None, max_bytes: int = 1000
    ) -> Fetched:
        clock = ManualClock(NOW)
        headers = {"feeds.example": {"Authorization": "Bearer secret"}}
        hosts = frozenset({"feeds.example", "other.example"})
        async with Http(clock, limits=Limits(attempts=1), transport=httpx.MockTransport(self)) as http:
            return await FeedReader(http, clock, hosts, headers, max_bytes).fetch(source, previous)

    async def failure(self, source: FeedSource = SOURCE, previous: StoredDocument | None = None) -> Failure:
        fetched = await self.fetch(source, previous)
        assert isinstance(fetched, NotFetched)
        return fetched.failure


async def test_a_document_never_read_is_asked_for_without_conditions() -> None:
    feed = Feed(httpx.Response(200, headers={"ETag": '"v1"', "Last-Modified": "today"}, content=b"one"))
    assert await feed.fetch() == NewContent(StoredDocument(URL, '"v1"', "today", b"one", NOW, NOW))
    assert "if-none-match" not in feed.asked[0].headers


async def test_a_stored_document_is_asked_for_under_both_conditions() -> None:
    feed = Feed(httpx.Response(304))
    fetched = await feed.fetch(previous=STORED)
    assert isinstance(fetched, Unchanged)
    assert fetched.document.checked_at == NOW
    assert (fetched.document.body, fetched.document.fetched_at, fetched.document.reader) == (
        b"one",
        STORED.fetched_at,
        "1",
    )
    assert feed.asked[0].headers["if-none-match"] == '"v1"'
    assert feed.asked[0].headers["if-modified-since"] == STORED.last_modified


async def test_the_same_bytes_under_another_validator_are_no_news() -> None:
    feed = Feed(httpx.Response(200, headers={"ETag": '"v2"'}, content=b"one"))
    fetched = await feed.fetch(previous=STORED)
    assert isinstance(fetched, Unchanged)
    assert (fetched.document.etag, fetched.document.last_modified) == ('"v2"', None)


async def test_other_bytes_are_new_content() -> None:
    fetched = await Feed(httpx.Response(200, content=b"two")).fetch(previous=STORED)
    assert fetched == NewContent(StoredDocument(URL, None, None, b"two", NOW, NOW))


@pytest.mark.parametrize("etag", ["x" * 501, "caf\u00e9"])
async def test_a_validator_that_cannot_be_kept_is_done_without(etag: str) -> None:
    fetched = await Feed(httpx.Response(200, headers={b"ETag": etag.encode()}, content=b"x")).fetch()
    assert isinstance(fetched, NewContent)
    assert fetched.document.etag is None


async def test_the_security_response_center_is_asked_for_xml() -> None:
    feed = Feed(httpx.Response(200, content=b"<a/>"))
    await feed.fetch(FeedSource(FeedKind.MSRC_BULLETIN, URL))
    assert feed.asked[0].headers["accept"] == "application/xml"


async def test_credentials_go_to_their_own_host_alone() -> None:
    feed = Feed(httpx.Response(200, content=b"x"))
    await feed.fetch()
    await feed.fetch(FeedSource(FeedKind.IMAGE_INFO, "https://other.example/image-info.json"))
    assert feed.asked[0].headers["authorization"] == "Bearer secret"
    assert "authorization" not in feed.asked[1].headers


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/releases.json",
        "https://feeds.example:8443/releases.json",
        "https://feeds.example.evil.example/",
        "https://feeds.example@evil.example/",
        "file:///etc/passwd",
        "https://[/",
        "",
    ],
)
async def test_a_host_that_was_not_permitted_is_not_asked(url: str) -> None:
    feed = Feed(httpx.Response(200))
    failure = await feed.failure(FeedSource(FeedKind.DOTNET_RELEASES, url))
    assert failure.trouble in (Trouble.DENIED, Trouble.MALFORMED)
    assert feed.asked == []


async def test_plain_http_is_not_spoken() -> None:
    feed = Feed(httpx.Response(200))
    failure = await feed.failure(FeedSource(FeedKind.DOTNET_RELEASES, "http://feeds.example/releases.json"))
    assert failure.trouble is Trouble.DENIED
    assert feed.asked == []


async def test_a_redirect_to_another_host_is_not_followed_even_where_that_host_is_a_feed() -> None:
    feed = Feed(httpx.Response(302, headers={"Location": "https://other.example/x"}))
    assert "redirects to another host" in str(await feed.failure())
    assert len(feed.asked) == 1


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (401, Trouble.DENIED),
        (403, Trouble.DENIED),
        (404, Trouble.MISSING),
        (410, Trouble.MISSING),
        (204, Trouble.MALFORMED),
        (304, Trouble.MALFORMED),
        (418, Trouble.MALFORMED),
        (503, Trouble.UNREACHABLE),
    ],
)
async def test_any_other_answer_is_a_failure_that_names_host_and_status(status: int, trouble: Trouble) -> None:
    failure = await Feed(httpx.Response(status)).failure()
    assert failure.trouble is trouble
    assert f"({status})" in str(failure)
    assert str(failure).startswith("feeds.example/releases.json: ")


async def test_an_exhausted_github_limit_waits_for_its_reset() -> None:
    reset = str(int((NOW + timedelta(minutes=47)).timestamp()))
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
    failure = await Feed(httpx.Response(403, headers=headers)).failure()
    assert (failure.trouble, failure.retry_after) == (Trouble.THROTTLED, timedelta(minutes=47))


@pytest.mark.parametrize("reset", ["", "soon", "9" * 11, "-5", "9" * 400])
async def test_a_senseless_reset_is_not_waited_for_beyond_a_day(reset: str) -> None:
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
    failure = await Feed(httpx.Response(403, headers=headers)).failure()
    assert failure.retry_after is None or failure.retry_after <= timedelta(days=1)


async def test_more_bytes_than_the_cap_are_a_failure() -> None:
    assert "more than the 1000 bytes" in str(await Feed(httpx.Response(200, content=b"x" * 1001)).failure())


async def test_a_gzip_bomb_is_a_failure() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    headers = {"content-encoding": "gzip"}
    feed = Feed(lambda _: httpx.Response(200, headers=headers, stream=httpx.ByteStream(bomb)))
    fetched = await feed.fetch(max_bytes=1_000_000)
    assert len(bomb) < 100_000
    assert isinstance(fetched, NotFetched)
    assert "sent more than the 1000000 bytes" in str(fetched.failure)
