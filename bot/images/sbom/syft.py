"""Syft's own JSON, which `syft -o json` writes and Grype reads."""

from collections.abc import Mapping
from typing import Any

from bot.domain.packages.package import Inventory
from bot.images.packages.reading import listed, mapping, text
from bot.images.sbom.listing import ListedPackages


def is_syft(document: Mapping[str, Any]) -> bool:
    return "artifacts" in document and mapping(document.get("descriptor")).get("name") == "syft"


def read(document: Mapping[str, Any], where: str) -> Inventory:
    """The artifacts, which are packages; what was scanned stands apart."""
    found = ListedPackages(where)
    release = mapping(document.get("distro"))
    if named := text(release.get("id")):
        found.name_distribution(named, text(release.get("versionID")))
    for value in listed(document, "artifacts", where):
        artifact = mapping(value)
        name, version, url = (text(artifact.get(key)) for key in ("name", "version", "purl"))
        found.add([url], name, version)
    return found.inventory()
