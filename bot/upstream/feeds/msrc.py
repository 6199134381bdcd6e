"""The Microsoft Security Response Center: the list of monthly documents, and one document (CVRF 1.1).

A document names products, each with an id: `.NET 8.0 installed on Linux`. A vulnerability refers to the ids
that it affects, and gives severity, score and fixed build for each. Only the products that container images
carry count here: .NET, ASP.NET Core and the SDK, not the .NET Framework and not Visual Studio.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from xml.etree.ElementTree import Element

from pydantic import Field, TypeAdapter, ValidationError

from bot.domain.feeds.advisory import Advisory, Evidence, Severity, worst
from bot.upstream.feeds.packages import ASPNET_IMAGES, LINUX, SDK_IMAGES, versions_in_order
from bot.upstream.feeds.reading import (
    CVE,
    MAX_ENTRIES,
    FeedShape,
    Notes,
    Parsed,
    UtcMoment,
    is_version,
    json_object,
    links,
    malformed_feed,
    one_line,
    web_address,
    xml_document,
)

SOURCE = "msrc"

_NAMESPACES = {
    "cvrf": "http://www.icasi.org/CVRF/schema/cvrf/1.1",
    "prod": "http://www.icasi.org/CVRF/schema/prod/1.1",
    "vuln": "http://www.icasi.org/CVRF/schema/vuln/1.1",
}
_PRODUCT = re.compile(
    r"(?:Microsoft )?(?P<name>ASP\.NET Core|\.NET(?: Core)?(?: SDK)?) v?[0-9]{1,3}\.[0-9]{1,3}(?P<rest>\b.*)", re.I
)
_SYSTEMS = {
    "windows": frozenset({"windows"}),
    "linux": LINUX,
    "mac os": frozenset({"macos"}),
    "macos": frozenset({"macos"}),
}
_INSTALLED_ON = re.compile(r"\bon (windows|linux|mac ?os)\b", re.I)
_CVE = re.compile(CVE)
_MOMENT: TypeAdapter[datetime] = TypeAdapter(UtcMoment)


@dataclass(frozen=True, slots=True)
class MonthlyDocument:
    """One row of the updates list."""

    released_at: datetime
    revised_at: datetime
    """When it was released, where the list does not tell."""
    url: str


@dataclass(frozen=True, slots=True)
class _Product:
    """What images carry of a product: families and systems as in `Advisory`."""

    families: frozenset[str]
    systems: frozenset[str]


class _UpdateRow(FeedShape):
    released_at: Annotated[UtcMoment | None, Field(alias="InitialReleaseDate")] = None
    revised_at: Annotated[UtcMoment | None, Field(alias="CurrentReleaseDate")] = None
    url: Annotated[str, Field(alias="CvrfUrl", max_length=1000)]


def parse_updates(data: bytes, seen_at: datetime, document: str = "MSRC updates") -> Parsed[MonthlyDocument]:
    """The list of monthly documents, newest first."""
    notes = Notes(document)
    rows = json_object(data, document).get("value")
    documents = []
    for place, row in notes.all_of(_UpdateRow, rows, "value"):
        url = web_address(row.url)
        if url is None:
            notes.add(place, "CvrfUrl is no address; the entry is skipped")
            continue
        released_at, revised_at = row.released_at or row.revised_at, row.revised_at or row.released_at
        if released_at is None or revised_at is None:
            notes.add(place, "tells no date; the entry counts as of today")
            released_at = revised_at = seen_at
        documents.append(MonthlyDocument(released_at, revised_at, url))
    newest_first = sorted(documents, key=lambda entry: (entry.released_at, entry.url), reverse=True)
    return Parsed(tuple(newest_first), notes.problems, len(rows or ()))


def to_read(
    documents: Iterable[MonthlyDocument], read_at: Mapping[str, datetime], since: datetime
) -> tuple[MonthlyDocument, ...]:
    """The documents first released after `since` that were never read, or were revised since `read_at`."""
    return tuple(
        document
        for document in documents
        if document.released_at >= since
        and (document.url not in read_at or document.revised_at > read_at[document.url])
    )


def parse(data: bytes, seen_at: datetime, document: str = "MSRC document") -> Parsed[Advisory]:
    """The .NET advisories of one monthly document; `entries` counts all its vulnerabilities.

    Raises `Failure` where it is no CVRF document.
    """
    notes = Notes(document)
    root = xml_document(data, document)
    if root.tag != f"{{{_NAMESPACES['cvrf']}}}cvrfdoc":
        raise malformed_feed(document, f"is no CVRF 1.1 document, its root is {root.tag}")
    identifier = _text(root, "cvrf:DocumentTracking/cvrf:Identification/cvrf:ID")
    if not identifier:
        raise malformed_feed(document, "has no DocumentTracking/Identification/ID")
    names = _product_names(root)
    products = {number: product for number, name in names.items() if (product := _product(name))}
    vulnerabilities = root.findall("vuln:Vulnerability", _NAMESPACES)
    if vulnerabilities and not names:
        raise malformed_feed(document, "lists vulnerabilities but no products")
    advisories = []
    for index, vulnerability in enumerate(vulnerabilities[:MAX_ENTRIES]):
        place = f"Vulnerability {vulnerability.get('Ordinal', index)}"
        affected = _list_affected_products(vulnerability)
        is_said = bool(affected)
        affected = affected or _list_remedied_products(vulnerability)
        relevant = {number: products[number] for number in affected if number in products}
        cve = _text(vulnerability, "vuln:CVE")
        if not _CVE.fullmatch(cve):
            if relevant:
                notes.add(place, f"{cve or 'nothing'} is no CVE number; the entry is skipped")
            continue
        if unknown := affected - names.keys() if is_said else set():
            notes.add(f"{place} ({cve})", f"affects the unlisted product {min(unknown)}; that product is skipped")
        if relevant and not is_said:
            notes.add(
                f"{place} ({cve})", "does not say which products it affects; those that it has a fix for count"
            )
        if relevant:
            proof = Evidence(SOURCE, one_line(f"{identifier} {cve}"), seen_at)
            advisories.append(_advisory(cve, vulnerability, relevant, proof, notes))
    if len(vulnerabilities) > MAX_ENTRIES:
        notes.add("", f"has {len(vulnerabilities)} vulnerabilities; those after {MAX_ENTRIES} are skipped")
    return Parsed(tuple(advisories), notes.problems, len(vulnerabilities))


def _product_names(root: Element) -> dict[str, str]:
    tree = root.find("prod:ProductTree", _NAMESPACES)
    if tree is None:
        return {}
    elements = tree.iter(f"{{{_NAMESPACES['prod']}}}FullProductName")
    return {product.get("ProductID", ""): (product.text or "").strip() for product in elements}


def _product(name: str) -> _Product | None:
    """None for a product that no .NET image carries. `.NET 8.0` may mean the runtime or the SDK."""
    match = _PRODUCT.fullmatch(name)
    if match is None:
        return None
    kind, suffix = match["name"].lower(), match["rest"]
    if "sdk" in kind or "sdk" in suffix.lower():
        families = SDK_IMAGES
    else:
        families = ASPNET_IMAGES if kind.startswith("asp") else frozenset()
    system = _INSTALLED_ON.search(suffix)
    return _Product(families, _SYSTEMS[system[1].lower()] if system else frozenset())


def _list_affected_products(vulnerability: Element) -> set[str]:
    statuses = vulnerability.findall("vuln:ProductStatuses/vuln:Status[@Type='Known Affected']", _NAMESPACES)
    return {number for status in statuses for number in _product_ids(status)}


def _list_remedied_products(vulnerability: Element) -> set[str]:
    fixes = vulnerability.findall("vuln:Remediations/vuln:Remediation", _NAMESPACES)
    return {number for fix in fixes for number in _product_ids(fix)}


def _advisory(
    cve: str, vulnerability: Element, products: Mapping[str, _Product], proof: Evidence, notes: Notes
) -> Advisory:
    published = _revisions(cve, vulnerability, notes)
    fixes = [
        remediation
        for remediation in vulnerability.findall("vuln:Remediations/vuln:Remediation", _NAMESPACES)
        if _product_ids(remediation) & products.keys()
    ]
    builds = [build for fix in fixes if (build := _text(fix, "vuln:FixedBuild"))]
    for build in builds:
        if not is_version(build):
            notes.add(cve, f"the fixed build {build} is no version; it is skipped")
    return Advisory(
        cve=cve,
        title=one_line(_text(vulnerability, "vuln:Title")),
        severity=_severity(cve, vulnerability, products, notes),
        score=_score(cve, vulnerability, products, notes),
        published_at=min(published, default=None),
        families=_what_all_say(product.families for product in products.values()),
        systems=_what_all_say(product.systems for product in products.values()),
        fixed_versions=versions_in_order(build for build in builds if is_version(build)),
        links=links(
            f"https://msrc.microsoft.com/update-guide/vulnerability/{cve}",
            *(_text(fix, "vuln:URL") for fix in fixes),
        ),
        evidence=(proof,),
    )


def _revisions(cve: str, vulnerability: Element, notes: Notes) -> list[datetime]:
    moments = []
    for date in vulnerability.findall("vuln:RevisionHistory/vuln:Revision/cvrf:Date", _NAMESPACES):
        text = (date.text or "").strip()
        if (moment := _moment(text)) is None:
            notes.add(cve, f"the revision date {text or '(empty)'} is none; it is skipped")
        else:
            moments.append(moment)
    return moments


def _severity(cve: str, vulnerability: Element, products: Mapping[str, _Product], notes: Notes) -> Severity | None:
    """The highest that any of the products has."""
    severities = []
    for threat in vulnerability.findall("vuln:Threats/vuln:Threat[@Type='Severity']", _NAMESPACES):
        if _product_ids(threat) & products.keys():
            word = _text(threat, "vuln:Description")
            severity = Severity.named(word)
            if severity is None:
                notes.add(cve, f"the severity {word or '(empty)'} is unknown; it is skipped")
            else:
                severities.append(severity)
    return worst(severities)


def _score(cve: str, vulnerability: Element, products: Mapping[str, _Product], notes: Notes) -> float | None:
    """The highest CVSS base score that any of the products has."""
    base_scores = []
    for scores in vulnerability.findall("vuln:CVSSScoreSets/vuln:ScoreSet", _NAMESPACES):
        if _product_ids(scores) & products.keys():
            text = _text(scores, "vuln:BaseScore")
            if re.fullmatch(r"10(\.0)?|[0-9](\.[0-9])?", text, re.ASCII):
                base_scores.append(float(text))
            else:
                notes.add(cve, f"the base score {text or '(empty)'} is none from 0 to 10; it is skipped")
    return max(base_scores, default=None)


def _what_all_say(values: Iterable[frozenset[str]]) -> frozenset[str]:
    """The union; empty, which means "not said", as soon as one of the products does not say."""
    collected = list(values)
    return frozenset().union(*collected) if all(collected) else frozenset()


def _product_ids(element: Element) -> set[str]:
    return {(number.text or "").strip() for number in element.findall("vuln:ProductID", _NAMESPACES)}


def _text(element: Element, path: str) -> str:
    return (element.findtext(path, "", _NAMESPACES) or "").strip()


def _moment(text: str) -> datetime | None:
    try:
        return _MOMENT.validate_python(text)
    except ValidationError:
        return None
