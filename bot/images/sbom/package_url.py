"""Packages as package URLs, and how every form of SBOM lists a package: by such a URL, else by a bare name."""

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from bot.domain.packages.package import Distribution, Inventory, Package, PackageType
from bot.images.packages.reading import Collection

_LONGEST = 2048
_TYPES = {"alpine": "apk"}
"""How older tools write a type."""
_IMAGES = frozenset({"oci", "docker"})
_SYSTEM_PACKAGES = frozenset({PackageType.DEB, PackageType.RPM, PackageType.APK})
_OWN_NAMES = _SYSTEM_PACKAGES | {PackageType.NUGET}
"""Types whose name is whole without the namespace, which says who distributes it, or nothing."""
_MAVEN = "maven"
MAVEN_PARTING = ":"
"""Between the group and the name of a package of Maven, as its own tools write it, and Trivy in SPDX."""
_SOURCE_RPM = re.compile(r"(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm")


def is_image_url(url: str) -> bool:
    """Whether the URL names an image, as that of a document's subject does: no package."""
    return url.strip().lower().removeprefix("pkg:").lstrip("/").startswith(tuple(f"{each}/" for each in _IMAGES))


def names_a_version(urls: Iterable[str], version: str) -> bool:
    """Whether one of the URLs is that of a package, with a version in it or beside it."""
    pairs = (read_package_url(url, "", version) for url in urls)
    return any(each is not None and bool(each[0].version) for each in pairs)


def read_package_url(url: str, name: str, version: str = "") -> tuple[Package, Distribution | None] | None:
    """The package and the distribution that it is for; None where it is no package URL, or that of an image.

    An epoch may stand in a qualifier: of rpm as the specification has it, of Debian as Trivy writes it.
    `name` is what the document calls it: what counts for types that have a namespace within the name. `version` is
    the document's, for URLs that have none.
    """
    from packageurl import PackageURL

    if len(url) > _LONGEST:
        return None
    try:
        parts = PackageURL.from_string(url)
    except ValueError:
        return None
    kind = _TYPES.get(parts.type, parts.type)
    if kind in _IMAGES:
        return None
    qualifiers = parts.qualifiers if isinstance(parts.qualifiers, dict) else {}
    version = parts.version or version
    epoch = qualifiers.get("epoch", "")
    if kind in (PackageType.RPM, PackageType.DEB) and epoch.strip("0") and ":" not in version:
        version = f"{epoch}:{version}"
    source, source_version = _upstream(qualifiers.get("upstream", ""))
    package = Package(
        kind,
        parts.name if kind in _OWN_NAMES else name or parts.name,
        version,
        qualifiers.get("arch"),
        source,
        source_version or (version if source and kind in (PackageType.DEB, PackageType.APK) else None),
    )
    return package, distribution_named(qualifiers.get("distro", ""), parts.namespace or "")


def _upstream(text: str) -> tuple[str | None, str | None]:
    """Reads a source package, written `openssl`, `gcc-14@14.2.0-19`, or rpm's `vim-9.0-1.src.rpm`."""
    match = _SOURCE_RPM.fullmatch(text)
    if match is not None:
        return match[1], match[2]
    source, _, version = text.partition("@")
    return source or None, version or None


def distribution_named(text: str, namespace: str) -> Distribution | None:
    """`debian-12.9`, or Trivy's `3.22.0` beside Alpine's namespace; a code name alone (`noble`) says no more."""
    if text[:1].isdigit() and namespace:
        return Distribution(namespace, text)
    name, _, version = text.partition("-")
    return Distribution(name, version) if name else None


@lru_cache(maxsize=16_384)
def package_url(package: Package, distribution: Distribution | None) -> str | None:
    """Makes a package URL, once for all images that hold the package; None where nothing but a name is known."""
    from packageurl import PackageURL

    if not package.type:
        return None
    version, qualifiers = package.version, {}
    if package.architecture:
        qualifiers["arch"] = package.architecture
    if package.type == PackageType.RPM:
        epoch, colon, bare_version = version.partition(":")
        if colon:
            version, qualifiers["epoch"] = bare_version, epoch
    namespace = None
    if package.type in _SYSTEM_PACKAGES:
        if distribution is not None:
            namespace = distribution.id
            qualifiers["distro"] = f"{distribution.id}-{distribution.version}".rstrip("-")
        if package.source and (package.source, package.source_version) != (package.name, package.version):
            qualifiers["upstream"] = _written_upstream(package)
    name = package.advisory_name
    if package.type == _MAVEN and MAVEN_PARTING in name:
        namespace, _, name = name.partition(MAVEN_PARTING)
    return PackageURL(package.type, namespace, name, version or None, qualifiers).to_string()


def _written_upstream(package: Package) -> str:
    if package.type == PackageType.RPM:
        return f"{package.source}-{package.source_version}.src.rpm"
    if package.source_version in (None, package.version):
        return str(package.source)
    return f"{package.source}@{package.source_version}"


class ListedPackages:
    """The packages of one document and their distribution, as its reader finds them."""

    def __init__(self, place: str) -> None:
        self._packages = Collection(place)
        self._named_distribution: Distribution | None = None
        self._distribution_by_urls: Distribution | None = None

    def name_distribution(self, name: str, version: str) -> None:
        """Notes what the document itself calls the distribution, which counts before what package URLs say."""
        self._named_distribution = Distribution(name, version)

    def add(
        self,
        urls: Iterable[str],
        name: str,
        version: str,
        *,
        source: tuple[str, str] | None = None,
        is_application: bool = False,
    ) -> None:
        """Takes in what one entry stands for: the package of its first package URL, else one of its name alone.

        What has the URL of an image is no package, nor is an application without a version: a file that lists
        others. `source` is the name and version of the source package, for URLs that do not tell it; without a
        version it has that of the package.
        """
        nonempty_urls = [*filter(None, urls)]
        pair = next(
            (pair for url in nonempty_urls if (pair := read_package_url(url, name, version)) is not None), None
        )
        if pair is not None:
            package, distribution = pair
            self._packages.add(_with_source(package, source))
            self._distribution_by_urls = self._distribution_by_urls or distribution
        elif not any(map(is_image_url, nonempty_urls)) and (version or not is_application):
            self._packages.add(Package("", name, version))

    def inventory(self) -> Inventory:
        """All that was listed. Raises `Failure` where nothing but what cannot be read was found."""
        return self._packages.inventory(self._named_distribution or self._distribution_by_urls)


def _with_source(package: Package, source: tuple[str, str] | None) -> Package:
    if source is None or package.source is not None:
        return package
    name, version = source
    return replace(package, source=name, source_version=version or package.version)
