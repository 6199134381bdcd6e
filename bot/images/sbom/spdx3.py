"""SPDX 3 (JSON-LD), as far as it tells packages: its elements are put in the form of SPDX 2 and read as that."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.domain.packages.package import Inventory
from bot.images.packages.reading import malformed, mapping, text
from bot.images.sbom import spdx

_CONTEXT = "https://spdx.org/rdf/3."
_PACKAGE = "software_Package"
_PURL = "packageUrl"
_PURPOSES = {"operatingSystem": "OPERATING-SYSTEM"}
_PARENTS = {"contains": "CONTAINS", "dependsOn": "DEPENDS_ON"}
_DESCRIBES = "describes"
_DEEPEST = 64


def is_spdx_3(document: Mapping[str, Any]) -> bool:
    contexts = document.get("@context")
    names = contexts if isinstance(contexts, list) else [contexts]
    return any(text(each).startswith(_CONTEXT) for each in names)


def read(document: Mapping[str, Any], place: str) -> Inventory:
    """The packages, without the roots that the document or an SBOM in it names.

    JSON-LD lets one value stand for a list of one and the other way round, an element where its name would, and
    what is said of one element stand in several places. Raises `Failure` where there is no element at all.
    """
    elements = _each_once(_objects(document, place))
    if not any(map(_type, elements)):
        raise malformed("has no elements, as SPDX 3 has", place)
    holders = {_name(each) for each in elements if "rootElement" in each}
    roots = {_name(root) for each in elements for root in _several(each.get("rootElement"))}
    roots |= {right for kind, left, right in _relations(elements) if kind == _DESCRIBES and left in holders}
    relationships = [
        {"relationshipType": _PARENTS[kind], "spdxElementId": left, "relatedSpdxElement": right}
        for kind, left, right in _relations(elements)
        if kind in _PARENTS
    ]
    by_name = {name: each for each in elements if (name := _name(each))}
    packages = [_entry(each, by_name) for each in elements if _type(each) == _PACKAGE]
    as_spdx_2 = {"packages": packages, "documentDescribes": sorted(roots), "relationships": relationships}
    return spdx.read(as_spdx_2, place)


def _objects(document: Mapping[str, Any], place: str) -> Iterator[dict[str, Any]]:
    """Every object of the document, in order. Raises `Failure` for one that lies deeper than any does."""
    waiting: list[tuple[object, int]] = [(document, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > _DEEPEST:
            raise malformed(f"nests its elements deeper than {_DEEPEST} levels", place)
        if isinstance(value, dict):
            yield value
            value = list(value.values())
        if isinstance(value, list):
            waiting += ((each, depth + 1) for each in reversed(value))


def _each_once(objects: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is said of one name put together, unless that contradicts itself, in the order of its first word."""
    by_name: dict[str, dict[str, Any]] = {}
    elements: list[dict[str, Any]] = []
    for element in objects:
        earlier_element = by_name.get(_name(element))
        if earlier_element is not None and all(
            earlier_element.get(key, value) == value for key, value in element.items()
        ):
            earlier_element.update(element)
            continue
        own = dict(element)
        elements.append(own)
        if name := _name(element):
            by_name[name] = own
    return elements


def _several(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _one(value: object) -> str:
    """Gives the text that a value is, also as a list of one; empty where it is none."""
    return text(value[0] if isinstance(value, list) and len(value) == 1 else value)


def _type(element: Mapping[str, Any]) -> str:
    return _one(element.get("type")) or _one(element.get("@type"))


def _name(element: object) -> str:
    """Gives the name that other elements use for this one, which may stand there itself."""
    if isinstance(element, list) and len(element) == 1:
        element = element[0]
    return text(element) or text(mapping(element).get("spdxId")) or text(mapping(element).get("@id"))


def _relations(elements: list[dict[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """Yields the kind of each relationship, and what it leads from and to."""
    for element in elements:
        for to in _several(element.get("to")):
            yield _one(element.get("relationshipType")), _name(element.get("from")), _name(to)


def _entry(element: Mapping[str, Any], by_name: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    purpose = _one(element.get("software_primaryPurpose"))
    others = [by_name.get(_name(each)) or mapping(each) for each in _several(element.get("externalIdentifier"))]
    urls = [_one(each.get("identifier")) for each in others if _one(each.get("externalIdentifierType")) == _PURL]
    if own := _one(element.get("software_packageUrl")):
        urls.insert(0, own)
    return {
        "SPDXID": _name(element),
        "name": _one(element.get("name")),
        "versionInfo": _one(element.get("software_packageVersion")),
        "primaryPackagePurpose": _PURPOSES.get(purpose, purpose.upper()),
        "externalRefs": [{"referenceType": "purl", "referenceLocator": url} for url in urls],
    }
