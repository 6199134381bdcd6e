"""Dumps are read where they changed or where something else is looked for, and what fails is put off."""

import io
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.packages.cves.publication import CvePublication, DumpMark, OpenedDump
from bot.domain.packages.cves.vulnerability import Ecosystem
from bot.fleet.watch.vulnerabilities.tick import EVERY, READER, DueDump, DumpTally, KeptDump, Publishers, tick
from bot.reconcile.loop import Loop
from bot.upstream.osv.addresses import API, DumpSource
from bot.upstream.osv.questions import KnownRecord, PackageQuestion
from bot.upstream.osv.record import WantedPackages
from tests.fakes.queue import FakeQueue
from tests.unit.upstream.osv.records import affected, dump, record

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
UBUNTU = DumpSource(CvePublication.UBUNTU, "https://osv.example/Ubuntu/all.zip")
WANTED = WantedPackages(frozenset({"Ubuntu:24.04"}), frozenset({"openssl"}))
MARK = DumpMark('"v1"')
JAMMY: dict[str, Any] = {"ecosystem": "Ubuntu:22.04:LTS"}


@dataclass
class FakeDumps:
    """A store and what is published at once; `published` is a dump or why there is none."""

    published: io.BytesIO | Failure = field(default_factory=lambda: dump(record()))
    wanted: WantedPackages = WANTED
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOON))
    dumps: FakeQueue[DueDump] = field(default_factory=FakeQueue)
    kept: list[KeptDump] = field(default_factory=list)
    asked: list[DumpMark | None] = field(default_factory=list)
    held: frozenset[PackageQuestion] = frozenset({PackageQuestion("Ubuntu:24.04", "openssl", "3.0.13")})
    known: dict[str, KnownRecord] = field(default_factory=dict)
    answers: list[str] = field(default_factory=lambda: ["UBUNTU-CVE-2026-1001"])
    batches: list[list[tuple[str, str]]] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    packages: list[dict[str, Any]] = field(
        default_factory=lambda: [affected(), affected("zlib"), affected(**JAMMY)]
    )

    async def follow_dumps(self, sources: Sequence[DumpSource]) -> None:
        for source in sources if not self.dumps.rows else ():
            self.dumps.add(DueDump(source), self.clock.now())

    async def wanted_packages(self) -> WantedPackages:
        return self.wanted

    async def questions(self, ecosystem: Ecosystem) -> frozenset[PackageQuestion]:
        return self.held

    async def known_records(self, ecosystem: Ecosystem) -> Mapping[str, KnownRecord]:
        return self.known

    async def batch(self, address: str, queries: Sequence[Mapping[str, Any]]) -> Any:
        self.batches.append([(each["package"]["ecosystem"], each["package"]["name"]) for each in queries])
        named = [{"id": name, "modified": "2026-03-05T00:00:00Z"} for name in self.answers]
        return {"results": [{"vulns": named} for _ in queries]}

    async def record(self, address: str, name: str) -> bytes | None:
        self.fetched.append(name)
        return json.dumps(record(name, *self.packages)).encode()

    async def keep_dump(self, kept: KeptDump, due_at: datetime) -> int:
        self.kept.append(kept)
        asked_at = self.dumps[1].asked_at if kept.adds else self.clock.now()
        known = DueDump(kept.source, kept.mark, kept.considered, READER, kept.questions, asked_at)
        self.dumps.settle(1, due_at, known)
        for each in kept.reading.vulnerabilities if kept.reading else ():
            packages = frozenset((affected.release, affected.name) for affected in each.affected)
            self.known[each.id] = KnownRecord("2026-03-05T00:00:00Z", packages)
        return len(kept.reading.vulnerabilities) if kept.reading else 0

    @asynccontextmanager
    async def opened(self, place: str, previous: DumpMark | None) -> AsyncIterator[OpenedDump | None]:
        self.asked.append(previous)
        if isinstance(self.published, Failure):
            raise self.published
        yield None if previous == MARK else OpenedDump(self.published, MARK)

    async def tick(self, source: DumpSource = UBUNTU, *, offline: bool = False) -> DumpTally:
        return await tick(self, Publishers(self, self), Loop(self.clock), [source], offline=offline)


async def test_a_dump_is_read_and_then_only_confirmed() -> None:
    world = FakeDumps()
    first = await world.tick()
    assert (first.read, first.changed, first.problems) == (1, 1, [])
    assert (await world.tick()).read == 0
    world.clock.advance(EVERY)
    second = await world.tick()
    assert (second.read, second.unchanged) == (0, 1)
    assert world.asked == [None, MARK]
    assert world.kept[1] == KeptDump(UBUNTU, MARK, WANTED, None)


async def test_one_of_a_distribution_that_no_image_is_of_is_not_read() -> None:
    world = FakeDumps()
    await world.tick(DumpSource(CvePublication.DEBIAN, "https://osv.example/Debian/all.zip"))
    assert world.asked == []
    assert world.kept[0].mark is None


async def test_it_is_read_again_where_more_packages_are_known() -> None:
    world = FakeDumps()
    await world.tick()
    world.wanted = replace(WANTED, names=WANTED.names | {"curl"})
    world.clock.advance(EVERY)
    assert (await world.tick()).read == 1
    assert world.asked == [None, None]


async def test_packages_that_are_gone_are_no_reason_to_read_it_again() -> None:
    world = FakeDumps(wanted=replace(WANTED, names=WANTED.names | {"curl"}))
    await world.tick()
    world.wanted = WANTED
    world.clock.advance(EVERY)
    assert (await world.tick()).unchanged == 1


async def test_nobody_is_asked_while_no_package_is_known() -> None:
    world = FakeDumps(wanted=WantedPackages(frozenset({""})))
    assert (await world.tick()).unchanged == 1
    assert (world.asked, world.kept[0].mark) == ([], None)


async def test_a_dump_that_cannot_be_read_is_a_line_and_asked_for_again() -> None:
    world = FakeDumps(Failure(Trouble.MISSING, "is not there (404)", where="osv.example"))
    assert (await world.tick()).problems == ["osv.example: is not there (404)"]
    world.published = io.BytesIO(b"garbage")
    world.clock.advance(EVERY)
    [line] = (await world.tick()).problems
    assert line.startswith(f"{UBUNTU.place}: is no zip archive that can be read")
    world.published = dump(record(), record("USN-1-1", affected("curl")), b"no JSON")
    world.clock.advance(EVERY)
    last = await world.tick()
    assert (last.read, len(last.problems)) == (1, 1)


async def test_offline_only_files_are_read() -> None:
    world = FakeDumps()
    assert (await world.tick(offline=True)).read == 0
    assert world.asked == []
    assert world.kept == [KeptDump(UBUNTU, None, WANTED, None)]
    world = FakeDumps()
    assert (await world.tick(DumpSource(CvePublication.UBUNTU, "/data/ubuntu.zip"), offline=True)).read == 1


ASKED = DumpSource(CvePublication.UBUNTU, f"{API}https://api.osv.example")
ZLIB = PackageQuestion("Ubuntu:24.04", "zlib", "1.3")


async def test_an_api_is_asked_about_each_version_once_in_a_time() -> None:
    world = FakeDumps()
    first = await world.tick(ASKED)
    assert (first.read, first.changed) == (1, 1)
    assert (world.batches, world.fetched) == ([[("Ubuntu:24.04:LTS", "openssl")]], ["UBUNTU-CVE-2026-1001"])
    world.clock.advance(EVERY)
    assert (await world.tick(ASKED)).read == 1
    assert (len(world.batches), len(world.fetched)) == (2, 1)
    assert world.kept[-1].reading is not None
    assert world.kept[-1].reading.unchanged == {"UBUNTU-CVE-2026-1001"}


async def test_only_what_is_new_is_asked_about_before_the_rest_is_due() -> None:
    world = FakeDumps()
    await world.tick(ASKED)
    world.held |= {ZLIB}
    world.wanted = WantedPackages(WANTED.releases, frozenset({"openssl", "zlib"}))
    world.clock.advance(timedelta(hours=1))
    world.dumps.rows[1].due_at = world.clock.now()
    await world.tick(ASKED)
    assert world.batches[1:] == [[("Ubuntu:24.04:LTS", "zlib")]]
    assert world.kept[-1].adds
    assert world.fetched == ["UBUNTU-CVE-2026-1001"] * 2, "nobody had looked for zlib in it"
    world.clock.advance(EVERY - timedelta(hours=1))
    await world.tick(ASKED)
    assert world.batches[2:] == [[("Ubuntu:24.04:LTS", "openssl"), ("Ubuntu:24.04:LTS", "zlib")]]


async def test_a_record_is_fetched_again_where_nobody_had_looked_for_that_release_in_it() -> None:
    world = FakeDumps()
    await world.tick(ASKED)
    world.held |= {PackageQuestion("Ubuntu:22.04", "openssl", "3.0.2")}
    world.wanted = WantedPackages(WANTED.releases | {"Ubuntu:22.04"}, WANTED.names)
    world.dumps.rows[1].due_at = world.clock.now()
    await world.tick(ASKED)
    assert world.fetched == ["UBUNTU-CVE-2026-1001"] * 2


async def test_it_is_also_where_both_were_looked_for_since_but_not_in_that_record() -> None:
    world = FakeDumps()
    await world.tick(ASKED)
    both = WantedPackages(WANTED.releases | {"Ubuntu:22.04"}, frozenset({"openssl", "zlib"}))
    world.dumps.rows[1].item = replace(world.dumps[1], considered=both)
    world.dumps.rows[1].due_at = world.clock.now()
    world.wanted, world.held = both, world.held | {PackageQuestion("Ubuntu:22.04", "openssl", "3.0.2")}
    await world.tick(ASKED)
    assert world.fetched == ["UBUNTU-CVE-2026-1001"] * 2


async def test_what_came_while_the_packages_were_read_is_asked_about_once_it_is_looked_for() -> None:
    world = FakeDumps()
    world.held |= {ZLIB}
    await world.tick(ASKED)
    assert world.batches == [[("Ubuntu:24.04:LTS", "openssl")]]
    world.wanted = WantedPackages(WANTED.releases, frozenset({"openssl", "zlib"}))
    world.dumps.rows[1].due_at = world.clock.now()
    await world.tick(ASKED)
    assert world.batches[1:] == [[("Ubuntu:24.04:LTS", "zlib")]]
