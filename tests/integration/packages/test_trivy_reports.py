"""What Trivy makes of its own report blocks as the report does: SARIF, and what is left of some severities."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.domain.packages.cves.detected import DetectedVulnerability, GatePolicy, Rating, blocking
from bot.images.scanners.reading import read_report

pytestmark = pytest.mark.long

TRIVY = shutil.which("trivy", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
STATES = ("fixed", "affected", "will_not_fix", "fix_deferred", "end_of_life", "under_investigation")


def report() -> dict[str, Any]:
    """Every severity with every state, in packages of the system; some in an application as well."""
    found = [
        {
            "VulnerabilityID": f"CVE-2026-{number:04}{state}",
            "PkgName": f"lib{number % 3}",
            "InstalledVersion": "1:1.0-1",
            "FixedVersion": "1:1.0-2" if status == "fixed" else "",
            "Status": status,
            "Severity": severity,
            "Title": "a: b",
        }
        for state, status in enumerate(STATES)
        for number, severity in enumerate(Rating)
    ]
    system = {
        "Target": "x (debian 12)",
        "Class": "os-pkgs",
        "Type": "debian",
        "Vulnerabilities": found,
    }
    other = {
        "Target": "app/App.deps.json",
        "Class": "lang-pkgs",
        "Type": "dotnet-core",
        "Vulnerabilities": found[:5],
    }
    clean = {"Target": "app/Other.deps.json", "Class": "lang-pkgs", "Type": "dotnet-core"}
    return {
        "SchemaVersion": 2,
        "ArtifactName": "x",
        "ArtifactType": "container_image",
        "Results": [system, other, clean],
    }


def converted(folder: Path, *options: str) -> bytes:
    """What `trivy convert` makes of the report."""
    if TRIVY is None:
        pytest.skip("trivy is not installed")
    (folder / "report.json").write_text(json.dumps(report()))
    words = (TRIVY, "convert", "-q", *options, "--output", f"{folder}/converted", f"{folder}/report.json")
    subprocess.run(words, env={**os.environ, "HOME": str(folder)}, capture_output=True, timeout=60, check=True)
    return (folder / "converted").read_bytes()


def told(found: tuple[DetectedVulnerability, ...]) -> list[tuple[str, str, str, str, Rating]]:
    return sorted((each.id, each.package, each.installed, each.fixed, each.severity) for each in found)


@pytest.mark.parametrize("ignores_unfixed", [True, False])
def test_what_blocks_is_the_same_in_sarif(tmp_path: Path, ignores_unfixed: bool) -> None:
    policy = GatePolicy(frozenset(Rating), ignores_unfixed)
    plain = read_report(json.dumps(report()).encode(), "report")
    sarif = read_report(converted(tmp_path, "--format", "sarif"), "converted")
    assert plain.gaps == sarif.gaps == ()
    assert told(blocking(sarif.vulnerabilities, policy)) == told(blocking(plain.vulnerabilities, policy))
    assert told(blocking(plain.vulnerabilities, policy))


@pytest.mark.parametrize("severities", [("HIGH", "CRITICAL"), ("MEDIUM",), ("UNKNOWN", "LOW")])
def test_what_blocks_is_what_trivy_leaves_of_its_severities(tmp_path: Path, severities: tuple[str, ...]) -> None:
    policy = GatePolicy(frozenset(Rating(word) for word in severities), ignore_unfixed=False)
    left = converted(tmp_path, "--format", "json", "--severity", ",".join(severities))
    whole = read_report(json.dumps(report()).encode(), "report")
    assert told(read_report(left, "converted").vulnerabilities) == told(blocking(whole.vulnerabilities, policy))
