"""Which image a scanner's report is about."""

import json
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.failure import Failure
from bot.images.scan_reports import MOST_OF_WORKFLOW, KeptReport, ReportOrigin, ScanReport, scan_report
from bot.images.scanners.reading import read_report
from tests.unit.images.reports import finding

INDEX, PLATFORM = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


def written(*names: str, **values: object) -> bytes:
    result = {"Target": "image", "Vulnerabilities": [finding()]}
    metadata = {"RepoDigests": list(names)}
    return json.dumps({"SchemaVersion": 2, "Results": [result], "Metadata": metadata, **values}).encode()


def read(data: bytes, image: str | None = None) -> ScanReport:
    return scan_report(data, ReportOrigin.FILE, "report.json", image)


def test_it_is_about_every_digest_that_it_names() -> None:
    scan = read(written(f"ghcr.io/contoso/shop@{INDEX}", f"ghcr.io/contoso/shop@{PLATFORM}"))
    assert scan.report.image_digests == {INDEX, PLATFORM}


def test_sarif_names_images_beside_its_results() -> None:
    run = {"results": [], "properties": {"repoDigests": [f"ghcr.io/contoso/shop@{INDEX}"]}}
    assert read_report(json.dumps({"runs": [run]}).encode(), "report.sarif").image_digests == {INDEX}


@pytest.mark.parametrize("name", ["shop", "shop@sha256:abc", f"shop@{INDEX}0", "@", f"shop@{INDEX}\n"])
def test_what_is_no_digest_names_no_image(name: str) -> None:
    with pytest.raises(Failure, match="names no digest of an image"):
        read(written(name))


def test_who_imports_it_says_what_it_is_about_where_it_does_not() -> None:
    assert read(written(), INDEX).report.image_digests == {INDEX}


def test_a_report_may_be_said_to_be_about_one_of_the_images_that_it_names() -> None:
    data = written(f"shop@{INDEX}", f"shop@{PLATFORM}")
    assert read(data, PLATFORM).report.image_digests == {INDEX, PLATFORM}


def test_a_report_about_another_image_is_refused() -> None:
    with pytest.raises(Failure, match=f"is about {PLATFORM}, not {INDEX}"):
        read(written(f"shop@{PLATFORM}"), INDEX)


@pytest.mark.parametrize("image", [INDEX, f"sha256:{'c' * 64}", None])
def test_sarif_whose_runs_are_about_several_images_is_refused_for_whatever_image(image: str | None) -> None:
    runs = [{"results": [], "properties": {"repoDigests": [f"shop@{each}"]}} for each in (INDEX, PLATFORM)]
    with pytest.raises(Failure, match="is about several images"):
        read(json.dumps({"runs": runs}).encode(), image)


def test_the_same_bytes_are_the_same_document() -> None:
    assert read(written(f"shop@{INDEX}")).document == read(written(f"shop@{INDEX}")).document


def test_an_image_was_scanned_when_its_report_says_but_not_after_that_was_kept() -> None:
    scan = read(written(f"shop@{INDEX}", CreatedAt="2026-03-10T10:00:00Z"))
    created = datetime(2026, 3, 10, 10, tzinfo=UTC)
    for kept in (created - timedelta(hours=1), created, created + timedelta(hours=1)):
        assert KeptReport(scan, kept).scanned_at == min(kept, created)
    assert KeptReport(read(written(f"shop@{INDEX}")), created).scanned_at == created


def test_a_report_about_other_images_names_them_in_order() -> None:
    names = [f"shop@sha256:{letter * 64}" for letter in "dcbefa"]
    with pytest.raises(Failure) as refused:
        read(written(*names), f"sha256:{'9' * 64}")
    told = ", ".join(f"sha256:{letter * 64}" for letter in "abcdef")
    assert f"is about {told}, not sha256:{'9' * 64}" in str(refused.value)


def test_what_a_workflow_had_left_out_counts_among_its_findings() -> None:
    ignored = [
        {"Type": "vulnerability", "Status": "ignored", "Finding": finding(VulnerabilityID=f"CVE-2026-{number}")}
        for number in range(MOST_OF_WORKFLOW)
    ]
    result = {"Target": "image", "Vulnerabilities": [finding()], "ExperimentalModifiedFindings": ignored}
    data = json.dumps({"SchemaVersion": 2, "Results": [result], "Metadata": {"RepoDigests": [f"shop@{INDEX}"]}})
    assert len(read(data.encode()).report.suppressed) == MOST_OF_WORKFLOW
    with pytest.raises(Failure, match="has more than 10,000 findings"):
        of_workflow(data.encode())


def of_workflow(data: bytes) -> ScanReport:
    return scan_report(data, ReportOrigin.ARTIFACT, "report.json", repository=1)


def test_a_workflow_may_leave_as_many_findings_as_an_image_has_and_an_operator_brings_any() -> None:
    most = [finding(VulnerabilityID=f"CVE-2026-{number}") for number in range(MOST_OF_WORKFLOW)]
    document = {"SchemaVersion": 2, "Metadata": {"RepoDigests": [f"shop@{INDEX}"]}}
    whole = json.dumps(document | {"Results": [{"Target": "image", "Vulnerabilities": most}]}).encode()
    assert len(of_workflow(whole).report.vulnerabilities) == MOST_OF_WORKFLOW
    more = [{"Target": "image", "Vulnerabilities": [*most, finding(VulnerabilityID="CVE-2026-x")]}]
    too_many = json.dumps(document | {"Results": more}).encode()
    assert len(read(too_many).report.vulnerabilities) == MOST_OF_WORKFLOW + 1
    with pytest.raises(Failure, match="has more than 10,000 findings"):
        of_workflow(too_many)


@pytest.mark.parametrize("value", [b"[]", b"{}", b"0", b'"a"'])
def test_a_report_of_a_workflow_that_would_fill_memory_is_refused_before_it_is_read(value: bytes) -> None:
    data = b"[" + b",".join([value] * 2_000_000) + b"]"
    tracemalloc.start()
    try:
        with pytest.raises(Failure, match="has more than 1,000,000 values"):
            of_workflow(data)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
