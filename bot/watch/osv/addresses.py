"""Where OSV publishes the dump of each ecosystem, and the key of each in the settings."""

from collections.abc import Mapping

from bot.domain.packages.cves.vulnerability import Ecosystem

_DUMPS = "https://osv-vulnerabilities.storage.googleapis.com"

UBUNTU = f"{_DUMPS}/Ubuntu/all.zip"
DEBIAN = f"{_DUMPS}/Debian/all.zip"
ALPINE = f"{_DUMPS}/Alpine/all.zip"
AZURE_LINUX = f"{_DUMPS}/Azure%20Linux/all.zip"
NUGET = f"{_DUMPS}/NuGet/all.zip"

ECOSYSTEMS: Mapping[str, Ecosystem] = {
    "ubuntu": Ecosystem.UBUNTU,
    "debian": Ecosystem.DEBIAN,
    "alpine": Ecosystem.ALPINE,
    "azure_linux": Ecosystem.AZURE_LINUX,
    "nuget": Ecosystem.NUGET,
}
"""What each key below `vulnerabilities` in the settings stands for."""
