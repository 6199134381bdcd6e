"""What is published of vulnerabilities, as it is read: one dump in the format of OSV, or one document of OVAL."""

from enum import StrEnum

from bot.domain.packages.cves.vulnerability import Ecosystem

_OVAL_OF = {"Azure Linux 3 OVAL": "Azure Linux:3", "Azure Linux 2 OVAL": "Azure Linux:2"}


class CvePublication(StrEnum):
    """Each source of records, by the name under which it is kept and named as the publisher of what it says.

    Those of OSV are called like the ecosystem that they are of. Of Azure Linux there are several: its OVAL is
    written anew each day, and what OSV has is made of it, and has stood still for months.
    """

    UBUNTU = Ecosystem.UBUNTU.value
    DEBIAN = Ecosystem.DEBIAN.value
    ALPINE = Ecosystem.ALPINE.value
    AZURE_LINUX_3_OVAL = "Azure Linux 3 OVAL"
    AZURE_LINUX_2_OVAL = "Azure Linux 2 OVAL"
    AZURE_LINUX = Ecosystem.AZURE_LINUX.value
    NUGET = Ecosystem.NUGET.value

    @property
    def ecosystem(self) -> Ecosystem:
        release = self.release
        return Ecosystem(self.value if release is None else release.partition(":")[0])

    @property
    def release(self) -> str | None:
        """The one release that it tells of, as OSV names it; None where it tells of all."""
        return _OVAL_OF.get(self.value)

    @property
    def is_oval(self) -> bool:
        return self.release is not None

    def tells_of(self, release: str) -> bool:
        """Whether it may tell of a release of its ecosystem."""
        return self.release in (None, release)


def publications_of(ecosystem: Ecosystem, release: str) -> tuple[CvePublication, ...]:
    """All that tell of a release, the one that counts first before the others."""
    return tuple(each for each in CvePublication if each.ecosystem is ecosystem and each.tells_of(release))
