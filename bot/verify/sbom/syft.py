"""Syft's own JSON, which `syft -o json` writes and Grype reads."""

from collections.abc import Mapping
from typing import Any

from bot.domain.packages.package import Distribution, Inventory, Package
from bot.verify.packages.reading import Collection, listed, mapping, text
from bot.verify.sbom.package_url import is_image_url, read_package_url


def is_syft(document: Mapping[str, Any]) -> bool:
    return "artifacts" in document and mapping(document.get("descriptor")).get("name") == "syft"


def read(document: Mapping[str, Any], where: str) -> Inventory:
    """The artifacts, which are packages; what was scanned stands apart."""
    found = Collection(where)
    distributions: list[Distribution] = []
    release = mapping(document.get("distro"))
    if named := text(release.get("id")):
        distributions.append(Distribution(named, text(release.get("versionID"))))
    for value in listed(document, "artifacts", where):
        artifact = mapping(value)
        name, version, url = (text(artifact.get(key)) for key in ("name", "version", "purl"))
        told = read_package_url(url, name, version) if url else None
        if told is not None:
            package, distribution = told
            found.add(package)
            if distribution is not None:
                distributions.append(distribution)
        elif not is_image_url(url):
            found.add(Package("", name, version))
    return found.inventory(next(iter(distributions), None))
