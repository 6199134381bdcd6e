"""What every test may lean on: the shared public data, the sandbox, a PostgreSQL server.

A test whose part is missing is skipped with the reason; with `--no-skips` every skip is a failure, or with
`--without-shared-data` besides, every one but for want of that data.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import settings

from sandbox.edges.serving import ask_directly
from sandbox.programs.emulator import keep_programs
from sandbox.programs.parts import MissingPart
from sandbox.programs.postgres import PostgresServer
from sandbox.world import World
from tests import ran
from tests.compiled_once import compile_once
from tests.dealing import Shard, deal
from tests.in_memory import keep_in_memory
from tests.keys_read_once import read_keys_once
from tests.migrated import migrate
from tests.plain_logs import log_plainly
from tests.sqlite_at_once import run_at_once

ask_directly()
compile_once()
keep_in_memory()
keep_programs()
log_plainly()
read_keys_once()

settings.register_profile("house", deadline=None, database=None)
settings.register_profile("quick", settings.get_profile("house"), max_examples=30)
settings.load_profile("house")
"""A busy machine fails no property, and what fails is printed to be written down as a test.

`make test` and `make test-unit` ask for `quick`, with fewer examples of each law, and statements to SQLite at once;
all other runs try a hundred, and leave SQLite's driver as it is.
"""

TESTS = Path(__file__).resolve().parent
SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data"
"""Facts taken from public records; tests read them there, and are skipped with that reason where it is absent."""
NO_SHARED_DATA = "the shared data (../shared/data beside the repository) is not here"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="a test that would be skipped fails instead")
    parser.addoption(
        "--without-shared-data", action="store_true", help="but those that read the shared data, where it is absent"
    )
    parser.addoption(
        "--shard", type=Shard.read, metavar="2/4", help="of what takes long the second of four shards alone"
    )
    ran.pytest_addoption(parser)


def pytest_configure(config: pytest.Config) -> None:
    ran.pytest_configure(config)
    if config.getoption("--hypothesis-profile", None) == "quick":
        run_at_once()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A test's folder tells its kind: `-m unit`, `-m integration`, `-m e2e`."""
    for item in items:
        kind = item.path.relative_to(TESTS).parts[0]
        if kind in ("unit", "integration", "e2e"):
            item.add_marker(kind)
    if shard := config.getoption("--shard"):
        items[:], others = shard.without_others(items)
        config.hook.pytest_deselected(items=others)
    items[:] = deal(items, getattr(config, "workerinput", {}).get("workercount", 1))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """All that is imported and collected stays to the end, so that the garbage collector has nothing to find among
    it, and takes a sixth of the time of that, in each worker."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """The garbage collector walks no more what was imported and collected, and walks the rest less often than it
    does by default. It took a fifth of the time of the unit tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _forbid_skip(item.config, report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _forbid_skip(collector.config, report)
    return report


def _forbid_skip(config: pytest.Config, report: pytest.TestReport | pytest.CollectReport) -> None:
    if config.getoption("--no-skips") and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if config.getoption("--without-shared-data") and reason.endswith(NO_SHARED_DATA):
            return
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped here: {reason}"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of the shared data; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(NO_SHARED_DATA)
    return SHARED


async def _started() -> World:
    try:
        return await World(validate=True).__aenter__()
    except MissingPart as missing:
        pytest.skip(str(missing))


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    """A world of the test's own; no request and no answer may go against GitHub's published descriptions."""
    started = await _started()
    yield started
    await started.__aexit__()
    assert started.traffic.violations == []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_world() -> AsyncIterator[World]:
    """One world for many tests: each uses repositories and tags of its own, and forgets the traffic first."""
    started = await _started()
    yield started
    await started.__aexit__()
    assert started.traffic.violations == []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres() -> AsyncIterator[PostgresServer]:
    """A server for the whole session; most tests want `postgres_url`."""
    server = PostgresServer()
    try:
        await server.__aenter__()
    except MissingPart as missing:
        pytest.skip(str(missing))
    yield server
    await server.__aexit__()


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> str:
    """A PostgreSQL database with its tables, for `postgres_databases` to copy."""
    url = postgres.create_database()
    asyncio.run(migrate(url))
    return url


@pytest.fixture
def postgres_databases(postgres: PostgresServer) -> Iterator[Callable[[str | None], str]]:
    """Makes PostgreSQL databases of the test's own: empty, or a copy of the one whose URL is given."""
    with postgres.databases() as create:
        yield create


@pytest.fixture
def postgres_url(postgres_databases: Callable[[str | None], str]) -> str:
    """An empty PostgreSQL database of the test's own."""
    return postgres_databases(None)
