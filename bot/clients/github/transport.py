"""One request to GitHub: PyGithub's requester in a thread, its answers turned into values or a `Failure`."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import stamina
from github import Auth, Github, GithubException, GithubIntegration
from github.Requester import Requester
from requests.exceptions import RequestException

from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble

_SECONDARY_LIMIT_PAUSE = timedelta(seconds=60)
"""GitHub: "wait for at least one minute" where the answer names no time."""


@dataclass(frozen=True, slots=True)
class TokenCredentials:
    token: str

    def __repr__(self) -> str:
        return "TokenCredentials(token=***)"


@dataclass(frozen=True, slots=True)
class AppCredentials:
    """A GitHub App; without `installation` its only installation is used."""

    id: int
    private_key: str
    installation: int | None = None

    def __repr__(self) -> str:
        return f"AppCredentials(id={self.id}, private_key=***)"


@dataclass(frozen=True, slots=True)
class GitHubAccess:
    api_url: str
    credentials: TokenCredentials | AppCredentials
    seconds_between_writes: float = 1.0
    threads: int = 4
    timeout: int = 20
    attempts: int = 3


class Transport:
    """Reads are tried again on a 5xx or a lost connection; writes never are (a lost answer may have worked)."""

    def __init__(self, access: GitHubAccess, clock: Clock) -> None:
        self._access = access
        self._clock = clock
        self._host = urlsplit(access.api_url).netloc
        self._pool = ThreadPoolExecutor(access.threads, thread_name_prefix="github")
        self._requester: Requester | None = None
        self._connecting = asyncio.Lock()

    async def close(self) -> None:
        if self._requester is not None:
            await asyncio.to_thread(self._requester.close)
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def read(self, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
        _, body = await self._read(path, parameters)
        return body

    async def pages(
        self, path: str, parameters: Mapping[str, Any] | None = None, *, most: int = 1000
    ) -> AsyncIterator[Any]:
        """The bodies of a listing, page by page, following the Link header."""
        headers, body = await self._read(path, {"per_page": 100, **(parameters or {})})
        yield body
        for _ in range(most - 1):
            target = _next_page(headers.get("link", ""))
            if target is None:
                return
            headers, body = await self._read(target, None)
            yield body

    async def write(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        _, answer = await self._send(method, path, None, body)
        return answer

    async def _read(self, path: str, parameters: Mapping[str, Any] | None) -> tuple[dict[str, Any], Any]:
        async for attempt in stamina.retry_context(
            on=_worth_another_try, attempts=self._access.attempts, wait_initial=0.2, wait_max=5.0, timeout=30.0
        ):
            with attempt:
                return await self._send("GET", path, parameters, None)
        raise AssertionError("stamina either returns or raises")

    async def _send(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, Any] | None,
        body: Mapping[str, Any] | None,
    ) -> tuple[dict[str, Any], Any]:
        requester = await self._connected()

        def send() -> tuple[int, dict[str, Any], str]:
            return requester.requestJson(
                method, path, dict(parameters) if parameters else None, None, dict(body) if body else None
            )

        where = f"{method} {self._host}{path.partition('?')[0]}"
        status, headers, text = await self._in_thread(send, where)
        data = _decoded(text, where)
        if status >= 300:
            raise self._failure(status, headers, data, where)
        return headers, data

    async def _in_thread(self, call: Any, where: str) -> Any:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, call)
        except GithubException as error:
            raise self._failure(error.status, error.headers or {}, error.data, where) from error
        except (RequestException, OSError, RuntimeError) as error:
            raise Failure(
                Trouble.UNREACHABLE,
                f"no answer ({type(error).__name__})",
                where=where,
                advice="the next pass tries again",
            ) from error

    async def _connected(self) -> Requester:
        async with self._connecting:
            if self._requester is None:
                self._requester = await self._in_thread(self._connect, f"log in at {self._host}")
            return self._requester

    def _connect(self) -> Requester:
        access = self._access
        common: dict[str, Any] = {
            "base_url": access.api_url,
            "timeout": access.timeout,
            "retry": None,
            "seconds_between_requests": None,
            "seconds_between_writes": access.seconds_between_writes,
            "per_page": 100,
            "user_agent": "freshness-bot",
        }
        credentials = access.credentials
        auth: Auth.Auth
        if isinstance(credentials, TokenCredentials):
            auth = Auth.Token(credentials.token)
        else:
            app = Auth.AppAuth(credentials.id, credentials.private_key)
            installation = credentials.installation or _only_installation(app, common)
            auth = app.get_installation_auth(installation)
        return Github(auth=auth, pool_size=access.threads, **common).requester

    def _failure(self, status: int, headers: Mapping[str, Any], data: Any, where: str) -> Failure:
        message = str(data.get("message", "")) if isinstance(data, dict) else ""
        pause = self._pause(status, headers, message)
        if pause is not None:
            what, trouble = "the rate limit is reached", Trouble.THROTTLED
            advice = f"writes and reads go on in {int(pause.total_seconds())} s"
            return Failure(trouble, what, where=where, advice=advice, retry_after=pause, status=status)
        trouble, advice = _meaning(status)
        detail = _details(data)
        return Failure(trouble, f"HTTP {status} {detail}".strip(), where=where, advice=advice, status=status)

    def _pause(self, status: int, headers: Mapping[str, Any], message: str) -> timedelta | None:
        if status not in (403, 429):
            return None
        if str(headers.get("retry-after", "")).isdigit():
            return timedelta(seconds=int(headers["retry-after"]))
        if headers.get("x-ratelimit-remaining") == "0" and str(headers.get("x-ratelimit-reset", "")).isdigit():
            reset = datetime.fromtimestamp(int(headers["x-ratelimit-reset"]), UTC)
            return max(reset - self._clock.now(), timedelta(seconds=1))
        if status == 429 or "rate limit" in message.lower():
            return _SECONDARY_LIMIT_PAUSE
        return None


def _only_installation(app: Auth.AppAuth, common: Mapping[str, Any]) -> int:
    installations = list(GithubIntegration(auth=app, **common).get_installations())
    if len(installations) != 1:
        raise Failure(
            Trouble.DENIED,
            f"the GitHub App has {len(installations)} installations",
            advice="set github.app.installation to the one to use",
        )
    return installations[0].id


def _worth_another_try(error: Exception) -> bool:
    return isinstance(error, Failure) and error.trouble is Trouble.UNREACHABLE


def _decoded(text: str, where: str) -> Any:
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        # An error page of a proxy is no JSON; the status says enough.
        if text.lstrip().startswith("<"):
            return None
        raise Failure(Trouble.MALFORMED, "the answer is no JSON", where=where) from error


def _next_page(link: str) -> str | None:
    for part in link.split(","):
        target, _, relation = part.partition(";")
        if 'rel="next"' in relation:
            return target.strip().strip("<>")
    return None


def _meaning(status: int) -> tuple[Trouble, str]:
    if status >= 500:
        return Trouble.UNREACHABLE, "the next pass tries again"
    if status == 401:
        return Trouble.DENIED, "check github.token_file or the App's private key"
    if status == 403:
        return Trouble.DENIED, "grant contents, pull requests and actions: read and write"
    if status in (404, 410):
        return Trouble.MISSING, "check that it exists and that the credentials may see it"
    if status in (409, 422):
        return Trouble.CONFLICT, ""
    return Trouble.MALFORMED, ""


def _details(data: Any) -> str:
    if not isinstance(data, dict):
        return ""
    errors = data.get("errors")
    inner = [
        str(error.get("message") or error.get("code") or "") if isinstance(error, dict) else str(error)
        for error in (errors if isinstance(errors, list) else [])
    ]
    return "; ".join(text for text in [str(data.get("message", "")), *inner] if text)[:300]
