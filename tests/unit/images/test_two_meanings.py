"""A document that something is decided by names no member twice: else two readers see two documents."""

import json
from collections.abc import Callable

import pytest

from bot.domain.bases.image import read_document
from bot.domain.failure import Failure
from bot.images.sbom.reading import read_sbom
from bot.images.scanners.reading import read_report
from bot.images.vex.statements import read_vex
from tests.unit.images.reports import finding

TRIVY = json.dumps({"SchemaVersion": 2, "Results": [{"Target": "shop", "Vulnerabilities": [finding()]}]})
VEX = json.dumps(
    {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "statements": [{"vulnerability": "CVE-2026-1", "status": "affected"}],
    }
)
CYCLONEDX = json.dumps({"bomFormat": "CycloneDX", "components": []})
MANIFEST = json.dumps({"schemaVersion": 2, "config": {"digest": "sha256:" + "0" * 64}, "layers": []})
READERS: dict[str, tuple[Callable[[bytes], object], str, str]] = {
    "a report that lists nothing, too": (
        lambda data: read_report(data, "report.json"),
        TRIVY,
        ', "Results": []}',
    ),
    "a statement that excuses, too": (
        lambda data: read_vex(data, "vex.json"),
        VEX.replace('"status": "affected"', '"status": "affected", "status": "fixed"'),
        "}",
    ),
    "an SBOM with two lists": (lambda data: read_sbom(data, "sbom.json"), CYCLONEDX, ', "components": []}'),
    "a manifest with two lists of layers": (
        lambda data: read_document(data, "shop:1"),
        MANIFEST,
        ', "layers": []}',
    ),
}


@pytest.mark.parametrize("name", READERS)
def test_a_member_that_is_named_twice_makes_a_document_malformed(name: str) -> None:
    read, text, rest = READERS[name]
    with pytest.raises(Failure):
        read((text[:-1] + rest).encode())


def test_the_member_is_named_in_what_is_said() -> None:
    with pytest.raises(Failure, match="a member is named twice: 'Results'"):
        read_report((TRIVY[:-1] + ', "Results": []}').encode(), "report.json")
