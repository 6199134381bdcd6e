"""SPDX 2.3 (and 2.2) as JSON."""

import re
from collections.abc import Mapping
from typing import Any

from bot.domain.packages.package import Distribution, Inventory, Package
from bot.verify.packages.reading import Collection, items, listed, mapping, text
from bot.verify.sbom.package_url import is_image_url, read_package_url

_DOCUMENT = "SPDXRef-DOCUMENT"
_NO_PACKAGES = frozenset({"OPERATING-SYSTEM", "OPERATING_SYSTEM", "CONTAINER", "FILE", "DEVICE", "FIRMWARE"})
_PARENTS = frozenset({"CONTAINS", "DEPENDS_ON"})
_NOTHING = frozenset({"", "NOASSERTION", "NONE"})
_SOURCE = re.compile(r"built package from: (\S+) (\S+)")
"""How Trivy writes the source package, which has no field of its own in SPDX."""


def read(document: Mapping[str, Any], where: str) -> Inventory:
    """The packages, without the document's root: what it describes, and what stands for the system or the image."""
    found = Collection(where)
    distributions: list[Distribution] = []
    roots = _roots(document)
    for value in listed(document, "packages", where):
        entry = mapping(value)
        name, version = text(entry.get("name")), text(entry.get("versionInfo"))
        purpose = text(entry.get("primaryPackagePurpose")).upper()
        if purpose.startswith("OPERATING"):
            distributions.insert(0, Distribution(name, version))
        if purpose in _NO_PACKAGES or text(entry.get("SPDXID")) in roots:
            continue
        urls = _package_urls(entry)
        told = next((told for url in urls if (told := read_package_url(url, name)) is not None), None)
        if told is not None:
            package, distribution = told
            found.add(_with_source(package, text(entry.get("sourceInfo"))))
            if distribution is not None:
                distributions.append(distribution)
        elif not any(map(is_image_url, urls)) and (version or purpose != "APPLICATION"):
            found.add(Package("", name, "" if version in _NOTHING else version))
    inventory = found.inventory()
    return Inventory(inventory.packages, next(iter(distributions), None), inventory.problems)


def _package_urls(entry: Mapping[str, Any]) -> list[str]:
    references = [mapping(value) for value in items(entry.get("externalRefs"))[:50]]
    return [text(each.get("referenceLocator")) for each in references if each.get("referenceType") == "purl"]


def _roots(document: Mapping[str, Any]) -> frozenset[str]:
    """What the document describes and what holds others itself, or has no package URL; else it is a package."""
    described = {text(name) for name in items(document.get("documentDescribes"))}
    holders = {
        text(mapping(each).get("SPDXID"))
        for each in items(document.get("packages"))
        if not _package_urls(mapping(each))
    }
    for value in items(document.get("relationships")):
        relation = mapping(value)
        kind, left, right = (
            text(relation.get(key)) for key in ("relationshipType", "spdxElementId", "relatedSpdxElement")
        )
        if kind == "DESCRIBES" and left == _DOCUMENT:
            described.add(right)
        elif kind == "DESCRIBED_BY" and right == _DOCUMENT:
            described.add(left)
        elif kind in _PARENTS:
            holders.add(left)
        elif kind == "CONTAINED_BY":
            holders.add(right)
    named = {name for name in described if name.startswith("SPDXRef-DocumentRoot")}
    return frozenset(described & holders | named)


def _with_source(package: Package, told: str) -> Package:
    found = _SOURCE.fullmatch(told)
    if found is None or package.source is not None:
        return package
    return Package(package.type, package.name, package.version, package.architecture, found[1], found[2])
