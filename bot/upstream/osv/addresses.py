"""Where each publication of vulnerabilities is, and the key of each in the settings."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.packages.cves.publication import CvePublication
from bot.domain.packages.cves.vulnerability import Ecosystem

_DUMPS = "https://osv-vulnerabilities.storage.googleapis.com"
_OVAL = "https://raw.githubusercontent.com/microsoft/AzureLinuxVulnerabilityData/main"

UBUNTU = f"{_DUMPS}/Ubuntu/all.zip"
DEBIAN = f"{_DUMPS}/Debian/all.zip"
ALPINE = f"{_DUMPS}/Alpine/all.zip"
AZURE_LINUX = f"{_DUMPS}/Azure%20Linux/all.zip"
AZURE_LINUX_3_OVAL = f"{_OVAL}/azurelinux-3.0-oval.xml"
AZURE_LINUX_2_OVAL = f"{_OVAL}/cbl-mariner-2.0-oval.xml"
NUGET = f"{_DUMPS}/NuGet/all.zip"

PUBLICATIONS: Mapping[str, CvePublication] = {
    "ubuntu": CvePublication.UBUNTU,
    "debian": CvePublication.DEBIAN,
    "alpine": CvePublication.ALPINE,
    "azure_linux_3_oval": CvePublication.AZURE_LINUX_3_OVAL,
    "azure_linux_2_oval": CvePublication.AZURE_LINUX_2_OVAL,
    "azure_linux": CvePublication.AZURE_LINUX,
    "nuget": CvePublication.NUGET,
}
"""What each key below `vulnerabilities` in the settings stands for."""
RECOMMENDED = ("ubuntu", "debian", "alpine", "azure_linux_3_oval", "azure_linux_2_oval", "nuget")
"""The keys of those that tell of all packages once: of Azure Linux its OVAL, of which OSV's dump is made."""

API = "osv-api:"


@dataclass(frozen=True, slots=True, order=True)
class DumpSource:
    """Where a publication is: an address, or the path of a file; or an API's address after `API`."""

    publication: CvePublication
    place: str

    @property
    def ecosystem(self) -> Ecosystem:
        return self.publication.ecosystem

    @property
    def api(self) -> str | None:
        """The address of an API that is asked in place of a dump."""
        return self.place.removeprefix(API) if self.place.startswith(API) else None

    @property
    def address(self) -> str | None:
        """Where something is asked over the network; None for a file."""
        return None if self.is_file else self.api or self.place

    @property
    def is_file(self) -> bool:
        return "://" not in self.place
