"""How every form of SBOM lists a package: by a package URL, else by a bare name."""

from collections.abc import Iterable
from dataclasses import replace

from bot.domain.packages.package import Distribution, Inventory, Package
from bot.images.packages.reading import Collection
from bot.images.sbom.package_url import is_image_url, read_package_url


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
