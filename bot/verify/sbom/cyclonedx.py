"""CycloneDX (1.2 to 1.7) as JSON."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.domain.packages.package import Distribution, Inventory, Package
from bot.verify.packages.reading import MOST_PACKAGES, Collection, items, listed, malformed, mapping, text
from bot.verify.sbom.package_url import MAVEN_PARTING, is_image_url, read_package_url

_NO_PACKAGES = frozenset(
    {"operating-system", "container", "file", "device", "device-driver", "firmware", "data", "platform"}
    | {"cryptographic-asset", "machine-learning-model"}
)
_TRIVY = "aquasecurity:trivy:"


def read(document: Mapping[str, Any], where: str) -> Inventory:
    """The components that are packages, nested ones too; `metadata.component` is what the document is about."""
    found = Collection(where)
    distributions: list[Distribution] = []
    for component in _components(document, where):
        kind, version = text(component.get("type")), text(component.get("version"))
        name = text(component.get("name"))
        if kind == "operating-system":
            distributions.insert(0, Distribution(name, version))
        if kind in _NO_PACKAGES:
            continue
        url = text(component.get("purl"))
        told = read_package_url(url, _name(component), version) if url else None
        if told is not None:
            package, distribution = told
            found.add(_with_source(package, component))
            if distribution is not None:
                distributions.append(distribution)
        elif not is_image_url(url) and (version or kind != "application"):
            found.add(Package("", _name(component), version))
    return found.inventory(next(iter(distributions), None))


def _components(document: Mapping[str, Any], where: str) -> Iterator[Mapping[str, Any]]:
    waiting = [mapping(each) for each in reversed(listed(document, "components", where))]
    seen = 0
    while waiting:
        component = waiting.pop()
        seen += 1
        if seen > 2 * MOST_PACKAGES:
            raise malformed(f"has more than {2 * MOST_PACKAGES} components", where)
        yield component
        waiting += [mapping(each) for each in reversed(items(component.get("components")))]


def _name(component: Mapping[str, Any]) -> str:
    group, name = text(component.get("group")), text(component.get("name"))
    parting = MAVEN_PARTING if text(component.get("purl")).startswith("pkg:maven/") else "/"
    return f"{group}{parting}{name}" if group and name else name


def _with_source(package: Package, component: Mapping[str, Any]) -> Package:
    """Trivy tells the source package in properties of its own, and not in the package URL."""
    if package.source is not None:
        return package
    told = {
        text(mapping(each).get("name")): text(mapping(each).get("value"))
        for each in items(component.get("properties"))[:100]
    }
    source, version, release, epoch = (
        told.get(f"{_TRIVY}{key}", "") for key in ("SrcName", "SrcVersion", "SrcRelease", "SrcEpoch")
    )
    if not source:
        return package
    written = "".join((f"{epoch}:" if epoch else "", version, f"-{release}" if release else ""))
    return Package(
        package.type, package.name, package.version, package.architecture, source, written or package.version
    )
