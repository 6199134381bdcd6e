"""Writes what the bot found itself as an SBOM: SPDX 2.3, or CycloneDX 1.6, as JSON.

The same inventory at the same moment gives the same document.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.domain.packages.package import Inventory, Package
from bot.images.packages.reading import items, mapping, text
from bot.images.sbom.package_url import package_url

_TOOL = "freshness-bot"
_NAMESPACE = uuid.UUID("6f4b9e1c-3f0e-5b0a-9d5d-0c6f5a1f7a54")
_UNKNOWN = "NOASSERTION"
_PROBLEM = f"{_TOOL}:problem"
_INCOMPLETE = "This list is not complete:"
_MOST_PROBLEMS = 20
_LONGEST_PROBLEM = 512


def as_spdx(inventory: Inventory, name: str, moment: datetime, version: str) -> dict[str, Any]:
    """Writes an inventory as SPDX; `name` is what was looked at, `version` the bot's own."""
    packages = [_spdx_root(name), *_spdx_system(inventory)]
    described = [_relation("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-DocumentRoot")]
    for number, package in enumerate(inventory.packages, 1):
        packages.append(_spdx_package(package, f"SPDXRef-Package-{number}", inventory))
    contained = [_relation("SPDXRef-DocumentRoot", "CONTAINS", each["SPDXID"]) for each in packages[1:]]
    creation: dict[str, Any] = {"created": _write_time(moment), "creators": [f"Tool: {_TOOL}-{version}"]}
    if inventory.problems:
        creation["comment"] = "\n".join((_INCOMPLETE, *inventory.problems))
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": name,
        "documentNamespace": f"urn:uuid:{_identity(inventory, name, moment)}",
        "creationInfo": creation,
        "packages": packages,
        "relationships": described + contained,
    }


def _spdx_root(name: str) -> dict[str, Any]:
    return {
        "SPDXID": "SPDXRef-DocumentRoot",
        "name": name,
        "downloadLocation": _UNKNOWN,
        "filesAnalyzed": False,
        "primaryPackagePurpose": "CONTAINER",
    }


def _spdx_system(inventory: Inventory) -> Sequence[dict[str, Any]]:
    system = inventory.distribution
    if system is None:
        return ()
    entry = {
        "SPDXID": "SPDXRef-OperatingSystem",
        "name": system.id,
        "downloadLocation": _UNKNOWN,
        "filesAnalyzed": False,
        "primaryPackagePurpose": "OPERATING-SYSTEM",
    }
    return ({**entry, "versionInfo": system.version} if system.version else entry,)


def _spdx_package(package: Package, identifier: str, inventory: Inventory) -> dict[str, Any]:
    url = package_url(package, inventory.distribution)
    entry: dict[str, Any] = {
        "SPDXID": identifier,
        "name": package.name,
        "downloadLocation": _UNKNOWN,
        "filesAnalyzed": False,
        "primaryPackagePurpose": "LIBRARY",
    }
    if package.version:
        entry["versionInfo"] = package.version
    if package.source and package.source_version:
        entry["sourceInfo"] = f"built package from: {package.source} {package.source_version}"
    if url:
        reference = {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": url}
        entry["externalRefs"] = [reference]
    return entry


def _relation(left: str, kind: str, right: str) -> dict[str, str]:
    return {"spdxElementId": left, "relationshipType": kind, "relatedSpdxElement": right}


def as_cyclonedx(inventory: Inventory, name: str, moment: datetime, version: str) -> dict[str, Any]:
    """Writes an inventory as CycloneDX; `name` is what was looked at, `version` the bot's own."""
    components: list[dict[str, Any]] = []
    if inventory.distribution is not None:
        system = inventory.distribution
        components.append(
            {"type": "operating-system", "bom-ref": "system", "name": system.id}
            | ({"version": system.version} if system.version else {})
        )
    for number, package in enumerate(inventory.packages, 1):
        components.append(_component(package, f"package-{number}", inventory))
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{_identity(inventory, name, moment)}",
        "version": 1,
        "metadata": {
            "timestamp": _write_time(moment),
            "tools": {"components": [{"type": "application", "name": _TOOL, "version": version}]},
            "component": {"type": "container", "bom-ref": "image", "name": name},
        },
        "components": components,
        "compositions": [{"aggregate": _aggregate(inventory), "assemblies": ["image"]}],
    }
    if inventory.problems:
        document["metadata"]["properties"] = [
            {"name": _PROBLEM, "value": problem} for problem in inventory.problems
        ]
    return document


def _aggregate(inventory: Inventory) -> str:
    """How much of the image is listed; where no package was found, something may be in it that nothing tells of."""
    if inventory.problems:
        return "incomplete"
    return "complete" if inventory.packages else "unknown"


def problems_told(document: Mapping[str, Any]) -> tuple[str, ...]:
    """What could not be read when one of these documents was written; nothing of any other SBOM."""
    head, *problems = text(mapping(document.get("creationInfo")).get("comment")).split("\n", _MOST_PROBLEMS + 1)
    if head != _INCOMPLETE:
        properties = map(mapping, items(mapping(document.get("metadata")).get("properties")))
        problems = [text(each.get("value")) for each in properties if each.get("name") == _PROBLEM]
    return tuple(_drop_unprintable(problem[:_LONGEST_PROBLEM]) for problem in problems[:_MOST_PROBLEMS])


def _drop_unprintable(problem: str) -> str:
    """Puts a blank for each letter that can neither be kept nor shown: anybody could have written it."""
    return "".join(letter if letter.isprintable() else " " for letter in problem)


def _component(package: Package, reference: str, inventory: Inventory) -> dict[str, Any]:
    url = package_url(package, inventory.distribution)
    component = {"type": "library", "bom-ref": reference, "name": package.name}
    if package.version:
        component["version"] = package.version
    if url:
        component["purl"] = url
    return component


def _identity(inventory: Inventory, name: str, moment: datetime) -> uuid.UUID:
    content = "\n".join((name, _write_time(moment), *(repr(package) for package in inventory.packages)))
    return uuid.uuid5(_NAMESPACE, content)


def _write_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
