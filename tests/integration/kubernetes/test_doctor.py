"""What `doctor` says of clusters: whether they can be listed, and how old the last whole list is."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.commands.files.named_files import check_files
from bot.commands.service.cluster_checks import cluster_checks
from bot.domain.clock import ManualClock
from bot.domain.running.snapshot import Snapshot
from bot.fleet.running.rows import RunningStore
from bot.settings import BadSettings, Settings
from bot.store.engine.database import open_database
from bot.store.engine.queue.claiming import Worker
from bot.store.stores import Stores
from bot.views.doctor import Health
from sandbox.edges.serving import Server
from sandbox.kubernetes.cluster import Cluster, kubeconfig
from tests.migrated import new_sqlite

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[Stores]:
    database = await open_database(new_sqlite(tmp_path / "store.db"))
    yield Stores(database, Worker("doctor"), ManualClock(NOW))
    await database.close()


@pytest.fixture
def settings(tmp_path: Path, server: Server) -> Settings:
    file = tmp_path / "kubeconfig"
    file.write_text(kubeconfig(server.url))
    asked = {"name": "west", "environment": "production", "kind": "kubernetes", "kubeconfig_file": file}
    told = {"name": "east", "environment": "test", "kind": "push", "token_file": tmp_path / "token"}
    return Settings.model_validate({"running": {"sources": [asked, told]}})


async def found(settings: Settings, stores: Stores) -> list[tuple[str, Health, str]]:
    checks = await cluster_checks(settings, stores, ManualClock(NOW))
    return [(check.subject, check.verdict, check.found) for check in checks]


async def test_without_sources_nothing_is_asked(stores: Stores) -> None:
    assert await cluster_checks(Settings(), stores, ManualClock(NOW)) == []


async def test_who_can_be_listed_and_has_just_told_is_fine(settings: Settings, stores: Stores) -> None:
    for name in ("west", "east"):
        await stores[RunningStore].save_snapshot(name, Snapshot(NOW - timedelta(minutes=4), ()))
    assert await found(settings, stores) == [
        ("west", Health.FINE, "lists 8 containers"),
        ("west", Health.FINE, "its last whole list is 4 min old"),
        ("east", Health.FINE, "its last whole list is 4 min old"),
    ]


async def test_who_has_told_nothing_for_long_is_wrong(settings: Settings, stores: Stores) -> None:
    await stores[RunningStore].save_snapshot("east", Snapshot(NOW - timedelta(minutes=31), ()))
    _, west, east = await found(settings, stores)
    assert west == ("west", Health.UNKNOWN, "no whole list of it yet")
    assert east == ("east", Health.WRONG, "its last whole list is 31 min old")


async def test_a_missing_right_is_named(settings: Settings, stores: Stores, cluster: Cluster) -> None:
    cluster.trouble.forbidden = frozenset({"shop"})
    first, *_ = await cluster_checks(settings, stores, ManualClock(NOW))
    assert first.verdict is Health.WRONG
    assert first.found.startswith("does not let pods be listed: pods is forbidden")
    assert first.way_out.startswith("bind a role with the verb list on pods")


async def test_who_does_not_answer_cannot_be_told(settings: Settings, stores: Stores, server: Server) -> None:
    server.stop()
    first, *_ = await cluster_checks(settings, stores, ManualClock(NOW))
    assert first.verdict is Health.UNKNOWN


def test_a_kubeconfig_that_cannot_work_is_known_before_the_first_list(tmp_path: Path, settings: Settings) -> None:
    check_files(settings, tmp_path / "freshness.yaml")
    (tmp_path / "kubeconfig").write_text("{}")
    with pytest.raises(BadSettings) as error:
        check_files(settings, tmp_path / "freshness.yaml")
    [line] = error.value.lines
    assert line.endswith("kubeconfig: the kubeconfig has no current-context; name one under context")
    assert line.startswith(f"{tmp_path}/freshness.yaml: running.sources.0: ")
