import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.failure import Failure
from bot.domain.feeds.advisory import Severity
from bot.upstream.feeds import msrc
from tests.unit.upstream.feeds.published import BULLETINS, SEEN, published

HEAD = (
    '<c:cvrfdoc xmlns:c="http://www.icasi.org/CVRF/schema/cvrf/1.1"'
    ' xmlns:p="http://www.icasi.org/CVRF/schema/prod/1.1" xmlns:v="http://www.icasi.org/CVRF/schema/vuln/1.1">'
    "<c:DocumentTracking><c:Identification><c:ID>2026-Jan</c:ID></c:Identification></c:DocumentTracking>"
)


def bulletin(products: dict[str, str], vulnerability: str = "", cve: str = "CVE-2026-1000") -> bytes:
    tree = "".join(f'<p:FullProductName ProductID="{k}">{v}</p:FullProductName>' for k, v in products.items())
    affected = "".join(f"<v:ProductID>{number}</v:ProductID>" for number in products)
    return (
        f'{HEAD}<p:ProductTree>{tree}</p:ProductTree><v:Vulnerability Ordinal="7"><v:CVE>{cve}</v:CVE>'
        f'<v:ProductStatuses><v:Status Type="Known Affected">{affected}</v:Status></v:ProductStatuses>'
        f"{vulnerability}</v:Vulnerability></c:cvrfdoc>"
    ).encode()


def remediation(number: str, build: str) -> str:
    return (
        f'<v:Remediations><v:Remediation Type="Vendor Fix"><v:ProductID>{number}</v:ProductID>'
        f"<v:FixedBuild>{build}</v:FixedBuild></v:Remediation></v:Remediations>"
    )


@pytest.mark.parametrize("month", BULLETINS)
def test_everything_a_published_document_lists_is_counted(month: str) -> None:
    data = published(f"msrc-cvrf-{month}.xml")
    read = msrc.parse(data, SEEN)
    text = data.decode()
    assert read.problems == ()
    assert read.entries == text.count("</vuln:Vulnerability>")
    assert {proof.locator.split()[0] for advisory in read.items for proof in advisory.evidence} <= {month}


@pytest.mark.parametrize("month", BULLETINS)
def test_the_advisories_are_those_whose_affected_products_are_dotnet(month: str) -> None:
    text = published(f"msrc-cvrf-{month}.xml").decode()
    dotnet = set(re.findall(r'<prod:FullProductName ProductID="(\d+)"[^>]*>\.NET \d+\.\d+ installed', text))
    expected = set()
    for block in re.findall(r"<vuln:Vulnerability .*?</vuln:Vulnerability>", text, re.DOTALL):
        statuses = re.search(r"<vuln:ProductStatuses>.*?</vuln:ProductStatuses>", block, re.DOTALL)
        if statuses and dotnet & set(re.findall(r"<vuln:ProductID>(\d+)<", statuses[0])):
            expected.update(re.findall(r"<vuln:CVE>([^<]+)<", block))
    read = msrc.parse(published(f"msrc-cvrf-{month}.xml"), SEEN)
    assert {a.cve for a in read.items} == expected


def test_a_published_advisory_is_read_whole() -> None:
    (advisory,) = msrc.parse(published("msrc-cvrf-2025-Jun.xml"), SEEN).items
    assert advisory.cve == "CVE-2025-30399"
    assert (advisory.severity, advisory.score) == (Severity.HIGH, 7.5)
    assert advisory.fixed_versions == ("8.0.17", "9.0.6")
    assert advisory.systems == {"linux", "musl", "windows", "macos"}
    assert advisory.published_at == datetime(2025, 6, 10, 7, tzinfo=UTC)
    assert advisory.evidence[0].locator == "2025-Jun CVE-2025-30399"


@pytest.mark.parametrize(
    "product",
    [
        "Microsoft .NET Framework 4.8",
        ".NET Framework 3.5 on Windows",
        "Microsoft Visual Studio 2022 version 17.14",
        "PowerShell 7.4",
        "Windows Server 2022",
    ],
)
def test_products_that_no_image_carries_are_passed_over(product: str) -> None:
    read = msrc.parse(bulletin({"1": product}), SEEN)
    assert read.items == ()
    assert read.entries == 1


@pytest.mark.parametrize(
    ("product", "families", "systems"),
    [
        (".NET 9.0 installed on Windows", set(), {"windows"}),
        (".NET 9.0 installed on Linux", set(), {"linux", "musl"}),
        (".NET 8.0 installed on Mac OS", set(), {"macos"}),
        (".NET 8.0", set(), set()),
        ("ASP.NET Core 8.0", {"aspnet", "sdk"}, set()),
        (".NET SDK 8.0", {"sdk"}, set()),
    ],
)
def test_a_product_name_tells_system_and_families(product: str, families: set[str], systems: set[str]) -> None:
    (advisory,) = msrc.parse(bulletin({"1": product}), SEEN).items
    assert (advisory.families, advisory.systems) == (families, systems)


def test_a_product_that_names_no_system_leaves_the_systems_open() -> None:
    (advisory,) = msrc.parse(bulletin({"1": ".NET 8.0", "2": ".NET 9.0 installed on Windows"}), SEEN).items
    assert advisory.systems == frozenset()


def test_the_fixed_builds_of_other_products_are_not_those_of_dotnet() -> None:
    data = bulletin({"1": ".NET 8.0", "2": "Visual Studio 2022"}, remediation("2", "17.14.5"))
    assert msrc.parse(data, SEEN).items[0].fixed_versions == ()


def test_a_fixed_build_that_is_no_version_is_named() -> None:
    read = msrc.parse(bulletin({"1": ".NET 8.0"}, remediation("1", "see notes")), SEEN)
    assert read.items[0].fixed_versions == ()
    assert "the fixed build see notes is no version" in str(read.problems[0])


def test_a_vulnerability_without_a_cve_number_is_named() -> None:
    read = msrc.parse(bulletin({"1": ".NET 8.0"}, cve="ADV260001"), SEEN)
    assert read.items == ()
    assert "Vulnerability 7: ADV260001 is no CVE number" in str(read.problems[0])


def test_another_xml_document_is_a_failure() -> None:
    with pytest.raises(Failure, match=r"is no CVRF 1\.1 document, its root is html"):
        msrc.parse(b"<html/>", SEEN)


def test_vulnerabilities_without_any_product_are_a_failure() -> None:
    with pytest.raises(Failure, match="lists vulnerabilities but no products"):
        msrc.parse(bulletin({}), SEEN)


def test_vulnerabilities_beyond_the_bound_are_skipped_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(msrc, "MAX_ENTRIES", 100)
    data = bulletin({"1": ".NET 8.0"})
    one = data[data.index(b"<v:Vulnerability") : data.index(b"</c:cvrfdoc>")]
    read = msrc.parse(data.replace(one, one * 101), SEEN)
    assert len(read.items) == 100
    assert "has 101 vulnerabilities" in str(read.problems[0])


def updates(*rows: dict[str, object]) -> bytes:
    return json.dumps({"@odata.context": "x", "value": rows}).encode()


def row(month: str, released: str, revised: str) -> dict[str, object]:
    return {
        "ID": month,
        "Alias": month,
        "DocumentTitle": f"{month} Security Updates",
        "Severity": None,
        "InitialReleaseDate": released,
        "CurrentReleaseDate": revised,
        "CvrfUrl": f"https://api.msrc.microsoft.com/cvrf/v3.0/cvrf/{month}",
    }


UPDATES = updates(
    row("2025-Oct", "2025-10-14T07:00:00Z", "2025-11-20T08:00:00Z"),
    row("2025-Nov", "2025-11-11T08:00:00Z", "2025-12-05T01:36:55Z"),
    row("2016-Apr", "2016-04-12T07:00:00Z", "2016-05-01T07:00:00Z"),
)
SINCE = datetime(2025, 1, 1, tzinfo=UTC)


def test_the_newest_monthly_document_comes_first() -> None:
    parsed = msrc.parse_updates(UPDATES, SEEN)
    assert [d.url.rpartition("/")[2] for d in parsed.items] == ["2025-Nov", "2025-Oct", "2016-Apr"]


def test_documents_never_read_are_read_unless_too_old() -> None:
    documents = msrc.parse_updates(UPDATES, SEEN).items
    assert [d.url.rpartition("/")[2] for d in msrc.to_read(documents, {}, SINCE)] == ["2025-Nov", "2025-Oct"]


def test_a_document_is_read_again_once_it_was_revised() -> None:
    documents = msrc.parse_updates(UPDATES, SEEN).items
    read_at = {d.url: d.revised_at + timedelta(hours=1) for d in documents}
    assert msrc.to_read(documents, read_at, SINCE) == ()
    read_at[documents[0].url] -= timedelta(hours=2)
    assert msrc.to_read(documents, read_at, SINCE) == (documents[0],)
