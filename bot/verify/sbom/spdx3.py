"""SPDX 3 (JSON-LD), as far as it tells packages: its elements are put in the form of SPDX 2 and read as that."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.domain.packages.package import Inventory
from bot.verify.packages.reading import items, mapping, text
from bot.verify.sbom import spdx

_CONTEXT = "https://spdx.org/rdf/3."
_PACKAGE = "software_Package"
_PURL = "packageUrl"
_PURPOSES = {"operatingSystem": "OPERATING-SYSTEM"}
_PARENTS = {"contains": "CONTAINS", "dependsOn": "DEPENDS_ON"}
_DESCRIBES = "describes"


def is_spdx_3(document: Mapping[str, Any]) -> bool:
    contexts = document.get("@context")
    named = contexts if isinstance(contexts, list) else [contexts]
    return any(text(each).startswith(_CONTEXT) for each in named)


def read(document: Mapping[str, Any], where: str) -> Inventory:
    """The packages, without the roots that the document or an SBOM in it names."""
    elements = [mapping(each) for each in items(document.get("@graph", [document]))]
    holders = {text(each.get("spdxId")) for each in elements if "rootElement" in each}
    roots = {text(root) for each in elements for root in items(each.get("rootElement"))}
    roots |= {right for kind, left, right in _relations(elements) if kind == _DESCRIBES and left in holders}
    relationships = [
        {"relationshipType": _PARENTS[kind], "spdxElementId": left, "relatedSpdxElement": right}
        for kind, left, right in _relations(elements)
        if kind in _PARENTS
    ]
    packages = [_entry(each) for each in elements if each.get("type") == _PACKAGE]
    named = {"packages": packages, "documentDescribes": sorted(roots), "relationships": relationships}
    return spdx.read(named, where)


def _relations(elements: list[dict[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """The kind of each relationship, and what it leads from and to."""
    for each in elements:
        for to in items(each.get("to")):
            yield text(each.get("relationshipType")), text(each.get("from")), text(to)


def _entry(element: Mapping[str, Any]) -> dict[str, Any]:
    purpose = text(element.get("software_primaryPurpose"))
    others = [mapping(each) for each in items(element.get("externalIdentifier"))]
    urls = [text(each.get("identifier")) for each in others if each.get("externalIdentifierType") == _PURL]
    if own := text(element.get("software_packageUrl")):
        urls.insert(0, own)
    return {
        "SPDXID": text(element.get("spdxId")),
        "name": text(element.get("name")),
        "versionInfo": text(element.get("software_packageVersion")),
        "primaryPackagePurpose": _PURPOSES.get(purpose, purpose.upper()),
        "externalRefs": [{"referenceType": "purl", "referenceLocator": url} for url in urls],
    }
