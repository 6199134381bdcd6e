"""What dumps of vulnerabilities say is kept as far as it touches packages of the fleet."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from bot.domain.failure import LeaseLost
from bot.domain.feeds.advisory import Severity
from bot.domain.packages.cves.publication import CvePublication, DumpMark
from bot.domain.packages.cves.vulnerability import AffectedPackage, Ecosystem, VersionRange, Vulnerability
from bot.domain.packages.package import Distribution, Package
from bot.fleet.watch.vulnerabilities.tick import READER, DueDump, KeptDump
from bot.store.rows.inventories.inventories import packages
from bot.store.rows.inventories.vulnerabilities import affected_packages, dumps, exposures, vulnerabilities
from bot.upstream.feeds.reading import FeedProblem
from bot.upstream.osv.addresses import DumpSource
from bot.upstream.osv.dump import DumpReading
from bot.upstream.osv.members import LastReading
from bot.upstream.osv.questions import KnownRecord
from bot.upstream.osv.record import WantedPackages
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import HOUR, Stores
from tests.integration.store.holding import FIXED, NOBLE, SSL, move_image, running, told
from tests.integration.store.statements import statements

UBUNTU = DumpSource(CvePublication.UBUNTU, "https://osv.example/Ubuntu/all.zip")
MARK = DumpMark('"v1"', "Tue, 10 Mar 2026 10:00:00 GMT")
WANTED = WantedPackages(frozenset({"", "Ubuntu:24.04"}), frozenset({"openssl", "libssl3t64"}))
UNFIXED = AffectedPackage("deb", "openssl", "Ubuntu:24.04", (VersionRange(),), (), (("libssl3t64", "1"),))
OPENSSL = replace(UNFIXED, ranges=(VersionRange(fixed=str(FIXED.source_version)),))


def vulnerability(*affected: AffectedPackage, name: str = "UBUNTU-CVE-2026-1001") -> Vulnerability:
    return Vulnerability(
        name, ("CVE-2026-1001",), "overflow", Severity.HIGH, "Ubuntu", affected=affected or (OPENSSL,)
    )


async def keep(stores: Stores, *found: Vulnerability, problems: tuple[FeedProblem, ...] = ()) -> int:
    """The dump is due and says this."""
    await stores.vulnerabilities.follow_dumps([UBUNTU])
    stores.clock.advance(6 * HOUR)
    await stores.taken(stores.vulnerabilities.dumps)
    kept = KeptDump(UBUNTU, MARK, WANTED, DumpReading(found, problems, 9))
    return await stores.vulnerabilities.keep_dump(kept, stores.clock.now() + 6 * HOUR)


async def exposed(stores: Stores) -> list[tuple[str, bool]]:
    async with stores.database.reading() as connection:
        rows = await connection.execute(
            select(packages.c.version, exposures.c.is_certain)
            .join(packages, packages.c.id == exposures.c.package_id)
            .order_by(packages.c.version)
        )
        return [(row.version, row.is_certain) for row in rows]


async def count(stores: Stores) -> int:
    async with stores.database.reading() as connection:
        return int(await connection.scalar(select(func.count()).select_from(vulnerabilities)) or 0)


async def test_a_dump_is_due_once_and_comes_back_with_what_was_looked_for(stores: Stores) -> None:
    await stores.vulnerabilities.follow_dumps([UBUNTU])
    assert await stores.taken(stores.vulnerabilities.dumps) == [DueDump(UBUNTU)]
    kept = KeptDump(UBUNTU, MARK, WANTED, DumpReading(()))
    await stores.vulnerabilities.keep_dump(kept, stores.clock.now() + HOUR)
    assert await stores.taken(stores.vulnerabilities.dumps) == []
    stores.clock.advance(HOUR)
    assert await stores.taken(stores.vulnerabilities.dumps) == [DueDump(UBUNTU, MARK, WANTED, READER)]


async def test_what_was_settled_comes_back_and_its_records_stay(stores: Stores) -> None:
    await running(stores, SSL)
    other = vulnerability(name="UBUNTU-CVE-2026-1002")
    await stores.vulnerabilities.follow_dumps([UBUNTU])
    settled = frozenset({1, 2**62 + 3})
    for reading in (
        DumpReading((vulnerability(), other), settled=settled, untold=frozenset({"Ubuntu:24.04"})),
        DumpReading((), unchanged=frozenset({other.id}), settled=settled),
    ):
        stores.clock.advance(6 * HOUR)
        (due,) = await stores.taken(stores.vulnerabilities.dumps)
        considered = replace(WANTED, untold=reading.untold)
        await stores.vulnerabilities.keep_dump(KeptDump(UBUNTU, MARK, considered, reading), stores.clock.now())
    assert (due.last, await count(stores)) == (LastReading(settled, frozenset({"Ubuntu:24.04"})), 1)


async def test_what_was_left_out_is_read_where_a_bundle_replaced_it_meanwhile(stores: Stores) -> None:
    await running(stores, SSL)
    await keep(stores, vulnerability())
    stores.clock.advance(6 * HOUR)
    await stores.taken(stores.vulnerabilities.dumps)
    reading = DumpReading((), unchanged=frozenset({"USN-1-1"}), settled=frozenset({1}))
    kept = KeptDump(UBUNTU, DumpMark("2"), WANTED, reading)
    assert await stores.vulnerabilities.keep_dump(kept, stores.clock.now() + HOUR) == 0
    (due,) = await stores.taken(stores.vulnerabilities.dumps)
    assert (due.mark, due.last, await count(stores)) == (MARK, None, 1)


async def test_a_dump_elsewhere_is_read_anew_and_one_no_longer_followed_is_forgotten(stores: Stores) -> None:
    await running(stores, SSL)
    await keep(stores, vulnerability())
    moved = replace(UBUNTU, place="/srv/osv/Ubuntu.zip")
    await stores.vulnerabilities.follow_dumps([moved])
    assert await stores.taken(stores.vulnerabilities.dumps) == [DueDump(moved)]
    assert await count(stores) == 1
    await stores.vulnerabilities.follow_dumps([])
    assert (await count(stores), await exposed(stores)) == (0, [])


async def test_all_names_and_releases_of_what_images_hold_are_looked_for(stores: Stores) -> None:
    assert await stores.vulnerabilities.wanted_packages() == WantedPackages(frozenset({""}), frozenset())
    await running(stores, SSL, Package("nuget", "runtimepack.Serilog", "4.0.0"))
    wanted = await stores.vulnerabilities.wanted_packages()
    assert wanted == WantedPackages(
        frozenset({"", "Ubuntu:24.04"}), frozenset({"openssl", "libssl3t64", "serilog"})
    )


async def test_packages_that_are_there_are_exposed_to_what_a_dump_brings(stores: Stores) -> None:
    await running(stores, SSL, base=(FIXED,))
    assert await keep(stores, vulnerability()) == 1
    assert await exposed(stores) == [(SSL.version, True)]


async def test_packages_that_come_later_are_exposed_to_what_is_known(stores: Stores) -> None:
    await keep(stores, vulnerability())
    await running(stores, SSL, base=(replace(FIXED, version="odd!", source_version="odd!"),))
    assert await exposed(stores) == [(SSL.version, True), ("odd!", False)]


async def test_new_packages_have_dumps_looked_at_again_soon(stores: Stores) -> None:
    await keep(stores, vulnerability())
    await running(stores, SSL)
    assert await stores.taken(stores.vulnerabilities.dumps) == []
    stores.clock.advance(timedelta(minutes=10))
    assert len(await stores.taken(stores.vulnerabilities.dumps)) == 1


@pytest.mark.parametrize("distribution", [NOBLE, Distribution("ubuntu", "26.04")], ids=["same", "another"])
async def test_known_packages_in_another_release_have_dumps_looked_at_again_soon(
    stores: Stores, distribution: Distribution
) -> None:
    """What was looked through says nothing of that release yet, which the gate waits for."""
    await running(stores, SSL)
    await move_image(stores, is_read=False)
    await keep(stores, vulnerability())
    await told(stores, {"f": (SSL,)}, distribution=distribution)
    async with stores.database.reading() as connection:
        due_at = (await connection.execute(select(dumps.c.due_at))).scalar_one()
    assert (due_at <= stores.clock.now() + timedelta(minutes=10)) is (distribution != NOBLE)


async def test_only_what_differs_is_written_and_what_is_gone_is_forgotten(stores: Stores) -> None:
    await running(stores, SSL)
    other = vulnerability(name="USN-1-1")
    assert await keep(stores, vulnerability(), other) == 2
    assert await keep(stores, vulnerability(), other) == 0
    assert await keep(stores, vulnerability(replace(OPENSSL, ranges=(VersionRange(fixed="2"),)))) == 2
    assert (await count(stores), await exposed(stores)) == (1, [])


async def test_many_records_are_written_in_no_more_statements_than_one(stores: Stores) -> None:
    await running(stores, SSL)
    with statements(stores.database.engine) as of_one:
        await keep(stores, vulnerability(OPENSSL, UNFIXED))
    many = [vulnerability(OPENSSL, UNFIXED, name=f"UBUNTU-CVE-2026-{number}") for number in range(50)]
    with statements(stores.database.engine) as of_many:
        await keep(stores, *many)
    assert inserts(of_many) <= inserts(of_one)
    async with stores.database.reading() as connection:
        names = (await connection.execute(select(vulnerabilities.c.name).order_by(vulnerabilities.c.id))).scalars()
        assert list(names) == [each.id for each in many]


def inserts(told: list[str]) -> int:
    return len([each for each in told if each.startswith("INSERT")])


async def test_a_fix_is_seen_when_it_first_appears(stores: Stores) -> None:
    await running(stores, SSL)

    async def seen() -> list[object]:
        async with stores.database.reading() as connection:
            return list((await connection.execute(select(affected_packages.c.fix_seen_at))).scalars())

    await keep(stores, vulnerability(UNFIXED))
    assert await seen() == [None]
    await keep(stores, vulnerability())
    first = stores.clock.now()
    assert await seen() == [first]
    await keep(stores, replace(vulnerability(), title="said better"))
    assert await seen() == [first]
    (affected,) = vulnerability().affected
    stores.clock.advance(HOUR)
    await keep(stores, vulnerability(replace(affected, ranges=(VersionRange(fixed="3.0.13-0ubuntu3.99"),))))
    assert await seen() == [stores.clock.now()], "another version is another fix"


async def test_status_tells_of_each_dump_its_age_and_what_could_not_be_read(stores: Stores) -> None:
    await running(stores, SSL)
    await keep(stores, vulnerability(), problems=(FeedProblem("all.zip", "1.json", "is no JSON"),))
    [told] = (await stores.fleet_views.status()).dumps
    assert (told.ecosystem, told.checked_at, told.entries, told.kept) == ("Ubuntu", stores.clock.now(), 9, 1)
    assert told.unread == ("all.zip: 1.json: is no JSON",)
    stores.clock.advance(HOUR)
    figures = (await stores.figures.figures()).feeds["osv-ubuntu"]
    assert (figures.age, figures.errors) == (HOUR, 0)
    assert (await stores.base_pages.upstream()).feeds[-1].kind == "osv-ubuntu"


@ON_BOTH
async def test_what_another_has_taken_over_is_not_kept(stores: Stores) -> None:
    await stores.vulnerabilities.follow_dumps([UBUNTU])
    with pytest.raises(LeaseLost):
        await stores.vulnerabilities.keep_dump(
            KeptDump(UBUNTU, MARK, WANTED, DumpReading((vulnerability(),))), stores.clock.now()
        )
    assert await count(stores) == 0


async def test_what_was_read_at_a_place_that_counts_no_longer_is_not_kept(stores: Stores) -> None:
    """The settings changed while it was read: the new place is asked at once."""
    await running(stores, SSL)
    await stores.vulnerabilities.follow_dumps([UBUNTU])
    await stores.taken(stores.vulnerabilities.dumps)
    moved = replace(UBUNTU, place="/srv/osv/Ubuntu.zip")
    await stores.vulnerabilities.follow_dumps([moved])
    late = KeptDump(UBUNTU, MARK, WANTED, DumpReading((vulnerability(),)))
    assert await stores.vulnerabilities.keep_dump(late, stores.clock.now() + HOUR) == 0
    assert await count(stores) == 0
    assert await stores.taken(stores.vulnerabilities.dumps) == [DueDump(moved)]


async def test_records_are_known_with_what_is_kept_of_them(stores: Stores) -> None:
    await stores.vulnerabilities.follow_dumps([UBUNTU])
    await stores.taken(stores.vulnerabilities.dumps)
    found = vulnerability(replace(OPENSSL, name="OpenSSL"), replace(OPENSSL, release="Ubuntu:22.04"))
    reading = DumpReading((found, vulnerability(name="USN-1-1")), modified={found.id: "2026-03-05T00:00:00Z"})
    await stores.vulnerabilities.keep_dump(KeptDump(UBUNTU, MARK, WANTED, reading), stores.clock.now())
    packages_of_it = frozenset({("Ubuntu:24.04", "openssl"), ("Ubuntu:22.04", "openssl")})
    assert await stores.vulnerabilities.known_records(Ecosystem.UBUNTU) == {
        found.id: KnownRecord("2026-03-05T00:00:00Z", packages_of_it)
    }


async def test_answers_in_between_leave_standing_what_status_tells_of_all(stores: Stores) -> None:
    await keep(stores, vulnerability(), problems=(FeedProblem("api", "1", "is no JSON"),))
    stores.clock.advance(6 * HOUR)
    await stores.taken(stores.vulnerabilities.dumps)
    reading = DumpReading((), (FeedProblem("api", "2", "is no JSON"),), 1)
    kept = KeptDump(UBUNTU, MARK, WANTED, reading, adds=True)
    await stores.vulnerabilities.keep_dump(kept, stores.clock.now())
    [told] = (await stores.fleet_views.status()).dumps
    assert (told.entries, told.unread) == (9, ("api: 1: is no JSON", "api: 2: is no JSON"))
