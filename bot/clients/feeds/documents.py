"""Fetches feed documents: only from configured hosts, and only when they changed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import httpx

from bot.clients.http.answers import Answer, conditions, validator
from bot.clients.http.bounds import host_of
from bot.clients.http.client import Http
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.document import (
    MAX_DOCUMENT_BYTES,
    FeedKind,
    FeedSource,
    Fetched,
    NewContent,
    NotFetched,
    StoredDocument,
    Unchanged,
)

_ACCEPT = {
    FeedKind.MSRC_BULLETIN: "application/xml",
    FeedKind.GITHUB_ADVISORIES: "application/vnd.github+json",
    FeedKind.ANNOUNCEMENTS: "application/vnd.github+json",
    FeedKind.IMAGE_ANNOUNCEMENTS: "application/atom+xml",
    FeedKind.EPSS: "application/gzip, text/csv, */*;q=0.1",
}
"""MSRC answers with XML or JSON as asked; everything else is JSON."""

_LONGEST_VALIDATOR = {"etag": 500, "last-modified": 100}


@dataclass(frozen=True, slots=True)
class FeedReader:
    """Reads one document at a time over the shared HTTP client.

    `hosts` are the hosts (`name` or `name:port`) that feeds may be read from, wherever an address came from: an
    index names further documents. `headers` are sent to the one host that they are given for.
    """

    http: Http
    clock: Clock
    hosts: frozenset[str]
    headers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    max_bytes: int = MAX_DOCUMENT_BYTES

    async def fetch(self, source: FeedSource, previous: StoredDocument | None) -> Fetched:
        """Asks for the document unless it is still `previous` (RFC 9110, section 13); never raises `Failure`."""
        try:
            host = self._check_host(source.url)
            headers = {
                "Accept": _ACCEPT.get(source.kind, "application/json"),
                **self.headers.get(host, {}),
                **(conditions(previous.etag, previous.last_modified) if previous is not None else {}),
            }
            answer = await self.http.request("GET", source.url, headers=headers, max_bytes=self.max_bytes)
            return _outcome(source, previous, answer, self.clock.now())
        except Failure as failure:
            return NotFetched(failure)

    def _check_host(self, url: str) -> str:
        try:
            host = host_of(httpx.URL(url))
        except httpx.InvalidURL as error:
            raise Failure(Trouble.MALFORMED, f"is no address: {error}", where=url[:200]) from error
        if host not in self.hosts:
            raise Failure(
                Trouble.DENIED,
                "feeds are not read from this host",
                where=host or url[:200],
                advice="permit the host in the settings if the address is right",
            )
        return host


def _outcome(source: FeedSource, previous: StoredDocument | None, answer: Answer, now: datetime) -> Fetched:
    etag, modified = (validator(answer, *each) or None for each in _LONGEST_VALIDATOR.items())
    if answer.status == 304 and previous is not None:
        confirmed = replace(
            previous,
            etag=etag or previous.etag,
            last_modified=modified or previous.last_modified,
            checked_at=now,
        )
        return Unchanged(confirmed)
    if answer.status != 200:
        raise _refusal_of(answer, now)
    if previous is not None and previous.body == answer.body:
        return Unchanged(replace(previous, etag=etag, last_modified=modified, checked_at=now))
    return NewContent(StoredDocument(source.url, etag, modified, answer.body, fetched_at=now, checked_at=now))


def _refusal_of(answer: Answer, now: datetime) -> Failure:
    if answer.status == 403 and answer.headers.get("x-ratelimit-remaining") == "0":
        return Failure(
            Trouble.THROTTLED,
            "has no requests left for us (403)",
            where=answer.where,
            advice="it is asked again when the limit is reset; a token raises the limit",
            retry_after=answer.retry_after(now) or _until_reset(answer, now),
            status=403,
        )
    if answer.status in (401, 403):
        trouble, fault, advice = Trouble.DENIED, "refuses access", "check the credentials for this host"
    elif answer.status in (404, 410):
        trouble, fault, advice = Trouble.MISSING, "is not there", "check whether the feed has moved"
    else:
        trouble, fault, advice = Trouble.MALFORMED, "gave an unexpected answer", "check the address"
    return Failure(trouble, f"{fault} ({answer.status})", where=answer.where, advice=advice, status=answer.status)


def _until_reset(answer: Answer, now: datetime) -> timedelta | None:
    """GitHub names the second at which its limit is reset; at most a day is believed."""
    text = answer.headers.get("x-ratelimit-reset", "")
    if not re.fullmatch(r"[0-9]{1,11}", text):
        return None
    wait = datetime.fromtimestamp(int(text), UTC) - now
    return min(max(wait, timedelta(0)), timedelta(days=1))
