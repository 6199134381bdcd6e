import json

import pytest

from bot.domain.failure import Failure
from bot.domain.feeds.advisory import Severity
from bot.upstream.feeds import github_advisories
from tests.unit.upstream.feeds.published import SEEN


def vulnerability(package: str, patched: str | None = "9.0.10", ecosystem: str = "nuget") -> dict[str, object]:
    return {
        "package": {"ecosystem": ecosystem, "name": package},
        "vulnerable_version_range": ">= 9.0.0, <= 9.0.9",
        "first_patched_version": patched,
        "vulnerable_functions": [],
    }


def row(*vulnerabilities: object, **overrides: object) -> dict[str, object]:
    return {
        "ghsa_id": "GHSA-5rrx-jjjq-q2r5",
        "cve_id": "CVE-2025-55315",
        "html_url": "https://github.com/advisories/GHSA-5rrx-jjjq-q2r5",
        "summary": "Security feature\nbypass",
        "severity": "critical",
        "references": ["https://nvd.nist.gov/vuln/detail/CVE-2025-55315", "javascript:alert(1)"],
        "published_at": "2025-10-14T22:21:44Z",
        "withdrawn_at": None,
        "vulnerabilities": list(vulnerabilities),
        "cvss": {"vector_string": "CVSS:3.1/…", "score": 9.9},
        "cvss_severities": {"cvss_v3": {"score": 9.9}, "cvss_v4": {"score": 0.0}},
    } | overrides


def read(*rows: object) -> github_advisories.GithubAdvisories:
    return github_advisories.parse(json.dumps(rows).encode(), SEEN)


def test_an_advisory_is_read_whole() -> None:
    (advisory,) = read(row(vulnerability("Microsoft.AspNetCore.App.Runtime.linux-x64"))).items
    assert advisory.cve == "CVE-2025-55315"
    assert advisory.title == "Security feature bypass"
    assert (advisory.severity, advisory.score) == (Severity.CRITICAL, 9.9)
    assert advisory.families == {"aspnet", "sdk"}
    assert advisory.systems == {"linux"}
    assert advisory.fixed_versions == ("9.0.10",)
    assert advisory.links == (
        "https://github.com/advisories/GHSA-5rrx-jjjq-q2r5",
        "https://nvd.nist.gov/vuln/detail/CVE-2025-55315",
    )
    assert advisory.evidence[0].locator == "GHSA-5rrx-jjjq-q2r5"


@pytest.mark.parametrize(
    ("identifiers", "systems"),
    [
        (["linux-musl-x64", "linux-musl-arm64"], {"musl"}),
        (["win-x64", "win-x86"], {"windows"}),
        (["osx-arm64"], {"macos"}),
        (["linux-x64", "linux-musl-x64", "win-x64"], {"linux", "musl", "windows"}),
    ],
)
def test_the_runtime_packs_tell_the_systems(identifiers: list[str], systems: set[str]) -> None:
    packs = [vulnerability(f"Microsoft.NetCore.App.Runtime.{identifier}") for identifier in identifiers]
    (advisory,) = read(row(*packs)).items
    assert advisory.systems == systems
    assert advisory.families == {"runtime", "aspnet", "sdk"}


def test_build_tools_alone_touch_the_sdk_and_tell_no_dotnet_version() -> None:
    (advisory,) = read(row(vulnerability("Microsoft.Build.Tasks.Core", "17.8.43"))).items
    assert (advisory.families, advisory.systems, advisory.fixed_versions) == ({"sdk"}, set(), ())


@pytest.mark.parametrize(
    "other",
    [
        vulnerability("Newtonsoft.Json"),
        vulnerability("Microsoft.NETCore.App.Runtime.browser-wasm"),
        vulnerability("Microsoft.WindowsDesktop.App.Runtime.win-x64"),
        vulnerability("Microsoft.NETCore.App.Runtime.linux-x64", ecosystem="npm"),
        {"package": None, "first_patched_version": None},
    ],
)
def test_packages_that_no_image_carries_are_passed_over(other: dict[str, object]) -> None:
    parsed = read(row(other))
    assert (parsed.items, parsed.problems, parsed.entries) == ((), (), 1)


def test_fixed_versions_of_several_channels_are_in_order() -> None:
    pack = "Microsoft.NETCore.App.Runtime.linux-x64"
    versions = ["10.0.0", "9.0.10", "8.0.21", "10.0.0-rc.2.25502.107", None]
    (advisory,) = read(row(*(vulnerability(pack, version) for version in versions))).items
    assert advisory.fixed_versions == ("8.0.21", "9.0.10", "10.0.0-rc.2.25502.107", "10.0.0")


def test_a_withdrawn_advisory_is_named_as_such() -> None:
    parsed = read(row(withdrawn_at="2025-11-01T00:00:00Z"))
    assert (parsed.items, parsed.withdrawn) == ((), ("CVE-2025-55315",))


def test_a_withdrawn_duplicate_does_not_take_the_standing_advisory_out() -> None:
    standing = row(vulnerability("Microsoft.NETCore.App.Runtime.linux-x64"))
    parsed = read(row(withdrawn_at="2025-11-01T00:00:00Z", ghsa_id="GHSA-aaaa-bbbb-cccc"), standing)
    assert len(parsed.items) == 1
    assert parsed.withdrawn == ()


def test_an_advisory_without_a_cve_number_is_named() -> None:
    parsed = read(row(vulnerability("Microsoft.NETCore.App.Runtime.linux-x64"), cve_id=None))
    assert parsed.items == ()
    assert "GHSA-5rrx-jjjq-q2r5" in str(parsed.problems[0])


def test_a_score_of_zero_stands_for_none() -> None:
    scores = {"cvss_v3": {"score": 0}, "cvss_v4": {"score": 8.7}}
    pack = vulnerability("Microsoft.NETCore.App.Runtime.linux-x64")
    (advisory,) = read(row(pack, cvss=None, cvss_severities=scores)).items
    assert advisory.score == 8.7


def test_an_unknown_severity_is_none() -> None:
    (advisory,) = read(row(vulnerability("NuGet.Packaging"), severity="unknown")).items
    assert advisory.severity is None


def test_an_error_message_instead_of_a_list_is_a_failure() -> None:
    with pytest.raises(Failure, match="it should be a list"):
        github_advisories.parse(b'{"message": "Bad credentials"}', SEEN)
