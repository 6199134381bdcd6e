"""What a .NET image tag promises and what could take its place: channel, distribution and flavours."""

import re
from dataclasses import dataclass
from functools import lru_cache

from bot.domain.reference import Base
from bot.domain.tags.tag import Tag
from bot.domain.tags.words import DEBIAN, UBUNTU

_VERSIONED = re.compile(r"(?P<name>[a-z-]*[a-z])(?P<version>\d+(?:\.\d+)*)")
_SLIM = "-slim"
_FLAVOURS = frozenset({"chiseled", "distroless", "composite", "extra", "aot", "slim", "latest"})
"""What Microsoft's tags have behind the operating system; another word in its place is a system of its own."""
_SUCCESSORS = {"cbl-mariner": "azurelinux"}
"""CBL-Mariner was renamed Azure Linux with its third version."""


@dataclass(frozen=True, slots=True)
class TagFamily:
    """`channel` is None for `latest`, `distribution` where the tag leaves the choice to Microsoft.

    A word in its place that is not known is a distribution that is not known. `flavours` are `chiseled`,
    `composite`, `extra` and their like.
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
        """`alpine` for `alpine3.22`, `debian` and `ubuntu` for their code names; any other name is a family of its
        own."""
        if self.distribution is None:
            return None
        name = self.distribution.removesuffix(_SLIM)
        if match := _VERSIONED.fullmatch(name):
            return match["name"]
        if name in DEBIAN:
            return "debian"
        return "ubuntu" if name in UBUNTU else name

    @property
    def release(self) -> tuple[int, ...]:
        """Orders the releases of one family; empty where the tag names none that is known."""
        name = (self.distribution or "").removesuffix(_SLIM)
        if match := _VERSIONED.fullmatch(name):
            return tuple(int(part) for part in match["version"].split("."))
        return next(((names.index(name),) for names in (DEBIAN, UBUNTU) if name in names), ())

    @property
    def successor_family(self) -> str | None:
        return _SUCCESSORS.get(self.family or "")

    @property
    def is_musl(self) -> bool:
        return self.family == "alpine"


@lru_cache(maxsize=4096)
def _read(text: str) -> TagFamily:
    tag = Tag.parse(text)
    system, others = tag.system, list(tag.variant)
    if system is None and others and others[0] not in _FLAVOURS:
        system = others.pop(0)
    slim = _SLIM if "slim" in others else ""
    return TagFamily(
        channel=".".join(str(part) for part in tag.parts[:2]) or None,
        preview=tag.is_prerelease,
        distribution=f"{system}{slim}" if system else None,
        flavours=frozenset(others) - {"slim", "latest"},
    )


def os_sibling(tag: str) -> str | None:
    """The full image of the same distribution that a chiseled or distroless tag is cut from, else None."""
    for cut in ("-chiseled", "-distroless"):
        head, separator, _ = tag.partition(cut)
        if separator:
            return head if TagFamily.of(head).distribution else None
    return None


def sibling_of(base: Base) -> Base | None:
    """The full image that a chiseled or distroless base is cut from, else None."""
    tag = os_sibling(base.tag)
    return Base(base.registry, base.repository, tag) if tag else None
