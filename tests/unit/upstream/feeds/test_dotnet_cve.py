import json
from collections import defaultdict

from bot.domain.feeds.advisory import Advisory, Severity
from bot.upstream.feeds.dotnet import cve as dotnet_cve
from bot.upstream.feeds.reading import Parsed
from tests.unit.upstream.feeds.published import SEEN, published


def test_every_published_disclosure_is_read() -> None:
    data = published("dotnet-cve-2025-10.json")
    parsed = dotnet_cve.parse(data, SEEN)
    assert parsed.problems == ()
    value = json.loads(data)
    assert {a.cve for a in parsed.items} == value["cve_releases"].keys()
    fixed = defaultdict(set)
    for product in value["products"]:
        fixed[product["cve_id"]].add(product["fixed"])
    assert {a.cve: set(a.fixed_versions) for a in parsed.items} == fixed


def test_the_vendors_rating_counts_and_the_score_stands_beside_it() -> None:
    found = {a.cve: a for a in dotnet_cve.parse(published("dotnet-cve-2025-10.json"), SEEN).items}
    smuggling = found["CVE-2025-55315"]
    assert (smuggling.severity, smuggling.score) == (Severity.HIGH, 9.9)
    assert smuggling.families == {"aspnet", "sdk"}


def test_a_fix_for_linux_alone_in_the_sdk_is_known_as_such() -> None:
    found = {a.cve: a for a in dotnet_cve.parse(published("dotnet-cve-2025-10.json"), SEEN).items}
    assert found["CVE-2025-55247"].systems == {"linux", "musl"}
    assert found["CVE-2025-55247"].families == {"sdk"}


def disclosure(**overrides: object) -> dict[str, object]:
    return {"id": "CVE-2026-1000", "problem": "x", "platforms": ["windows"]} | overrides


def read(value: object, *products: object) -> Parsed[Advisory]:
    return dotnet_cve.parse(json.dumps({"disclosures": [value], "products": products}).encode(), SEEN)


def test_without_the_vendors_rating_the_derived_one_counts() -> None:
    (advisory,) = read(disclosure(cvss={"score": 5.5, "severity": "MEDIUM"})).items
    assert advisory.severity is Severity.MODERATE


def test_an_unknown_platform_leaves_the_systems_open() -> None:
    parsed = read(disclosure(platforms=["linux", "plan9"]))
    assert parsed.items[0].systems == frozenset()
    assert "plan9" in str(parsed.problems[0])


def test_an_unknown_product_leaves_the_families_open() -> None:
    product = {"cve_id": "CVE-2026-1000", "name": "dotnet-toaster", "fixed": "1.0.1"}
    parsed = read(disclosure(), product)
    assert parsed.items[0].families == frozenset()
    assert "dotnet-toaster" in str(parsed.problems[0])
