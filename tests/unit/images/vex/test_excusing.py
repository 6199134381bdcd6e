import contextlib
import json
from dataclasses import replace

import pytest
from hypothesis import given

from bot.domain.failure import Failure
from bot.domain.packages.cves.detected import GatePolicy, blocking
from bot.images.scanners.reading import read_report
from bot.images.scanners.report import Report
from bot.images.vex.excusing import excuse, untold_platforms
from bot.images.vex.statements import VexStatement, read_vex
from tests.unit.images.reports import JSON, finding, report

PACKAGE = "pkg:deb/ubuntu/libssl3t64@3.0.13-0ubuntu3.5?arch=amd64&distro=ubuntu-24.04"
IMAGE = "pkg:oci/shop@sha256:" + "a" * 64
SCANNED: Report = report(
    finding(PkgIdentifier={"PURL": PACKAGE}),
    ArtifactName="registry.example/team/shop:1.0",
    Metadata={"RepoDigests": [f"registry.example/team/shop@sha256:{'a' * 64}"]},
)


def document(*statements: object, **values: object) -> tuple[VexStatement, ...]:
    known = {"@context": "https://openvex.dev/ns/v0.2.0", "timestamp": "2026-11-01T00:00:00Z"}
    return read_vex(json.dumps(known | {"statements": statements} | values).encode(), "vex.json")


def statement(product: object = PACKAGE, **values: object) -> dict[str, object]:
    return {
        "vulnerability": {"name": "CVE-2026-1"},
        "products": [product],
        "status": "not_affected",
        "justification": "vulnerable_code_not_in_execute_path",
    } | values


def stands(*statements: object) -> bool:
    standing, excused = excuse(blocking(SCANNED.vulnerabilities, GatePolicy()), document(*statements), SCANNED)
    assert len(standing) + len(excused) == 1
    return bool(standing)


@pytest.mark.parametrize(
    "product",
    [
        PACKAGE,
        "pkg:deb/ubuntu/libssl3t64",
        "pkg:deb/ubuntu/libssl3t64@3.0.13-0ubuntu3.5",
        "pkg:deb/ubuntu/libssl3t64?arch=amd64",
        "pkg:deb/ubuntu/libssl3t64?arch=x86_64&distro=ubuntu-24.04",
        "pkg:deb/ubuntu/libssl3t64?distro=ubuntu",
        "pkg:deb/ubuntu/libssl3t64?distro=24.04",
        {"@id": "https://example.com/x", "identifiers": {"purl": PACKAGE}},
        {"@id": IMAGE, "subcomponents": [{"@id": "pkg:deb/ubuntu/libssl3t64"}]},
        {"@id": IMAGE},
        "pkg:oci/shop",
        "pkg:oci/shop?repository_url=registry.example/team/shop",
        "pkg:oci/shop?repository_url=https://registry.example/team",
        "pkg:docker/team/shop?repository_url=registry.example",
    ],
)
def test_a_statement_about_the_package_or_the_image_takes_the_finding_away(product: object) -> None:
    assert not stands(statement(product))


@pytest.mark.parametrize(
    "product",
    [
        "pkg:deb/debian/libssl3t64",
        "pkg:deb/ubuntu/libssl3t64@3.0.13-0ubuntu3.4",
        "pkg:deb/ubuntu/libssl3t64?arch=arm64",
        "pkg:deb/ubuntu/libssl3t64?arch=all",
        "pkg:deb/ubuntu/libssl3t64?arch=amd64/v3",
        "pkg:deb/ubuntu/libssl3t64?arch=amd64&distro=ubuntu-22.04",
        "pkg:deb/ubuntu/libssl3t64?distro=ubuntu-24.0",
        "pkg:deb/ubuntu/libssl3t64?distro=ubuntu-24.04.1",
        "pkg:deb/ubuntu/libssl3t64?distro=debian",
        "pkg:deb/ubuntu/libssl3t64?distro=noble",
        "pkg:deb/ubuntu/libssl3t64?epoch=1",
        "pkg:oci/other",
        "pkg:oci/shop@sha256:" + "b" * 64,
        {"@id": IMAGE, "subcomponents": [{"@id": "pkg:deb/ubuntu/zlib1g"}]},
        "libssl3t64",
        "pkg:oci/shop?repository_url=registry.example/other/shop",
        "pkg:oci/shop?repository_url=shop",
        "pkg:oci/shop?tag=0.9",
        "pkg:docker/other/shop",
        {"@id": IMAGE, "subcomponents": {"@id": "pkg:deb/ubuntu/zlib1g"}},
    ],
)
def test_a_statement_about_something_else_takes_nothing_away(product: object) -> None:
    assert stands(statement(product))


@pytest.mark.parametrize(
    ("scanned", "excused"),
    [("amd64", True), ("arm64", False), (None, False)],
    ids=["its own", "another", "not told"],
)
def test_a_statement_about_one_platform_of_an_index_takes_nothing_from_the_report_of_another(
    scanned: str | None, excused: bool
) -> None:
    about = {"os": "linux", "architecture": scanned}
    by_trivy = report(
        finding(), Metadata={"RepoDigests": [f"shop@{IMAGE.rpartition('@')[2]}"], "ImageConfig": about}
    )
    match = {
        "vulnerability": {"id": "CVE-2026-1", "severity": "High"},
        "artifact": {"name": "openssl", "version": "1"},
    }
    target = {"manifestDigest": IMAGE.rpartition("@")[2], **about}
    grype = {"matches": [match], "source": {"type": "image", "target": target}}
    for scan in (by_trivy, read_report(json.dumps(grype).encode(), "r")):
        said = document(statement(f"{IMAGE}?arch=amd64"))
        standing, taken = excuse(scan.vulnerabilities, said, scan)
        assert bool(taken) is excused
        assert bool(untold_platforms(standing, said, scan)) is (scanned is None)


@pytest.mark.parametrize(
    ("product", "scanned", "excused"),
    [
        ("pkg:oci/shop?arch=arm64", "arm64", True),
        ("pkg:oci/shop?arch=aarch64&repository_url=registry.example/team/shop", "arm64", True),
        ("pkg:oci/shop?arch=arm64/v8", "arm64", True),
        ("pkg:oci/shop?arch=arm", "arm", True),
        ("pkg:oci/shop?arch=arm", "arm64", False),
        ("pkg:oci/shop?arch=arm64&tag=1.0", "arm64", False),
        ("pkg:oci/shop?arch=", "arm64", True),
        ("pkg:oci/shop?arch=arm/v7", "arm", False),
        ("pkg:oci/shop?arch=armhf", "arm", False),
    ],
)
def test_an_image_that_is_named_with_its_platform_is_the_one_of_that_platform(
    product: str, scanned: str, excused: bool
) -> None:
    about = {"os": "linux", "architecture": scanned}
    scan = report(finding(), ArtifactName="registry.example/team/shop:1.0", Metadata={"ImageConfig": about})
    _, taken = excuse(scan.vulnerabilities, document(statement(product)), scan)
    assert bool(taken) is excused


@pytest.mark.parametrize(
    ("stated", "had", "excused"),
    [
        ("armhf", "armhf", True),
        ("armhf", "armel", False),
        ("arm", "armel", True),
        ("arm/v7", "armhf", True),
        ("arm/v6", "armhf", False),
        ("arm/v7", "arm", False),
        ("aarch64", "arm64", True),
    ],
)
def test_the_variant_of_an_architecture_counts_where_its_name_tells_one(
    stated: str, had: str, excused: bool
) -> None:
    scan = report(finding(PkgIdentifier={"PURL": f"pkg:deb/debian/libc6@2.36?arch={had}"}))
    _, taken = excuse(scan.vulnerabilities, document(statement(f"pkg:deb/debian/libc6?arch={stated}")), scan)
    assert bool(taken) is excused


@pytest.mark.parametrize(
    ("stated", "had", "excused"),
    [
        ("debian-12", "debian-12.11", True),
        ("debian-12.1", "debian-12.11", False),
        ("debian-12.11", "debian-12", False),
        ("3.20", "3.20.3", True),
        ("alpine-3.20", "3.20.3", True),
        ("alpine-3.2", "3.20.3", False),
        ("debian-12", "", False),
    ],
)
def test_a_release_is_named_by_as_much_of_its_number_as_is_stated(stated: str, had: str, excused: bool) -> None:
    name = "pkg:apk/alpine/openssl" if "3.20" in had else "pkg:deb/debian/openssl"
    scan = report(finding(PkgIdentifier={"PURL": f"{name}@1?distro={had}"}))
    _, taken = excuse(scan.vulnerabilities, document(statement(f"{name}?distro={stated}")), scan)
    assert bool(taken) is excused


def test_what_might_be_excused_on_one_platform_is_told_where_a_report_tells_none() -> None:
    said = document(statement(f"{IMAGE}?arch=arm64"), statement("pkg:oci/shop?arch=amd64&tag=1"), author="me")
    assert untold_platforms(SCANNED.vulnerabilities, said, SCANNED) == (
        "CVE-2026-1 in openssl: me excuses it on arm64 alone, and the report does not say which platform it is "
        "about; have the scanner write its own JSON",
    )


HASHED = {"sha-256": "a" * 64}
OTHER = {"sha-256": "b" * 64}


@pytest.mark.parametrize(
    ("product", "excused"),
    [
        ({"hashes": HASHED}, True),
        ({"hashes": {"sha-256": "A" * 64, "md5": "x"}}, True),
        ({"@id": "https://example.com/shop", "hashes": HASHED}, True),
        ({"@id": "pkg:oci/other", "hashes": HASHED}, True),
        ({"hashes": HASHED, "subcomponents": [{"@id": "pkg:deb/ubuntu/libssl3t64"}]}, True),
        ({"hashes": HASHED, "subcomponents": [{"@id": "pkg:deb/ubuntu/zlib1g"}]}, False),
        ({"hashes": HASHED, "subcomponents": [{"hashes": OTHER}]}, False),
        ({"hashes": OTHER}, False),
        ({"hashes": {"sha-512": "a" * 64}}, False),
        ({"hashes": "a" * 64}, False),
        ({"@id": "pkg:oci/shop", "hashes": OTHER}, False),
        ({"@id": "pkg:oci/shop", "hashes": {"blake2b-512": "a"}}, False),
        ({"@id": f"{IMAGE}?arch=arm64", "hashes": HASHED}, False),
        ({"@id": IMAGE.replace("a" * 64, "b" * 64), "hashes": HASHED}, False),
        ({"@id": PACKAGE, "hashes": OTHER}, True),
        ({"@id": "pkg:deb/ubuntu/libssl3t64", "hashes": OTHER}, False),
    ],
)
def test_hashes_name_an_image_by_its_digest_and_nothing_else(product: object, excused: bool) -> None:
    assert stands(statement(product)) is not excused


@pytest.mark.parametrize("status", ["affected", "under_investigation", "", "anything"])
def test_only_what_is_not_affected_or_fixed_is_taken_away(status: str) -> None:
    assert stands(statement(status=status))
    assert not stands(statement(status="fixed", justification=None))


def test_not_affected_without_a_reason_is_not_heeded() -> None:
    assert stands(statement(justification=None))
    assert stands(statement(justification="because")), "OpenVEX knows five, and an impact in words"
    assert not stands(statement(justification=None, impact_statement="the code is not shipped"))


@pytest.mark.parametrize(
    "vulnerability", [{"name": "GHSA-1", "aliases": ["CVE-2026-1"]}, {"name": "cve-2026-1"}, {"@id": "CVE-2026-1"}]
)
def test_an_alias_names_the_vulnerability_too(vulnerability: object) -> None:
    assert not stands(statement(vulnerability=vulnerability))


def test_a_finding_is_named_by_its_own_alias_where_no_other_cve_is() -> None:
    """One advisory of GitHub may be about several."""
    found = [replace(each, aliases=("GHSA-1",)) for each in SCANNED.vulnerabilities]

    def excused(*statements: object) -> bool:
        return not excuse(found, document(*statements), SCANNED)[0]

    advisory = statement(vulnerability={"name": "GHSA-1"})
    assert excused(advisory)
    assert not excused(statement(vulnerability={"name": "CVE-2026-2", "aliases": ["GHSA-1"]}))
    later = statement(status="affected", timestamp="2026-11-20T00:00:00Z")
    assert not excused(later, advisory)
    assert not excused(statement(), advisory | {"status": "affected", "timestamp": "2026-11-20T00:00:00Z"})
    at_once = statement(status="affected")
    assert excused(at_once, advisory)
    assert not excused(advisory, at_once), "of one time, the last one counts, by whichever name"


def test_the_form_of_version_0_0_1_is_read() -> None:
    old = statement(IMAGE, vulnerability="CVE-2026-1", subcomponents=["pkg:deb/ubuntu/libssl3t64"])
    assert not stands(old)


def test_the_last_statement_counts() -> None:
    later = statement(status="affected", timestamp="2026-11-20T00:00:00Z")
    assert stands(later, statement())
    assert not stands(later, statement(timestamp="2026-11-21T00:00:00Z"))


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("2026-11-20T23:30:00+02:00", "2026-11-20T22:00:00Z"),
        ("2026-11-20T10:00:00Z", "2026-11-20T10:00:00.5Z"),
        ("2026-11-20T10:00:00", "2026-11-20T11:00:01+01:00"),
    ],
    ids=["in another zone", "by a fraction of a second", "without a zone, which is UTC"],
)
def test_the_last_is_told_by_the_moment_not_by_how_it_is_written(earlier: str, later: str) -> None:
    for first, second in ((earlier, later), (later, earlier)):
        affected = statement(status="affected", timestamp=first)
        assert stands(affected, statement(timestamp=second)) is (first == later)


@pytest.mark.parametrize("time", ["yesterday", 1_763_000_000, [], False])
def test_a_statement_of_no_time_is_refused(time: object) -> None:
    with pytest.raises(Failure, match="which is no time"):
        document(statement(timestamp=time))


@pytest.mark.parametrize("nothing", [None, ""])
def test_what_a_statement_has_null_for_the_document_says(nothing: object) -> None:
    """Of the earliest time of all, it would take back no statement before it."""
    assert stands(statement(), statement(status="affected", timestamp=nothing))


@pytest.mark.parametrize("parts", [{}, "", 0, False])
def test_parts_that_are_no_list_stand_for_no_whole(parts: object) -> None:
    assert stands(statement({"@id": IMAGE, "subcomponents": parts}))
    assert not stands(statement({"@id": IMAGE, "subcomponents": None}))


@pytest.mark.parametrize("data", [b"{}", b"[]", b"x", b'{"@context": "https://openvex.dev/ns/v0.2.0"}'])
def test_what_is_no_openvex_is_refused(data: bytes) -> None:
    with pytest.raises(Failure):
        read_vex(data, "vex.json")


@given(JSON)
def test_any_document_is_read_or_refused(value: object) -> None:
    with contextlib.suppress(Failure):
        found = document(value, statement(value), statement(products=value), statement(vulnerability=value))
        excuse(blocking(SCANNED.vulnerabilities, GatePolicy()), found, SCANNED)


def test_what_a_document_says_of_itself_can_be_kept_and_shown_on_one_line() -> None:
    """No page can be made of half a pair of surrogates, and megabytes would be kept for each finding."""
    wild = "\ud800\x00a\n" + "b" * 10_000
    (said,) = document(statement(justification=None, impact_statement=wild), author=wild)
    for text in (said.author, said.reason):
        assert text.startswith("\N{REPLACEMENT CHARACTER}" * 2 + "a")
        assert text.isprintable()
        assert len(text) < 1_000


def test_parts_of_a_statement_are_those_of_its_products_that_name_none() -> None:
    common = ["pkg:deb/ubuntu/zlib1g"]
    assert stands(statement(IMAGE, subcomponents=common))
    own = {"@id": IMAGE, "subcomponents": ["pkg:deb/ubuntu/libssl3t64"]}
    assert not stands(statement(own, subcomponents=common))


def test_any_of_the_parts_of_an_image_may_be_the_one_that_was_found() -> None:
    parts = ["pkg:deb/ubuntu/zlib1g", "pkg:deb/ubuntu/libssl3t64"]
    assert not stands(statement({"@id": IMAGE, "subcomponents": parts}))


def test_the_statement_that_counts_is_the_one_that_is_told() -> None:
    later = statement(status="fixed", timestamp="2026-11-20T00:00:00Z")
    _, [excused] = excuse(SCANNED.vulnerabilities, document(later, statement()), SCANNED)
    assert excused.statement.status == "fixed"


def test_names_of_vulnerabilities_mean_the_same_in_either_case() -> None:
    found = [replace(each, id="cve-2026-1", aliases=("ghsa-1",)) for each in SCANNED.vulnerabilities]
    for name in ("CVE-2026-1", "GHSA-1"):
        assert excuse(found, document(statement(vulnerability={"name": name})), SCANNED)[0] == ()


@pytest.mark.parametrize(
    "product",
    [
        "pkg:deb/shop",
        "pkg:oci/shop@latest",
        "pkg:oci/hop",
        "pkg:oci/shop?tag=1.0",
        "pkg:oci/shop?repository_url=registry.example/other",
        "pkg:oci/shop?repository_url=No%20Registry",
        "pkg:",
        "shop",
    ],
)
def test_what_is_no_image_or_more_than_its_name_and_place_is_not_the_image(product: str) -> None:
    assert stands(statement(product))


def test_the_place_of_an_image_may_end_with_a_slash() -> None:
    assert not stands(statement("pkg:oci/shop?repository_url=https://registry.example/team/"))


def test_an_image_whose_name_is_none_is_nothing_that_a_place_names() -> None:
    nameless = replace(SCANNED, image_name="no name at all", image_digests=frozenset())
    placed = document(statement("pkg:oci/shop?repository_url=registry.example/team"))
    assert excuse(nameless.vulnerabilities, placed, nameless)[1] == ()


def test_a_document_may_have_more_contexts_and_says_for_all_what_a_statement_does_not() -> None:
    bare = {"vulnerability": "CVE-2026-1", "products": [PACKAGE]}
    contexts = ["https://example.com/more", "https://openvex.dev/ns/v0.2.0"]
    assert not excuse(SCANNED.vulnerabilities, document(bare, status="fixed", **{"@context": contexts}), SCANNED)[0]
    with pytest.raises(Failure, match="is no OpenVEX document"):
        document(bare, **{"@context": contexts[:1]})


def test_a_document_of_more_statements_than_anybody_makes_is_refused() -> None:
    with pytest.raises(Failure, match="has more than 100000 statements"):
        document(*[{}] * 100_001)
    assert len(document(*[{}] * 100_000)) == 100_000


def test_a_moment_before_all_time_is_refused() -> None:
    with pytest.raises(Failure, match="which is no time"):
        document(statement(timestamp="0001-01-01T00:00:00+14:00"))


@pytest.mark.parametrize("nothing", [None, ""])
def test_what_has_no_time_at_all_is_heeded_and_comes_before_what_has_one(nothing: object) -> None:
    timeless = document(statement(), timestamp=nothing)
    assert excuse(SCANNED.vulnerabilities, timeless, SCANNED)[0] == ()
    affected = document(statement(status="affected"))
    for both in ((*timeless, *affected), (*affected, *timeless)):
        assert excuse(SCANNED.vulnerabilities, both, SCANNED)[1] == ()
