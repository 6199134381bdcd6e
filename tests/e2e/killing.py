"""A process that is killed at one of its writes: before or after an HTTP write, or a commit to the store.

The writes are counted where they leave the process, under everything of ours: in urllib3 (PyGithub), in httpx's
transport, and in SQLAlchemy's dialect. SIGKILL leaves no time for any clean-up.
"""

import asyncio
import os
import re
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.e2e.forking import context

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_VERBS = frozenset({"insert", "or", "ignore", "into", "update", "delete", "from"})
_PATIENCE = 120


@dataclass(frozen=True, slots=True)
class KillAt:
    """The `nth` point of that name. Counted among all points it would be another one where what runs at once comes
    in another order, or keeps something in two steps in place of one."""

    name: str
    nth: int


@dataclass(slots=True)
class Countdown:
    """Kills this process at that point, and notes the names of all points before it."""

    kill_at: KillAt | None
    sender: Connection
    points: list[str] = field(default_factory=list)

    def point(self, name: str) -> None:
        self.points.append(name)
        if self.kill_at and self.kill_at == KillAt(name, self.points.count(name)):
            self.sender.send(name)
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class _AheadClock:
    ahead: timedelta

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass(frozen=True, slots=True)
class Ended:
    """How a pass in its own process ended; `points` names its writes, of one that was killed the last alone."""

    killed: bool
    points: tuple[str, ...]
    problems: tuple[str, ...] = ()


def run_passes(
    config: Path, *, kill_at: KillAt | None = None, ahead: Sequence[timedelta] = (timedelta(0),)
) -> Ended:
    """`freshness-bot once` in a process of its own, again for each further time of `ahead`."""
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(str(config), kill_at, ahead, sender))
    process.start()
    sender.close()
    try:
        told = receiver.recv() if receiver.poll(_PATIENCE) else None
    except EOFError:
        told = None
    process.join(_PATIENCE)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise AssertionError("the pass hangs")
    assert told is not None, f"the pass ended with {process.exitcode}"
    if process.exitcode == -signal.SIGKILL:
        return Ended(True, (told,))
    return Ended(False, *told)


def _work(config: str, kill_at: KillAt | None, ahead: Sequence[timedelta], sender: Connection) -> None:
    from bot.service.logs import set_up
    from bot.service.one_off import pass_once
    from bot.settings import load

    set_up("text", verbose=False)
    countdown = Countdown(kill_at, sender)
    _watch_http(countdown)
    _watch_commits(countdown)
    settings = load(Path(config))
    outcomes = [outcome for each in ahead for outcome in asyncio.run(pass_once(settings, _AheadClock(each)))]
    sender.send((tuple(countdown.points), tuple(problem for outcome in outcomes for problem in outcome.problems)))


def _named(method: str, url: str) -> str:
    """The write without what differs from walk to walk."""
    return f"{method} {re.sub(r'[0-9a-f]{12,}|[0-9]+', 'N', url)}"


def _is_query(url: str, body: Any) -> bool:
    """Whether a GraphQL request only reads."""
    text = body.decode() if isinstance(body, bytes) else str(body)
    return url.endswith("/graphql") and text.startswith('{"query": "query')


def _watch_http(countdown: Countdown) -> None:
    import httpx
    from urllib3.connectionpool import HTTPConnectionPool

    plain: Callable[..., Any] = HTTPConnectionPool.urlopen
    handle: Callable[..., Any] = httpx.AsyncHTTPTransport.handle_async_request

    def urlopen(pool: HTTPConnectionPool, method: str, url: str, *args: Any, **options: Any) -> Any:
        if method in _READS or _is_query(url, options.get("body")):
            return plain(pool, method, url, *args, **options)
        name = _named(method, url)
        countdown.point(f"before {name}")
        answer = plain(pool, method, url, *args, **options)
        countdown.point(f"after {name}")
        return answer

    async def handle_async_request(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> Any:
        if request.method in _READS:
            return await handle(transport, request)
        name = _named(request.method, request.url.path)
        countdown.point(f"before {name}")
        answer = await handle(transport, request)
        countdown.point(f"after {name}")
        return answer

    HTTPConnectionPool.urlopen = urlopen  # type: ignore[method-assign, assignment]
    httpx.AsyncHTTPTransport.handle_async_request = handle_async_request  # type: ignore[method-assign, assignment]


def _watch_commits(countdown: Countdown) -> None:
    """Only commits with something to keep: ending a transaction that only read changes nothing."""
    from sqlalchemy import Engine, event
    from sqlalchemy.engine.default import DefaultDialect

    commit: Callable[..., Any] = DefaultDialect.do_commit
    written: dict[int, dict[str, None]] = {}

    @event.listens_for(Engine, "after_cursor_execute")
    def remember(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE") and cursor.rowcount:
            tables = written.setdefault(id(connection.connection.dbapi_connection), {})
            tables[next(word for word in statement.split() if word.lower() not in _VERBS)] = None

    def do_commit(dialect: DefaultDialect, connection: Any) -> None:
        driver = id(getattr(connection, "dbapi_connection", connection))
        if driver not in written:
            commit(dialect, connection)
            return
        name = f"the commit of {', '.join(written.pop(driver))}"
        countdown.point(f"before {name}")
        commit(dialect, connection)
        countdown.point(f"after {name}")

    DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]
