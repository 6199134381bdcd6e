"""CycloneDX (1.2 to 1.7) as JSON."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.domain.packages.package import Inventory
from bot.images.packages.reading import MOST_PACKAGES, items, listed, malformed, mapping, text
from bot.images.sbom.package_url import MAVEN_PARTING, ListedPackages, names_a_version

_NO_PACKAGES = frozenset(
    {"operating-system", "container", "file", "device", "device-driver", "firmware", "data", "platform"}
    | {"cryptographic-asset", "machine-learning-model"}
)
_TRIVY = "aquasecurity:trivy:"


def read(document: Mapping[str, Any], place: str) -> Inventory:
    """The components that are packages, nested ones too.

    `metadata.component` is what the document is about: a package where it has a package URL and a version.
    """
    listing = ListedPackages(place)
    for component in _components(document, place):
        kind, version = text(component.get("type")), text(component.get("version"))
        if kind == "operating-system":
            listing.name_distribution(text(component.get("name")), version)
        if kind in _NO_PACKAGES:
            continue
        urls, is_application = [text(component.get("purl"))], kind == "application"
        listing.add(urls, _name(component), version, source=_source(component), is_application=is_application)
    return listing.inventory()


def _components(document: Mapping[str, Any], place: str) -> Iterator[Mapping[str, Any]]:
    root = mapping(mapping(document.get("metadata")).get("component"))
    is_package = names_a_version([text(root.get("purl"))], text(root.get("version")))
    parts = [root] if is_package else items(root.get("components"))
    waiting = [mapping(each) for each in reversed([*parts, *listed(document, "components", place)])]
    count = 0
    while waiting:
        component = waiting.pop()
        count += 1
        if count > 2 * MOST_PACKAGES:
            raise malformed(f"has more than {2 * MOST_PACKAGES} components", place)
        yield component
        waiting += [mapping(each) for each in reversed(items(component.get("components")))]


def _name(component: Mapping[str, Any]) -> str:
    group, name = text(component.get("group")), text(component.get("name"))
    parting = MAVEN_PARTING if text(component.get("purl")).startswith("pkg:maven/") else "/"
    return f"{group}{parting}{name}" if group and name else name


def _source(component: Mapping[str, Any]) -> tuple[str, str] | None:
    """Trivy tells the source package in properties of its own, and not in the package URL."""
    properties = {
        text(mapping(entry).get("name")): text(mapping(entry).get("value"))
        for entry in items(component.get("properties"))[:100]
    }
    source, version, release, epoch = (
        properties.get(f"{_TRIVY}{key}", "") for key in ("SrcName", "SrcVersion", "SrcRelease", "SrcEpoch")
    )
    if not source:
        return None
    return source, "".join((f"{epoch}:" if epoch else "", version, f"-{release}" if release else ""))
