"""What it costs to look at 300 bases: against a bare httpx loop and against oras, on one registry in one run."""

import asyncio
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from sqlalchemy import insert

from bot.clients.http.client import Http
from bot.clients.registry import Registry, RegistryAccess, host_rules
from bot.domain.bases.image import INDEXES, MANIFESTS
from bot.domain.clock import ManualClock
from bot.domain.reference import Base
from bot.fleet.watch.registry.ports import WatchStore
from bot.fleet.watch.registry.rows import WatchStore as SqlStore
from bot.fleet.watch.registry.tick import WatchOptions, tick
from bot.reconcile.loop import Loop
from bot.store.engine.database import open_database
from bot.store.engine.queue.claiming import Worker
from bot.store.rows.bases.tables import bases
from sandbox.edges.edge import Surroundings
from sandbox.images import dotnet_image, push
from sandbox.programs import parts
from sandbox.registry import Registry as SandboxRegistry
from tests.bench.measured import Measured
from tests.fakes.stores.watch import FakeWatchStore

BASES = 300
AT_ONCE = 8
ORAS_AT_ONCE = 16
ROUNDS = 5
REPOSITORY = "dotnet/aspnet"
PLATFORMS = ("linux/amd64", "linux/arm/v7", "linux/arm64")
ACCEPT = ", ".join(sorted(INDEXES | MANIFESTS))
START = datetime(2025, 11, 20, tzinfo=UTC)

AIM_BARE = 1.5
AIM_REQUESTS = 1 + 2 * len(PLATFORMS)


def run() -> list[Measured]:
    parts.require("docker-registry", "oras")
    return asyncio.run(_run())


async def _run() -> list[Measured]:
    with tempfile.TemporaryDirectory() as folder:
        async with _registry(Path(folder)) as host, httpx.AsyncClient() as bare:
            watched = await _filled(host)
            clock = ManualClock(START)
            async with (
                _Watch(host, FakeWatchStore(watched, clock), clock) as watch,
                _sqlite(Path(folder) / "bench.db", watched, clock) as store,
                _Watch(host, store, clock) as stored,
            ):
                await watch.tick()
                await stored.tick()
                ours, theirs, kept = await _in_turns(watch.tick, lambda: _bare_loop(bare, watched), stored.tick)
                requests = await _requests(watch, host)
            oras = await _seconds(lambda: resolved_by_oras(watched))
    return [
        Measured(
            f"{BASES} unmoved bases, against a bare httpx loop with {AT_ONCE} at once",
            f"{ours / theirs:.2f} × ({ours:.3f} s, {theirs:.3f} s)",
            f"at most {AIM_BARE} ×",
            ours <= AIM_BARE * theirs,
        ),
        Measured(
            "the same with the store on SQLite",
            f"{kept / theirs:.2f} × ({kept:.3f} s, {theirs:.3f} s)",
            f"at most {AIM_BARE} ×",
            kept <= AIM_BARE * theirs,
        ),
        Measured(
            f"{BASES} unmoved bases, against {ORAS_AT_ONCE} `oras resolve` at once",
            f"{ours / oras:.3f} × ({ours:.3f} s, {oras:.3f} s)",
            "less than 1 ×",
            ours < oras,
        ),
        Measured("requests beyond one HEAD for each base, nothing moved", str(requests[0]), "0", requests[0] == 0),
        Measured(
            f"requests beyond one HEAD, an index of {len(PLATFORMS)} platforms moved",
            str(requests[1]),
            f"at most {AIM_REQUESTS}",
            requests[1] <= AIM_REQUESTS,
        ),
    ]


@asynccontextmanager
async def _registry(folder: Path) -> AsyncIterator[str]:
    """The sandbox's registry without the edge in front, so that nothing but the clients differs."""
    registry = SandboxRegistry(folder, Surroundings())
    await registry.start()
    try:
        assert registry.edge is not None
        yield urlsplit(registry.edge.upstream).netloc
    finally:
        registry.stop()


async def _filled(host: str) -> list[Base]:
    """One image under many tags: a HEAD costs the same, whatever it points to."""
    image = dotnet_image("aspnet", "10.0.0", platforms=PLATFORMS)
    await asyncio.to_thread(push, host, REPOSITORY, "first", image)
    watched = [Base(host, REPOSITORY, f"tag-{number}") for number in range(BASES)]
    async with httpx.AsyncClient(base_url=f"http://{host}/v2/{REPOSITORY}/manifests/") as client:
        manifest = await client.get("first", headers={"Accept": ACCEPT})
        headers = {"content-type": manifest.headers["content-type"]}
        for base in watched:
            (await client.put(base.tag, content=manifest.content, headers=headers)).raise_for_status()
    return watched


@asynccontextmanager
async def _sqlite(path: Path, watched: list[Base], clock: ManualClock) -> AsyncIterator[SqlStore]:
    database = await open_database(f"sqlite:///{path}")
    rows = [
        {"registry": base.registry, "repository": base.repository, "tag": base.tag, "used": True, "due_at": START}
        for base in watched
    ]
    async with database.transaction() as connection:
        await connection.execute(insert(bases), rows)
    yield SqlStore(database, Worker("bench"), clock)
    await database.close()


class _Counting(httpx.AsyncHTTPTransport):
    """Counts the requests that leave, by method."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: Counter[str] = Counter()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent[request.method] += 1
        return await super().handle_async_request(request)


class _Watch:
    """The real stage and client."""

    def __init__(self, host: str, store: WatchStore, clock: ManualClock) -> None:
        self.clock = clock
        self._loop = Loop(clock)
        self.store = store
        self.transport = _Counting()
        accesses = [RegistryAccess(host, insecure=True)]
        self._http = Http(self.clock, host_rules(accesses), transport=self.transport)
        self._registry = Registry(self._http, accesses, self.clock)

    async def __aenter__(self) -> "_Watch":
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.__aexit__(None, None, None)

    async def tick(self) -> None:
        self.clock.advance(timedelta(hours=1))
        tally = await tick(self.store, self._registry, self._loop, WatchOptions(per_host=AT_ONCE))
        assert tally.asked == BASES
        assert tally.failed == tally.postponed == 0


async def _requests(watch: _Watch, host: str) -> tuple[int, int]:
    """Requests besides the HEADs: of a tick in which nothing moved, and of one in which one base did."""
    counts = []
    for moves in (False, True):
        if moves:
            image = dotnet_image("aspnet", "10.0.1", os=b"noble 2", platforms=PLATFORMS)
            await asyncio.to_thread(push, host, REPOSITORY, "tag-7", image)
        watch.transport.sent.clear()
        await watch.tick()
        counts.append(watch.transport.sent.total() - BASES)
    return counts[0], counts[1]


async def _bare_loop(client: httpx.AsyncClient, watched: list[Base]) -> None:
    """What anybody would write first."""

    async def worker(mine: Iterator[Base]) -> None:
        for base in mine:
            url = f"http://{base.registry}/v2/{base.repository}/manifests/{base.tag}"
            answer = await client.head(url, headers={"Accept": ACCEPT})
            assert answer.headers["docker-content-digest"]

    waiting = iter(watched)
    await asyncio.gather(*(worker(waiting) for _ in range(AT_ONCE)))


async def resolved_by_oras(watched: list[Base]) -> None:
    """Resolves every base with `oras`, `ORAS_AT_ONCE` processes at once."""

    async def worker(mine: Iterator[Base]) -> None:
        for base in mine:
            process = await asyncio.create_subprocess_exec(
                "oras", "resolve", "--plain-http", str(base), stdout=asyncio.subprocess.PIPE
            )
            output, _ = await process.communicate()
            assert output.startswith(b"sha256:")

    waiting = iter(watched)
    await asyncio.gather(*(worker(waiting) for _ in range(ORAS_AT_ONCE)))


async def _in_turns(*works: Callable[[], Awaitable[None]]) -> list[float]:
    """The median seconds of each, measured in turns, so that a busy machine is shared fairly."""
    rounds = [[await _seconds(work) for work in works] for _ in range(ROUNDS)]
    return [statistics.median(column) for column in zip(*rounds, strict=True)]


async def _seconds(work: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began
