"""Publications of one publisher that say different things of a record are told to."""

import pytest

from bot.domain.packages.cves.publication import CvePublication, ToldAffected, disagreements
from bot.domain.packages.cves.vulnerability import AffectedPackage, VersionRange

OVAL, OSV = CvePublication.AZURE_LINUX_3_OVAL, CvePublication.AZURE_LINUX


def said(
    publication: CvePublication, *ranges: VersionRange, record: str = "AZL-1", name: str = "zlib"
) -> ToldAffected:
    return ToldAffected(publication, record, AffectedPackage("rpm", name, "Azure Linux:3", ranges))


@pytest.mark.parametrize(
    ("oval", "osv"),
    [
        (VersionRange(fixed="1.3-2.azl3"), VersionRange(fixed="1.3-2")),
        (VersionRange(fixed="1.3-2"), VersionRange(fixed="1.3-2.azl3")),
        (VersionRange(last_affected="1.3-2.azl3"), VersionRange(last_affected="1.3-2")),
        (VersionRange(fixed="1.3-2.azl3"), VersionRange(fixed="0:1.3-2.azl3")),
        (VersionRange(), VersionRange()),
    ],
)
def test_those_that_name_the_same_builds_agree(oval: VersionRange, osv: VersionRange) -> None:
    assert disagreements([said(OVAL, oval), said(OSV, osv)]) == ()


@pytest.mark.parametrize(
    ("oval", "osv", "told"),
    [
        (
            [VersionRange(fixed="1.3-3.azl3")],
            [VersionRange(fixed="1.3-2")],
            "fixed in 1.3-2 by Azure Linux, fixed in 1.3-3.azl3 by Azure Linux 3 OVAL",
        ),
        (
            [VersionRange(fixed="1.3-3.azl3")],
            [VersionRange(last_affected="1.3-2")],
            "not fixed, up to 1.3-2 by Azure Linux, fixed in 1.3-3.azl3 by Azure Linux 3 OVAL",
        ),
        ([], [VersionRange()], "not fixed by Azure Linux, not affected by Azure Linux 3 OVAL"),
    ],
)
def test_a_difference_is_told_with_what_each_says(
    oval: list[VersionRange], osv: list[VersionRange], told: str
) -> None:
    assert disagreements([said(OVAL, *oval), said(OSV, *osv)]) == (
        f"AZL-1 is told in different ways of zlib: {told}; each counts",
    )


def test_who_has_no_record_of_it_disagrees_with_nobody() -> None:
    fixed = VersionRange(fixed="1.3-2.azl3")
    assert disagreements([said(OVAL, fixed), said(OSV, VersionRange(), record="AZL-2")]) == ()
    assert disagreements([said(OVAL, fixed), said(OSV, VersionRange(), name="curl")]) == ()
    assert disagreements([]) == ()
