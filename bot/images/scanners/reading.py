"""A scanner's report, whatever its form."""

import re
from typing import Any

from bot.images.packages.reading import malformed, read_any_json
from bot.images.scanners.grype import read_grype
from bot.images.scanners.report import Report
from bot.images.scanners.sarif import read_sarif
from bot.images.scanners.trivy import read_trivy, read_trivy_of_cluster

_ADVICE = "have the scanner write JSON of its own, or SARIF"
_TEXT = re.compile(rb"\s*[^\s{\[\x00-\x1f\x80-\xff]")
"""How a table or a page begins, and no JSON of a scanner."""


def read_report(data: bytes, place: str) -> Report:
    """Reads a scanner's report, whatever its form. Raises `Failure` for what is none."""
    if _TEXT.match(data):
        raise malformed("is no report in JSON", place, _ADVICE)
    document = _unwrapped(read_any_json(data, place))
    match document:
        case {"runs": list(runs)}:
            return read_sarif(runs, place)
        case {"ClusterName": str()}:
            return read_trivy_of_cluster(document, place)
        case {"SchemaVersion": int(version)} if version != 2:
            raise malformed(f"is a Trivy report of the unknown schema version {version}", place)
        case {"SchemaVersion": 2} | {"Results": list()}:
            return read_trivy(document, document.get("Results"), place)
        case [*results] if all(isinstance(result, dict) and "Target" in result for result in results):
            return read_trivy({}, results, place)
        case {"matches": _, "descriptor": {"name": "grype"}} | {"matches": list()}:
            return read_grype(document, place)
        case {"bomFormat": _} | {"spdxVersion": _} | {"@context": _, "@graph": _}:
            fault = "is an SBOM: it lists packages, and not what is wrong with them"
            raise malformed(fault, place, "have a scanner read it (trivy sbom FILE --format json)")
        case _:
            raise malformed("is no report of Trivy or Grype, neither JSON nor SARIF", place, _ADVICE)


def _unwrapped(document: Any) -> Any:
    """Gives the report within what cosign attests of a scan; anything else as it is."""
    match document:
        case {"invocation": dict(), "scanner": {"result": dict(result)}}:
            return result
        case _:
            return document
