"""Small observations and releases to put questions with."""

from datetime import UTC, datetime

from bot.domain.bases.observation import Observation, PlatformImage
from bot.domain.feeds.advisory import Release
from bot.domain.reference import Base

MCR = "mcr.microsoft.com"
DAY = datetime(2025, 6, 10, 17, 0, tzinfo=UTC)
AMD64, ARM64 = "linux/amd64", "linux/arm64"


def base(name: str) -> Base:
    """`aspnet:8.0` on Microsoft's registry."""
    family, _, tag = name.partition(":")
    return Base(MCR, f"dotnet/{family}", tag)


def image(digit: str, *, platform: str = AMD64, os: str | None = "noble", layers: str = "ab") -> PlatformImage:
    """A platform whose digest is one digit, and whose layers are one letter each, bottom first."""
    digest = f"sha256:{digit * 64}"
    return PlatformImage(platform, digest, os=os, layers=tuple(letter * 12 for letter in layers))


def seen(
    digit: str | None,
    *images: PlatformImage,
    version: str | None = "8.0.16",
    of: str = "aspnet:8.0",
    at: datetime = DAY,
) -> Observation:
    """What was seen of a base; without `images` there is one platform with the same digit. None: withdrawn."""
    if digit is None:
        return Observation(at, base(of), None)
    return Observation(at, base(of), f"sha256:{digit * 64}", version, platforms=images or (image(digit),))


def release(
    version: str,
    *cves: str,
    sdks: str = "",
    at: datetime = DAY,
    listed: datetime | None = None,
    security: bool | None = None,
    runtime: str | None = None,
) -> Release:
    """A release with its CVEs, listed when it was published unless said otherwise."""
    channel = ".".join(version.split(".")[:2])
    return Release(
        channel=channel,
        version=version,
        published_at=at,
        runtime=runtime or version,
        aspnetcore=runtime or version,
        sdks=tuple(sdks.split()),
        security=bool(cves) if security is None else security,
        cves=cves,
        cves_listed_at=(listed or at) if cves else None,
    )
