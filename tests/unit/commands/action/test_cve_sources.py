"""Which sources of vulnerabilities the summary says are read, lacking, or of no use."""

from bot.commands.action.cve_sources import cve_sources
from bot.domain.packages.cves.publication import CvePublication
from bot.upstream.osv.record import WantedPackages

NOBLE = WantedPackages(frozenset({"Ubuntu:24.04"}), frozenset({"openssl"}))


def test_what_images_need_and_nobody_asked_for_comes_with_its_setting() -> None:
    lacking, others = cve_sources([CvePublication.NUGET], NOBLE)[1:]
    assert lacking.startswith("**not read, though images have packages of it**: Ubuntu;")
    assert "`vulnerabilities: {ubuntu: true}`" in lacking
    assert others == "not read, since no image has packages of it: Debian, Alpine, Azure Linux"


def test_what_is_read_is_named() -> None:
    assert cve_sources([CvePublication.UBUNTU, CvePublication.DEBIAN], NOBLE)[0] == "read: Ubuntu"


def test_the_oval_of_azure_linux_is_of_azure_linux() -> None:
    azure = WantedPackages(frozenset({"Azure Linux:3"}), frozenset({"openssl"}))
    assert "read: Azure Linux" in cve_sources([CvePublication.AZURE_LINUX_3_OVAL], azure)[0]
    assert "`vulnerabilities: {azure_linux: true, nuget: true}`" in cve_sources([], azure)[0]


def test_where_no_package_is_known_nothing_is_read() -> None:
    [line] = cve_sources([CvePublication.UBUNTU], WantedPackages())
    assert line.startswith("no package of an image is known")
