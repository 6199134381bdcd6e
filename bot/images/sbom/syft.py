"""Syft's own JSON, which `syft -o json` writes and Grype reads."""

from collections.abc import Mapping
from typing import Any

from bot.domain.packages.package import Inventory
from bot.images.packages.reading import listed, mapping, text
from bot.images.sbom.package_url import ListedPackages


def is_syft(document: Mapping[str, Any]) -> bool:
    return "artifacts" in document and mapping(document.get("descriptor")).get("name") == "syft"


def read(document: Mapping[str, Any], place: str) -> Inventory:
    """Reads the artifacts, which are packages; what was scanned stands apart."""
    listing = ListedPackages(place)
    release = mapping(document.get("distro"))
    if distribution_id := text(release.get("id")):
        listing.name_distribution(distribution_id, text(release.get("versionID")))
    for value in listed(document, "artifacts", place):
        artifact = mapping(value)
        name, version, url = (text(artifact.get(key)) for key in ("name", "version", "purl"))
        listing.add([url], name, version)
    return listing.inventory()
