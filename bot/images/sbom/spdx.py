"""SPDX 2.3 (and 2.2) as JSON."""

import re
from collections.abc import Mapping
from typing import Any

from bot.domain.packages.package import Inventory
from bot.images.packages.reading import items, listed, mapping, text
from bot.images.sbom.package_url import ListedPackages, names_a_version

_DOCUMENT = "SPDXRef-DOCUMENT"
_ROOT = "SPDXRef-DocumentRoot"
_NO_PACKAGES = frozenset({"OPERATING-SYSTEM", "OPERATING_SYSTEM", "CONTAINER", "FILE", "DEVICE", "FIRMWARE"})
_BY_IDENTIFIER = {
    "SPDXRef-OperatingSystem": "OPERATING-SYSTEM",
    "SPDXRef-ContainerImage": "CONTAINER",
    "SPDXRef-Application": "APPLICATION",
}
"""How Trivy says what an entry is where SPDX had no purposes, before 2.3."""
_PARENTS = frozenset({"CONTAINS", "DEPENDS_ON"})
_NOTHING = frozenset({"", "NOASSERTION", "NONE"})
_SOURCE = re.compile(r"built package from: (\S+) (\S+)")
"""How Trivy writes the source package, which has no field of its own in SPDX."""


def read(document: Mapping[str, Any], place: str) -> Inventory:
    """The packages, without the document's root, which stands for the whole, the system and the image."""
    listing = ListedPackages(place)
    roots = _roots(document)
    for value in listed(document, "packages", place):
        entry = mapping(value)
        name, version = text(entry.get("name")), _version(entry)
        purpose = _purpose(entry)
        if purpose.startswith("OPERATING"):
            listing.name_distribution(name, version)
        if purpose in _NO_PACKAGES or text(entry.get("SPDXID")) in roots:
            continue
        is_application = purpose == "APPLICATION"
        listing.add(_package_urls(entry), name, version, source=_source(entry), is_application=is_application)
    return listing.inventory()


def _version(entry: Mapping[str, Any]) -> str:
    version = text(entry.get("versionInfo"))
    return "" if version in _NOTHING else version


def _purpose(entry: Mapping[str, Any]) -> str:
    identifier = text(entry.get("SPDXID"))
    purposes = (purpose for start, purpose in _BY_IDENTIFIER.items() if identifier.startswith(start))
    return text(entry.get("primaryPackagePurpose")).upper() or next(purposes, "")


def _package_urls(entry: Mapping[str, Any]) -> list[str]:
    references = [mapping(value) for value in items(entry.get("externalRefs"))[:50]]
    return [text(each.get("referenceLocator")) for each in references if each.get("referenceType") == "purl"]


def _roots(document: Mapping[str, Any]) -> frozenset[str]:
    """What the document describes and what holds other packages, or is no more than a name.

    One with a package URL and a version is a package whatever it holds, as PostgreSQL and Elasticsearch are in the
    documents of their images. Of several that it describes without a package URL those are packages that have a
    version.
    """
    entries = {text(entry.get("SPDXID")): entry for entry in map(mapping, items(document.get("packages")))}
    described = {text(name) for name in items(document.get("documentDescribes"))}
    holders: set[str] = set()
    for value in items(document.get("relationships")):
        relation = mapping(value)
        kind, left, right = (
            text(relation.get(key)) for key in ("relationshipType", "spdxElementId", "relatedSpdxElement")
        )
        if kind == "DESCRIBES" and left == _DOCUMENT:
            described.add(right)
        elif kind == "DESCRIBED_BY" and right == _DOCUMENT:
            described.add(left)
        elif kind in _PARENTS and right in entries:
            holders.add(left)
        elif kind == "CONTAINED_BY" and left in entries:
            holders.add(right)
    described_entries = {name: entries[name] for name in described if name in entries}
    return frozenset(
        name
        for name, entry in described_entries.items()
        if name.startswith(_ROOT)
        or (name in holders and not names_a_version(_package_urls(entry), _version(entry)))
        or _is_only_named(entry, is_alone=len(described_entries) == 1)
    )


def _is_only_named(entry: Mapping[str, Any], *, is_alone: bool) -> bool:
    return not _package_urls(entry) and (is_alone or not _version(entry))


def _source(entry: Mapping[str, Any]) -> tuple[str, str] | None:
    match = _SOURCE.fullmatch(text(entry.get("sourceInfo")))
    return (match[1], match[2]) if match is not None else None
