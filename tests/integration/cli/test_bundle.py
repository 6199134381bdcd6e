"""A bundle of feeds from one bot to another, as a person carries it."""

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from bot.domain.clock import ManualClock
from bot.domain.feeds.document import FeedKind, FeedSource, StoredDocument
from bot.domain.packages.cves.marks import CveMark
from bot.domain.packages.cves.publication import CvePublication, DumpMark
from bot.domain.packages.package import Package
from bot.fleet.watch.feeds.tick import FeedReading
from bot.fleet.watch.vulnerabilities.tick import KeptDump
from bot.store.engine.database import open_database
from bot.store.rows.inventories.marks import read_marks
from bot.upstream.osv.addresses import DumpSource
from bot.upstream.osv.dump import DumpReading
from bot.upstream.osv.record import WantedPackages
from tests.integration.cli.conftest import Command
from tests.integration.store.filling import Stores
from tests.integration.store.holding import running
from tests.migrated import sqlite_at

AT = datetime(2026, 3, 10, tzinfo=UTC)
INDEX = FeedSource(FeedKind.DOTNET_INDEX, "https://feeds.example/index.json")
UBUNTU = DumpSource(CvePublication.UBUNTU, "https://osv.example/all.zip")
ZLIB = Package("deb", "zlib1g", "1.3", "amd64")


def settings(folder: Path, name: str, *, offline: bool = False) -> Path:
    path = folder / f"{name}.yaml"
    values = {
        "store": {"url": sqlite_at(folder / f"{name}.db")},
        "bases": [],
        "feeds": {"dotnet_releases": {"url": INDEX.url}, "offline": offline},
        "vulnerabilities": {"ubuntu": {"url": UBUNTU.place}},
    }
    path.write_text(yaml.safe_dump(values))
    return path


async def _read(folder: Path) -> None:
    """The one that may ask has read its feeds."""
    database = await open_database(sqlite_at(folder / "outside.db"))
    stores = Stores.of_worker(database, ManualClock(AT), "one")
    await stores.feeds.follow_feeds([INDEX])
    await stores.documents(frozenset({INDEX.kind}), 10)
    document = StoredDocument(INDEX.url, None, None, b'{"releases-index": []}', AT, AT, "1")
    await stores.feeds.keep_feed(FeedReading(INDEX, document, AT + timedelta(hours=1)))
    await stores.vulnerabilities.follow_dumps([UBUNTU])
    await stores.taken(stores.vulnerabilities.dumps)
    wanted = WantedPackages(frozenset({"Ubuntu:24.04"}), frozenset({"openssl"}))
    kept = KeptDump(UBUNTU, DumpMark("1"), wanted, DumpReading((), (), 9))
    await stores.vulnerabilities.keep_dump(kept, AT + timedelta(hours=1))
    await database.close()


async def _holding_zlib(folder: Path) -> None:
    database = await open_database(sqlite_at(folder / "inside.db"))
    await running(Stores.of_worker(database, ManualClock(AT), "one"), ZLIB)
    await database.close()


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    asyncio.run(_read(tmp_path))
    return settings(tmp_path, "outside")


def test_what_one_has_read_the_other_knows_with_its_age(bot: Command, outside: Path, tmp_path: Path) -> None:
    file, inside = tmp_path / "feeds.bundle", settings(tmp_path, "inside", offline=True)
    ran = bot("feeds", "bundle", "export", file, "-c", outside)
    assert (ran.code, ran.err) == (0, "")
    assert "1 document of feeds" in ran.out
    ran = bot("feeds", "bundle", "import", file, "-c", inside, "-f", "json")
    answer = json.loads(ran.out)
    assert (ran.code, answer["signature"]) == (0, "not signed")
    assert {(each["outcome"], each["as_of"]) for each in answer["parts"]} == {("imported", AT.isoformat())}
    again = bot("feeds", "bundle", "import", file, "-c", inside)
    assert (again.code, again.out.count("the copy here is as new")) == (0, 2)


KEV = FeedSource(FeedKind.KEV, "https://feeds.example/kev.json")
EXPLOITED = b'{"vulnerabilities": [{"cveID": "CVE-2026-1001", "dateAdded": "2026-03-04"}]}'


async def _keep_catalogue(folder: Path) -> None:
    database = await open_database(sqlite_at(folder / "outside.db"))
    stores = Stores.of_worker(database, ManualClock(AT), "one")
    await stores.feeds.follow_feeds([KEV])
    await stores.documents(frozenset({KEV.kind}), 10)
    document = StoredDocument(KEV.url, None, None, EXPLOITED, AT, AT, "1")
    await stores.feeds.keep_feed(FeedReading(KEV, document, AT + timedelta(hours=1)))
    await database.close()


async def _marks_inside(folder: Path) -> dict[str, CveMark]:
    database = await open_database(sqlite_at(folder / "inside.db"))
    async with database.reading() as connection:
        marks = await read_marks(connection, ["CVE-2026-1001"])
    await database.close()
    return marks


def test_marks_are_brought_along(bot: Command, outside: Path, tmp_path: Path) -> None:
    file, inside = tmp_path / "feeds.bundle", settings(tmp_path, "inside", offline=True)
    values = yaml.safe_load(inside.read_text())
    values["vulnerabilities"]["known_exploited"] = {"url": KEV.url}
    inside.write_text(yaml.safe_dump(values))
    asyncio.run(_keep_catalogue(tmp_path))
    assert bot("feeds", "bundle", "export", file, "-c", outside).code == 0
    assert bot("feeds", "bundle", "import", file, "-c", inside).code == 0
    assert asyncio.run(_marks_inside(tmp_path)) == {"CVE-2026-1001": CveMark(True, date(2026, 3, 4))}


def test_packages_here_that_nobody_looked_for_are_counted(bot: Command, outside: Path, tmp_path: Path) -> None:
    file, inside = tmp_path / "feeds.bundle", settings(tmp_path, "inside", offline=True)
    asyncio.run(_holding_zlib(tmp_path))
    bot("feeds", "bundle", "export", file, "-c", outside)
    ran = bot("feeds", "bundle", "import", file, "-c", inside)
    assert ran.code == 1
    assert "1 name of packages here were not looked for" in ran.out


def test_what_is_no_bundle_is_one_line(bot: Command, tmp_path: Path) -> None:
    file = tmp_path / "feeds.bundle"
    file.write_bytes(b"PK\x03\x04 garbage")
    ran = bot("feeds", "bundle", "import", file, "-c", settings(tmp_path, "inside"))
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert "nothing of it was imported" in ran.err
