"""SPDX 3 (JSON-LD), as far as it tells packages: its elements are put in the form of SPDX 2 and read as that."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.domain.packages.package import Inventory
from bot.verify.packages.reading import malformed, mapping, text
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
    """The packages, without the roots that the document or an SBOM in it names.

    JSON-LD lets one value stand for a list of one, and an element where its name would. Raises `Failure` where
    there is no element at all.
    """
    elements = list(_objects(document))
    if not any("type" in each for each in elements):
        raise malformed("has no elements, as SPDX 3 has", where)
    holders = {_name(each) for each in elements if "rootElement" in each}
    roots = {_name(root) for each in elements for root in _several(each.get("rootElement"))}
    roots |= {right for kind, left, right in _relations(elements) if kind == _DESCRIBES and left in holders}
    relationships = [
        {"relationshipType": _PARENTS[kind], "spdxElementId": left, "relatedSpdxElement": right}
        for kind, left, right in _relations(elements)
        if kind in _PARENTS
    ]
    packages = [_entry(each) for each in elements if each.get("type") == _PACKAGE]
    named = {"packages": packages, "documentDescribes": sorted(roots), "relationships": relationships}
    return spdx.read(named, where)


def _objects(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every object of the document, in order, however deep."""
    waiting: list[object] = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            value = list(value.values())
        if isinstance(value, list):
            waiting += reversed(value)


def _several(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _name(element: object) -> str:
    """By which others name the element, which may stand there itself."""
    return text(element) or text(mapping(element).get("spdxId"))


def _relations(elements: list[dict[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """The kind of each relationship, and what it leads from and to."""
    for each in elements:
        for to in _several(each.get("to")):
            yield text(each.get("relationshipType")), _name(each.get("from")), _name(to)


def _entry(element: Mapping[str, Any]) -> dict[str, Any]:
    purpose = text(element.get("software_primaryPurpose"))
    others = [mapping(each) for each in _several(element.get("externalIdentifier"))]
    urls = [text(each.get("identifier")) for each in others if each.get("externalIdentifierType") == _PURL]
    if own := text(element.get("software_packageUrl")):
        urls.insert(0, own)
    return {
        "SPDXID": _name(element),
        "name": text(element.get("name")),
        "versionInfo": text(element.get("software_packageVersion")),
        "primaryPackagePurpose": _PURPOSES.get(purpose, purpose.upper()),
        "externalRefs": [{"referenceType": "purl", "referenceLocator": url} for url in urls],
    }
