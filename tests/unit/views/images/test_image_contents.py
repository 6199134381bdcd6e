"""What is in an image, as its pages list it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.feeds.advisory import Severity
from bot.domain.packages.ledger.clocks import Station
from bot.views.images.image_contents import (
    ImageCve,
    LookedAtImage,
    Origin,
    PackageFilter,
    PackageInImage,
    WantedCves,
    cves_of,
    packages_of,
)
from bot.views.images.inventory import ShownBy
from bot.views.images.ledger import UNRATED
from bot.views.paging import Cut

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
IMAGE = LookedAtImage("ghcr.io/contoso/shop", "1.0", "contoso/shop")
CVE = ImageCve(
    *("CVE-2026-1", "overflow", Severity.HIGH, "Ubuntu", 7.5, ("libssl3 3.0",), ("3.1",)),
    *("base not rebuilt", Station.BASE, False, "Microsoft has not rebuilt it", "Microsoft"),
)
SSL = PackageInImage("deb", "libssl3", "3.0", "openssl", "linux/amd64", Origin.BASE, ShownBy.LAYERS, NOON)


def test_the_most_severe_is_first_and_of_those_what_has_a_fix() -> None:
    rows = [
        replace(CVE, cve="CVE-2026-4", severity=None),
        replace(CVE, cve="CVE-2026-3", severity=Severity.LOW),
        replace(CVE, cve="CVE-2026-2", fixed_in=()),
        CVE,
    ]
    found = cves_of(IMAGE, rows, WantedCves(), Cut(), ())
    assert [row.cve[-1] for row in found.cves.items] == ["1", "2", "3", "4"]
    assert list(found.severities.items()) == [("high", 2), ("low", 1), (UNRATED, 1)]


def test_all_are_counted_whatever_is_wanted() -> None:
    rows = [CVE, replace(CVE, cve="CVE-2026-2", packages=("zlib1g 1.3",), severity=Severity.LOW)]
    found = cves_of(IMAGE, rows, WantedCves("ZLIB", Severity.LOW), Cut(), ())
    assert ([row.cve for row in found.cves.items], found.cves.total, found.total) == (["CVE-2026-2"], 1, 2)
    assert found.stuck == {"base not rebuilt": 2}


def test_a_package_on_two_platforms_is_one_that_the_image_adds_where_it_adds_it_on_one() -> None:
    other = replace(SSL, platform="linux/arm64", origin=Origin.IMAGE)
    [row] = packages_of(IMAGE, [SSL, other], PackageFilter(), Cut()).packages.items
    assert (row.platforms, row.origin) == (("linux/amd64", "linux/arm64"), Origin.IMAGE)


def test_what_layers_show_is_not_told_by_an_sbom_that_lists_it_too() -> None:
    listed = replace(SSL, platform="linux/arm64", shown_by=ShownBy.CLAIMED_SBOM)
    [row] = packages_of(IMAGE, [listed, SSL], PackageFilter(), Cut()).packages.items
    assert (row.shown_by, row.platforms) == (ShownBy.LAYERS, ("linux/amd64",))


def test_packages_are_found_by_their_source_and_by_where_they_come_from() -> None:
    added = replace(SSL, name="Serilog", type="nuget", source=None, origin=Origin.IMAGE)
    by_source = packages_of(IMAGE, [SSL, added], PackageFilter("OpenSSL"), Cut())
    by_origin = packages_of(IMAGE, [SSL, added], PackageFilter(origin=Origin.IMAGE), Cut())
    assert [row.name for row in by_source.packages.items] == ["libssl3"]
    assert [row.name for row in by_origin.packages.items] == ["Serilog"]
    assert by_origin.origins == {Origin.IMAGE: 1, Origin.BASE: 1, Origin.UNKNOWN: 0}


@given(
    st.lists(
        st.builds(
            PackageInImage,
            *(st.sampled_from(("deb", "nuget")), st.sampled_from("abc"), st.sampled_from("12")),
            *(st.none(), st.sampled_from(("linux/amd64", "linux/arm64")), st.sampled_from(Origin)),
            *(st.sampled_from(ShownBy), st.just(NOON)),
        )
    ),
    st.integers(1, 5),
)
def test_the_pages_together_have_each_package_once(found: list[PackageInImage], per_page: int) -> None:
    rows: list[Any] = []
    for page in range(1, packages_of(IMAGE, found, PackageFilter(), Cut(1, per_page)).packages.pages + 1):
        rows += packages_of(IMAGE, found, PackageFilter(), Cut(page, per_page)).packages.items
    keys = [(row.type, row.name, row.version) for row in rows]
    assert sorted(keys) == sorted({(each.type, each.name, each.version) for each in found})
