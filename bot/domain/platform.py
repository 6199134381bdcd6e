"""The platform that an image is for, as containerd reads and compares it.

Source: containerd's `platforms.Parse` and `platforms.Normalize`.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

_WORD = re.compile(r"[A-Za-z0-9_.-]{1,32}", re.ASCII)
_SYSTEM = re.compile(r"(?P<name>[A-Za-z0-9_.-]{1,32})(?:\([A-Za-z0-9_.+-]{0,64}\))?", re.ASCII)
"""Windows may have its version in parentheses, which tells no platform apart from another."""
_SYSTEMS = {"macos": "darwin"}
_ARCHITECTURES = {
    "i386": ("386", ""),
    "x86_64": ("amd64", None),
    "x86-64": ("amd64", None),
    "aarch64": ("arm64", None),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
}
"""Other names of architectures, and the variant that such a name stands for, whatever else is said."""
_VARIANTS = {
    "amd64": {"v1": ""},
    "arm64": {"8": "", "v8": "", "v8.0": "", "9": "v9", "9.0": "v9", "v9.0": "v9"},
    "arm": {"": "v7", "5": "v5", "6": "v6", "7": "v7", "8": "v8"},
}
_KNOWN = frozenset(
    {
        "386",
        "amd64",
        "arm",
        "arm64",
        "loong64",
        "mips64",
        "mips64le",
        "ppc64",
        "ppc64le",
        "riscv64",
        "s390x",
        "wasm",
    }
)
"""Architectures that may stand alone, as in `--platform arm64`; they mean Linux."""


_FORMER = {"linux/arm": "linux/arm/v7"}
"""Names that indexes have used, and that were stored as they are."""


class InvalidPlatform(ValueError):
    """What is written is no platform."""


def platform_of(name: str) -> str:
    """The platform of one image of several, which goes by a name of its own such as `windows/amd64 2`."""
    return name.partition(" ")[0]


@dataclass(frozen=True, slots=True, order=True)
class Platform:
    """A system, an architecture and, where that says more, its variant, each in the one name that it goes by."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(word for word in (self.os, self.architecture, self.variant) if word)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `os/architecture[/variant]`, or an architecture alone. Raises `InvalidPlatform`."""
        words = text.split("/")
        if len(words) == 1:
            alone = cls.of("linux", text)
            if alone.architecture in _KNOWN:
                return alone
        elif len(words) <= 3 and all(words):
            return cls.of(*words)
        raise InvalidPlatform("no platform; name its system and architecture, as in linux/arm64")

    @classmethod
    def of(cls, os: str, architecture: str, variant: str = "") -> Self:
        """The platform that three words name, as an index or an image's configuration has them.

        Raises `InvalidPlatform`.
        """
        system = _SYSTEM.fullmatch(os)
        if system is None or not all(_WORD.fullmatch(word) for word in (architecture, variant or "none")):
            raise InvalidPlatform(
                "no platform; its system, architecture and variant are words such as linux, arm, v7"
            )
        name, architecture_word, variant_word = system["name"].lower(), architecture.lower(), variant.lower()
        usual_architecture, implied = _ARCHITECTURES.get(architecture_word, (architecture_word, None))
        usual_variant = variant_word if implied is None else implied
        return cls(
            _SYSTEMS.get(name, name),
            usual_architecture,
            _VARIANTS.get(usual_architecture, {}).get(usual_variant, usual_variant),
        )


def stored_names(platforms: Collection[str]) -> tuple[str, ...]:
    """Platforms with the other names that what was stored early has for them."""
    return (*platforms, *(former for former, name in _FORMER.items() if name in platforms))


def is_left_out(platform: str | None, names: Collection[str]) -> bool:
    """Whether platforms are wanted, by their usual `names`, and this is none of them. `platform` may have a version
    of Windows behind it; of what is shown by something else than a platform nothing tells that it is left out."""
    if platform is None or "/" not in platform or not names:
        return False
    return usual_name(platform_of(platform)) not in names


@lru_cache(maxsize=1024)
def usual_name(platform: str) -> str:
    """The name that a platform goes by, of any other; what is none stays as it is."""
    try:
        return str(Platform.parse(platform))
    except InvalidPlatform:
        return platform
