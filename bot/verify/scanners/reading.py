"""A scanner's report, whatever its form."""

from bot.verify.packages.reading import malformed, read_any_json
from bot.verify.scanners.grype import read_grype
from bot.verify.scanners.report import Report
from bot.verify.scanners.sarif import read_sarif
from bot.verify.scanners.trivy import read_trivy


def read_report(data: bytes, where: str) -> Report:
    """Raises `Failure` for what is no report of a scanner."""
    match read_any_json(data, where):
        case {"runs": list(runs)}:
            return read_sarif(runs, where)
        case {"SchemaVersion": int(version)} if version != 2:
            raise malformed(f"is a Trivy report of the unknown schema version {version}", where)
        case ({"SchemaVersion": 2} | {"Results": list()}) as document:
            return read_trivy(document, document.get("Results"), where)
        case [*results] if all(isinstance(result, dict) and "Target" in result for result in results):
            return read_trivy({}, results, where)
        case ({"matches": _, "descriptor": {"name": "grype"}} | {"matches": list()}) as document:
            return read_grype(document, where)
        case _:
            raise malformed("is no report of Trivy or Grype, neither JSON nor SARIF", where)
