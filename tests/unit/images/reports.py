"""Reports of a scanner."""

import json

from hypothesis import strategies as st

from bot.images.scanners.reading import read_report
from bot.images.scanners.report import Report


def finding(**values: object) -> dict[str, object]:
    known = {
        "VulnerabilityID": "CVE-2026-1",
        "PkgName": "openssl",
        "InstalledVersion": "3.0.13-0ubuntu3.5",
        "FixedVersion": "3.0.13-0ubuntu3.6",
        "Status": "fixed",
        "Severity": "HIGH",
    }
    return known | values


def report(*findings: object, **values: object) -> Report:
    result = {"Target": "image", "Class": "os-pkgs", "Vulnerabilities": list(findings)}
    return read_report(json.dumps({"SchemaVersion": 2, "Results": [result], **values}).encode(), "report.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
