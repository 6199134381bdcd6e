"""The parts of a .NET image tag: `9.0-preview-noble-chiseled-extra`.

By the tag scheme of dotnet/dotnet-docker: version, `preview`, distribution, then flavours. The distribution is
whatever stands between, so one that is new next year needs no change here.
"""

import re
from dataclasses import dataclass

FLAVOURS = frozenset({"chiseled", "distroless", "composite", "extra", "aot"})
_CHANNEL = re.compile(r"(\d+\.\d+)(?:\.\d+)?$")
_VERSIONED = re.compile(r"(?P<name>[a-z-]*[a-z])(?P<version>\d+(?:\.\d+)*)")
_DEBIAN = ("buster", "bullseye", "bookworm", "trixie", "forky", "duke")
_SUCCESSORS = {"cbl-mariner": "azurelinux"}
"""CBL-Mariner was renamed Azure Linux with its third version."""


@dataclass(frozen=True, slots=True)
class TagParts:
    """`channel` is None for `latest`; `distribution` where the tag leaves the choice to Microsoft."""

    channel: str | None
    preview: bool = False
    distribution: str | None = None
    flavours: frozenset[str] = frozenset()

    @property
    def family(self) -> str | None:
        """`alpine` for `alpine3.22`, `debian` and `ubuntu` for their code names."""
        name = self.distribution
        if name is None:
            return None
        if match := _VERSIONED.fullmatch(name):
            return match["name"]
        if name.removesuffix("-slim") in _DEBIAN or name.endswith("-slim"):
            return "debian"
        return "ubuntu" if name.isalpha() and name != "alpine" else name

    @property
    def distribution_version(self) -> tuple[int, ...]:
        """Orders the versions of one family; Ubuntu's code names go by the alphabet."""
        name = self.distribution or ""
        if match := _VERSIONED.fullmatch(name):
            return tuple(int(part) for part in match["version"].split("."))
        if self.family == "debian":
            code_name = name.removesuffix("-slim")
            return (_DEBIAN.index(code_name) if code_name in _DEBIAN else len(_DEBIAN),)
        return (ord(name[0]),) if self.family == "ubuntu" else ()

    @property
    def is_musl(self) -> bool:
        return self.family == "alpine"

    @property
    def successor_family(self) -> str | None:
        return _SUCCESSORS.get(self.family or "")


def parts_of(tag: str) -> TagParts:
    first, *rest = tag.split("-")
    match = _CHANNEL.match(first)
    preview = "preview" in rest[:1]
    words = rest[1:] if preview else rest
    flavours = frozenset(word for word in words if word in FLAVOURS)
    distribution = "-".join(word for word in words if word not in FLAVOURS)
    return TagParts(match[1] if match else None, preview, distribution or None, flavours)


def os_sibling(tag: str) -> str | None:
    """The full image of the same distribution that a chiseled or distroless tag is cut from, else None."""
    head, chiseled, _ = tag.partition("-chiseled")
    if not chiseled:
        head, chiseled, _ = tag.partition("-distroless")
    return head if chiseled and parts_of(head).distribution else None
