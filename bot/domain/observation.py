"""What a registry showed for a base at one moment."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.reference import Base


@dataclass(frozen=True, slots=True, order=True)
class PlatformImage:
    """One platform of an index (or the single manifest itself).

    `platform` is `os/architecture[/variant]`; `created` is the image's own RFC 3339 text; `os` is the
    distribution as far as known (`noble-chiseled`, `alpine3.22`); `layers` are the first 12 hex digits of the
    layer digests, bottom first.
    """

    platform: str
    digest: str
    created: str | None = None
    os: str | None = None
    layers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Observation:
    """`digest` is None where the tag was withdrawn from the published inventory.

    `version` is the .NET (for sdk images the SDK) version that the image declares; None for runtime-deps.
    """

    at: datetime
    base: Base
    digest: str | None
    version: str | None = None
    created: str | None = None
    platforms: tuple[PlatformImage, ...] = ()
