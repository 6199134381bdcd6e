"""How scanners word a result of SARIF, which has no fields for packages.

Trivy's has the package and its versions in the text of each result, Grype's and that of Trivy's template in the
help of each result's rule, Docker Scout's in lines of the text with a package URL. osv-scanner's and Snyk's name
the package in a sentence; of the rule's help, the one has each record's fixes, the other a sentence on what to do.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from bot.images.sbom.package_url import read_package_url
from bot.images.scanners.report import aliases_among, bounded_line

_LONGEST_MESSAGE = 8192
_LONGEST_HELP = 65_536
_KNOWN = re.compile("trivy|grype|docker scout|osv-scanner|snyk (?:container|open source)", re.IGNORECASE)
_LINE = re.compile(r"^(Package|(?:Installed )?Version|Severity|(?:Fixed|Fix) Version): ?(.*)$", re.MULTILINE)
_HELP = re.compile(r"Vulnerability (\S{1,100})\n")
_SHORTER = {"Version": "Installed Version", "Fix Version": "Fixed Version"}
"""Grype's words for Trivy's."""
_FOUND = re.compile(r" package: (?P<package>\S{1,200}), version (?P<version>\S{1,200}) was found ")
"""How Grype says in a result's text which version it is: a rule may be about several."""
_SCOUT = re.compile(r"^ {1,8}(Vulnerability|Severity|Package|Fixed version) {1,20}: (.*)$", re.MULTILINE)
_SCOUT_UNFIXED = "not fixed"
_OSV = re.compile(
    r"Package '(?P<package>[^'\s]{1,200})@(?P<version>[^'\s@]{1,200})' is vulnerable to '(?P<id>\S+)'"
)
_OSV_PACKAGES = "\n### Affected Packages\n"
_OSV_FIXES = "\n### Fixed Versions\n"
_OF_ANY_RELEASE = re.compile("(CVE|GHSA|GO|PYSEC|RUSTSEC|MAL|BIT)-")
"""Records of osv.dev whose fixes hold wherever a package is installed; a distribution's differ by its releases."""
_SNYK = re.compile(r"This file introduces a vulnerable \S{1,200} package with a (?P<severity>\w{1,20}) severity ")
_SNYK_ABOUT = re.compile(r"(?:\((?P<cves>[^()\s]{1,500})\) )?(?P<package>\S{1,200})@(?P<version>[^@\s]{1,200})")
_SNYK_FIXED = re.compile(r"^Upgrade [^\n]{1,300} to version (?P<fixed>[^\n]{1,300}?) or higher\.", re.MULTILINE)
_SNYK_UNFIXED = re.compile(r"^There is no fixed version for ", re.MULTILINE)
_UNREAD = "a result names no package and version, as those of Trivy, Grype, Docker Scout, Snyk and osv-scanner do"


@dataclass(frozen=True, slots=True)
class ToldResult:
    """What a result tells; `fixed`, `severity` and `package_url` are empty where it does not."""

    id: str
    package: str
    installed: str
    fixed: str = ""
    severity: str = ""
    package_url: str = ""
    aliases: tuple[str, ...] = ()


def looks_for_vulnerabilities(tool: str) -> bool:
    """Whether a tool of that name is a scanner that says something where it finds nothing."""
    return _KNOWN.search(tool) is not None


def told_of(result: object, name: str, rule: Mapping[str, Any]) -> ToldResult | str:
    """Reads what a result of the rule of that name tells, or why that cannot be told."""
    message = _text_under(result, "message")
    reading = (
        _of_scout(message)
        or _of_osv(message, rule)
        or _of_snyk(message, name, rule)
        or _of_lines(message, name, rule)
    )
    return reading or _UNREAD


def _of_lines(message: str, name: str, rule: Mapping[str, Any]) -> ToldResult | None:
    """What the lines of a result's text say, or those of its rule's help, which name the vulnerability first."""
    fields = _lines(message)
    if "Package" not in fields:
        explained = _text_under(rule, "help")
        heading = _HELP.match(explained)
        if heading is not None:
            match = _FOUND.search(message)
            own = {} if match is None else {"Package": match["package"], "Installed Version": match["version"]}
            fields = {**_lines(explained), **own}
            name = bounded_line(heading[1])
    package, installed = fields.get("Package", ""), fields.get("Installed Version", "")
    if not name or not package or not installed:
        return None
    return ToldResult(name, package, installed, fields.get("Fixed Version", ""), fields.get("Severity", ""))


def _lines(text: str) -> dict[str, str]:
    """The first line of each name: what follows is a description that anybody may have written."""
    return {_SHORTER.get(key, key): bounded_line(value.strip()) for key, value in reversed(_LINE.findall(text))}


def _of_scout(message: str) -> ToldResult | None:
    pairs = [(key, bounded_line(value.strip())) for key, value in _SCOUT.findall(message)]
    values = dict(pairs)
    url, name = values.get("Package", ""), values.get("Vulnerability", "")
    read = read_package_url(url, "") if url.startswith("pkg:") and len(values) == len(pairs) else None
    if read is None or not name or not read[0].version:
        return None
    fixed = values.get("Fixed version", "")
    severity = values.get("Severity", "")
    fixed = "" if fixed == _SCOUT_UNFIXED else fixed
    return ToldResult(name, read[0].name, read[0].version, fixed, severity, url)


def _of_osv(message: str, rule: Mapping[str, Any]) -> ToldResult | str | None:
    """What osv-scanner tells, unless a distribution's fixes are all that is known: for which of its releases they
    are is not said."""
    match = _OSV.match(message)
    if match is None:
        return None
    name, package, installed = (bounded_line(match[key]) for key in ("id", "package", "version"))
    fix_rows = _osv_fixes(_text_under(rule, "help", "markdown"))
    if fix_rows is None:
        return None
    fixes = [row for row in fix_rows if _folded(row[1]) == _folded(package)]
    if any(_OF_ANY_RELEASE.match(record) is None for record, _, _ in fixes):
        return f"osv-scanner does not say in SARIF for which release {name} is fixed; scan with Trivy or Grype"
    aliases = aliases_among(rule.get("deprecatedIds"))
    return ToldResult(name, package, installed, ", ".join(dict.fromkeys(row[2] for row in fixes)), aliases=aliases)


def _of_snyk(message: str, name: str, rule: Mapping[str, Any]) -> ToldResult | str | None:
    """What Snyk tells; a rule of one CVE goes by that. What is to be done is what its database says last."""
    match = _SNYK.match(message)
    about = _SNYK_ABOUT.fullmatch(_text_under(rule, "fullDescription"))
    if match is None or about is None or not name:
        return None
    fixed = _snyk_fix(_text_under(rule, "help", "markdown"))
    if fixed is None:
        return f"Snyk does not say in SARIF whether there is a fix of {name}; scan with Trivy or Grype"
    cves = (about["cves"] or "").split(",")
    cve_or_name = cves[0] if len(cves) == 1 and cves[0].startswith("CVE-") else name
    package, installed = bounded_line(about["package"]), bounded_line(about["version"])
    return ToldResult(bounded_line(cve_or_name), package, installed, bounded_line(fixed), match["severity"])


@lru_cache(maxsize=16)
def _snyk_fix(explained: str) -> str | None:
    """The fixed versions, empty where there is none; None where neither is said."""
    fixes = _SNYK_FIXED.findall(explained)
    return fixes[-1] if fixes else "" if _SNYK_UNFIXED.search(explained) else None


@lru_cache(maxsize=1024)
def _folded(package: str) -> str:
    """A name as NuGet and PyPI compare it: case and the signs between words do not count."""
    return re.sub("[-_.]+", "-", package).lower()


@lru_cache(maxsize=16)
def _osv_fixes(explained: str) -> list[tuple[str, str, str]] | None:
    """Record, package and versions of each row of the table of fixes, which comes last; None where it is another
    help. It is read once for all results of a rule."""
    if _OSV_PACKAGES not in explained:
        return None
    _, heading, table = explained.rpartition(_OSV_FIXES)
    if not heading:
        return []
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line.startswith("|")]
    return [(row[0], row[1], bounded_line(row[2])) for row in rows[2:] if len(row) == len(("id", "name", "fixed"))]


def _text_under(value: object, key: str, form: str = "text") -> str:
    inner = value.get(key) if isinstance(value, dict) else None
    text = inner.get(form) if isinstance(inner, dict) else None
    if not isinstance(text, str):
        return ""
    cut = text[:_LONGEST_MESSAGE] if form == "text" else text[-_LONGEST_HELP:]
    return cut.replace("\r\n", "\n")
