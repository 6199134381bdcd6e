"""Microsoft's structured disclosure of a month's .NET CVEs (`cve.json` beside the release notes)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from bot.domain.feeds.advisory import Advisory, Evidence, Severity
from bot.upstream.feeds.packages import ASPNET_IMAGES, LINUX, RUNTIME_IMAGES, SDK_IMAGES, versions_in_order
from bot.upstream.feeds.reading import (
    Cve,
    FeedShape,
    Notes,
    OneLine,
    Parsed,
    UtcMoment,
    Version,
    json_object,
    links,
)

SOURCE = "dotnet-cve"

_FAMILIES = {
    "dotnet-runtime": RUNTIME_IMAGES,
    "dotnet-aspnetcore": ASPNET_IMAGES,
    "dotnet-sdk": SDK_IMAGES,
}
_SYSTEMS = {
    "all": LINUX | {"windows", "macos"},
    "linux": LINUX,
    "windows": frozenset({"windows"}),
    "macos": frozenset({"macos"}),
}


class _Cvss(FeedShape):
    score: Annotated[float, Field(ge=0, le=10)] | None = None
    severity: OneLine | None = None


class _Authority(FeedShape):
    severity: OneLine | None = None


class _Milestone(FeedShape):
    date: UtcMoment | None = None


class _Timeline(FeedShape):
    disclosure: _Milestone | None = None


class _Disclosure(FeedShape):
    id: Cve
    problem: OneLine = ""
    cvss: _Cvss | None = None
    cna: _Authority | None = None
    timeline: _Timeline | None = None
    platforms: Any = None
    references: Any = None


class _Product(FeedShape):
    cve_id: Cve | None = None
    name: OneLine = ""
    fixed: Version | None = None


def parse(data: bytes, seen_at: datetime, document: str = "cve.json") -> Parsed[Advisory]:
    """The advisories of one month. Raises `Failure` where the document lists no disclosures."""
    notes = Notes(document)
    value = json_object(data, document)
    disclosures = notes.all_of(_Disclosure, value.get("disclosures"), "disclosures")
    before = notes.count
    products: dict[str | None, list[_Product]] = {}
    for _, product in notes.each(_Product, value.get("products"), "products"):
        products.setdefault(product.cve_id, []).append(product)
    are_whole = notes.count == before or (None not in products and _all_are_read(value["products"], products))
    advisories = tuple(
        _advisory(disclosure, products.get(disclosure.id, []), are_whole, seen_at, notes, place)
        for place, disclosure in disclosures
    )
    return Parsed(advisories, notes.problems, len(value["disclosures"]))


def _advisory(
    disclosure: _Disclosure,
    products: list[_Product],
    are_whole: bool,
    seen_at: datetime,
    notes: Notes,
    place: str,
) -> Advisory:
    """Where not all products can be told, no families are said: the one that is missing may be this one's.

    The vendor's own rating counts; the one that CVSS derives from the score only stands in for it."""
    vendor = _severity(disclosure.cna, notes, place)
    derived = _severity(disclosure.cvss, notes, place)
    disclosed = disclosure.timeline.disclosure if disclosure.timeline else None
    references = disclosure.references if isinstance(disclosure.references, list) else []
    return Advisory(
        cve=disclosure.id,
        title=disclosure.problem,
        severity=vendor or derived,
        score=disclosure.cvss.score if disclosure.cvss else None,
        published_at=disclosed.date if disclosed else None,
        families=_families(products, notes, place) if are_whole else frozenset(),
        systems=_systems(disclosure.platforms, notes, place),
        fixed_versions=versions_in_order(product.fixed for product in products if product.fixed),
        links=links(*references),
        evidence=(Evidence(SOURCE, disclosure.id, seen_at),),
    )


def _all_are_read(entries: object, products: Mapping[str | None, list[_Product]]) -> bool:
    return isinstance(entries, list) and len(entries) == sum(map(len, products.values()))


def _severity(rating: _Cvss | _Authority | None, notes: Notes, place: str) -> Severity | None:
    severity = Severity.named(rating.severity) if rating else None
    if rating and rating.severity and severity is None:
        notes.add(place, f"the severity {rating.severity} is unknown; it is skipped")
    return severity


def _families(products: list[_Product], notes: Notes, place: str) -> frozenset[str]:
    """Empty, which means "not said", where a product is none that is known here."""
    unknown = sorted({product.name for product in products if product.name not in _FAMILIES})
    for name in unknown:
        notes.add(place, f"names the unknown product {name}; its families count as not said")
    if unknown:
        return frozenset()
    return frozenset().union(*(_FAMILIES[product.name] for product in products))


def _systems(platforms: object, notes: Notes, place: str) -> frozenset[str]:
    if platforms is not None and not isinstance(platforms, list):
        notes.add(place, "its platforms should be a list; its systems count as not said")
    names = platforms if isinstance(platforms, list) else []
    unknown = [str(name) for name in names if not isinstance(name, str) or name.lower() not in _SYSTEMS]
    if unknown:
        notes.add(place, f"names the unknown platform {unknown[0]}; its systems count as not said")
        return frozenset()
    return frozenset().union(*(_SYSTEMS[name.lower()] for name in names))
