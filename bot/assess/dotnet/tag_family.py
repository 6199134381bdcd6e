"""What a .NET image tag promises and what could take its place: channel, distribution and flavours."""

import re
from dataclasses import dataclass
from functools import lru_cache

from bot.domain.reference import Base
from bot.domain.tags.tag import Tag

_VERSIONED = re.compile(r"(?P<name>[a-z-]*[a-z])(?P<version>\d+(?:\.\d+)*)")
_DEBIAN = ("buster", "bullseye", "bookworm", "trixie", "forky", "duke")
_SUCCESSORS = {"cbl-mariner": "azurelinux"}
"""CBL-Mariner was renamed Azure Linux with its third version."""


@dataclass(frozen=True, slots=True)
class TagFamily:
    """`channel` is None for `latest`, `distribution` where the tag leaves the choice to Microsoft.

    `flavours` are `chiseled`, `composite`, `extra` and their like.
    """

    channel: str | None
    preview: bool = False
    distribution: str | None = None
    flavours: frozenset[str] = frozenset()

    @classmethod
    def of(cls, text: str) -> "TagFamily":
        return _read(text)

    @property
    def family(self) -> str | None:
        """`alpine` for `alpine3.22`, `debian` and `ubuntu` for their code names."""
        name = self.distribution
        if name is None:
            return None
        if match := _VERSIONED.fullmatch(name):
            return match["name"]
        if name.endswith("-slim") or name in _DEBIAN:
            return "debian"
        return "ubuntu" if name.isalpha() and name != "alpine" else name

    @property
    def release(self) -> tuple[int, ...]:
        """Orders the releases of one family; Ubuntu's code names go by the alphabet."""
        name = self.distribution or ""
        if match := _VERSIONED.fullmatch(name):
            return tuple(int(part) for part in match["version"].split("."))
        if self.family == "debian":
            code_name = name.removesuffix("-slim")
            return (_DEBIAN.index(code_name) if code_name in _DEBIAN else len(_DEBIAN),)
        return (ord(name[0]),) if self.family == "ubuntu" else ()

    @property
    def successor_family(self) -> str | None:
        return _SUCCESSORS.get(self.family or "")

    @property
    def is_musl(self) -> bool:
        return self.family == "alpine"


@lru_cache(maxsize=4096)
def _read(text: str) -> TagFamily:
    tag = Tag.parse(text)
    slim = "-slim" if "slim" in tag.variant else ""
    return TagFamily(
        channel=".".join(str(part) for part in tag.parts[:2]) or None,
        preview=tag.is_prerelease,
        distribution=f"{tag.system}{slim}" if tag.system else None,
        flavours=frozenset(tag.variant) - {"slim", "latest"},
    )


def os_sibling(tag: str) -> str | None:
    """The full image of the same distribution that a chiseled or distroless tag is cut from, else None."""
    for cut in ("-chiseled", "-distroless"):
        head, found, _ = tag.partition(cut)
        if found:
            return head if TagFamily.of(head).distribution else None
    return None


def sibling_of(base: Base) -> Base | None:
    """The full image that a chiseled or distroless base is cut from, else None."""
    tag = os_sibling(base.tag)
    return Base(base.registry, base.repository, tag) if tag else None
