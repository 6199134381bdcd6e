"""Which operating system an image stands on, as far as its name and its own words tell.

The first of these that tells:

1. the tag, where it names a release (`10.0-noble-chiseled-extra`: `noble-chiseled`; `8.0-alpine3.22`);
2. `org.opencontainers.image.base.name` (OCI annotation), where the tag of that name does;
3. the labels of Ubuntu's images (`org.opencontainers.image.ref.name`, `.version`), which derived images inherit;
4. the first build step of Alpine's (`alpine-minirootfs-3.22.1`) and Debian's (`debian.sh … 'bookworm'`) images;
5. the tag, where it names a family alone (`8.0-alpine`).

A slim Debian image takes the same first step as a full one, so `-slim` is only known from a name.
"""

import re
from collections.abc import Iterable, Mapping

from bot.domain.reference import InvalidReference, Reference
from bot.domain.tags.tag import Tag

_FLAVOURS = ("slim", "chiseled", "distroless")
_UBUNTU = {"20.04": "focal", "22.04": "jammy", "24.04": "noble", "26.04": "resolute"}
_FAMILY_ALONE = re.compile(r"[a-z-]*(?:alpine|mariner|azurelinux|ubuntu|debian|nanoserver|servercore)")
_ALPINE = re.compile(r"\balpine-minirootfs-(\d{1,2}\.\d{1,2})\b")
_DEBIAN = re.compile(r"\bdebian\.sh\b.*?'([a-z]{3,16})'")


def distribution(tag: str, labels: Mapping[str, str], history: Iterable[str]) -> str | None:
    """`labels` are the image's labels and its manifest's annotations; `history` its build steps, oldest first."""
    flavours = _flavours(tag)
    release = _release_named(tag)
    if release is None:
        family = Tag.parse(tag).system
        release = _release_of_base(labels) or _ubuntu(labels) or _first_step(history) or family
    return None if release is None else "-".join((release, *(each for each in flavours if each not in release)))


def _flavours(tag: str) -> tuple[str, ...]:
    return tuple(flavour for flavour in _FLAVOURS if flavour in Tag.parse(tag).variant)


def _release_named(tag: str) -> str | None:
    system = Tag.parse(tag).system
    return None if system is None or _FAMILY_ALONE.fullmatch(system) else system


def _release_of_base(labels: Mapping[str, str]) -> str | None:
    try:
        tag = Reference.parse(labels.get("org.opencontainers.image.base.name", "")).tag or ""
    except InvalidReference:
        return None
    release = _release_named(tag)
    return None if release is None else "-".join((release, *_flavours(tag)))


def _ubuntu(labels: Mapping[str, str]) -> str | None:
    if labels.get("org.opencontainers.image.ref.name") != "ubuntu":
        return None
    release = labels.get("org.opencontainers.image.version", "")
    return _UBUNTU.get(release) or (f"ubuntu{release}" if re.fullmatch(r"\d\d\.\d\d", release) else None)


def _first_step(history: Iterable[str]) -> str | None:
    for step in history:
        if match := _ALPINE.search(step):
            return f"alpine{match[1]}"
        if match := _DEBIAN.search(step):
            return match[1]
    return None
