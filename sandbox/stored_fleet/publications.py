"""The bases of the fleet, and how they moved in half a year: a .NET patch every four weeks, the OS in between."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.bases.change import Cause, Change
from bot.domain.bases.support import support_of_base
from bot.domain.feeds.advisory import Advisory, Evidence, Severity
from bot.domain.reference import Base

ROLLOUTS = 12
"""Those that have ended; one more is under way. The odd ones bring a .NET patch, the even ones an OS update."""
CHANNELS = ("10.0", "8.0", "9.0")
_SUFFIXES = (
    *("", "-noble-chiseled", "-alpine", "-noble", "-azurelinux3.0", "-azurelinux3.0-distroless", "-alpine3.22"),
    *("-noble-chiseled-extra", "-bookworm-slim", "-alpine-extra", "-noble-amd64", "-noble-arm64v8", "-trixie-slim"),
    *("-azurelinux3.0-distroless-extra", "-alpine3.21", "-jammy", "-jammy-chiseled", "-alpine3.22-extra"),
)
_FIRST_PATCH = {"10.0": 0, "9.0": 10, "8.0": 21}
_UPDATED = (("alpine",), ("noble", "jammy"), ("azurelinux", "bookworm", "trixie"))
"""Which distributions the OS updates concern, in turn."""
_WEAKNESSES = (
    ("Denial of service in ASP.NET Core's HTTP/2 server", Severity.HIGH, 7.5),
    ("Elevation of privilege in the .NET debugger on Linux", Severity.MODERATE, 6.3),
    ("Remote code execution in System.Drawing on crafted fonts", Severity.HIGH, 8.1),
    ("Information disclosure in System.Net.Http redirects", Severity.MODERATE, 5.9),
    ("Security feature bypass in SignedXml", Severity.LOW, 3.7),
    ("Tampering in NuGet's package signature check", Severity.CRITICAL, 9.1),
)
BASES = tuple(
    Base("mcr.microsoft.com", f"dotnet/{family}", f"{channel}{suffix}")
    for suffix in _SUFFIXES
    for channel in CHANNELS
    for family in ("aspnet", "sdk", "runtime", "runtime-deps")
)
"""Those that most stand on come first."""
_DEFAULTS = tuple(Base("mcr.microsoft.com", "dotnet/aspnet", channel) for channel in CHANNELS)


@dataclass(frozen=True, slots=True)
class Publication:
    """What a base showed from `at` on; `rollout` is the one that brought it, 0 for the first."""

    base: Base
    at: datetime
    rollout: int
    version: str | None
    digest: str


def opened(rollout: int, now: datetime) -> datetime:
    """When a rollout began: two weeks after the one before, the last one five hours ago."""
    return now - timedelta(days=(ROLLOUTS + 1 - rollout) * 14, hours=5, minutes=40)


def version(base: Base, rollout: int) -> str | None:
    """What .NET a base has from this rollout on; `runtime-deps` has none."""
    channel = base.tag.partition("-")[0]
    patch = _FIRST_PATCH[channel] + (rollout + 1) // 2
    if base.repository.endswith("/runtime-deps"):
        return None
    return f"{channel}.{100 + patch}" if base.repository.endswith("/sdk") else f"{channel}.{patch}"


def concerns(rollout: int, base: Base) -> bool:
    """Whether a rollout moves a base."""
    if rollout % 2:
        return not base.repository.endswith("/runtime-deps")
    is_default = "-" not in base.tag
    return any(name in base.tag for name in _UPDATED[rollout // 2 % 3]) or (is_default and rollout % 4 == 0)


def is_supported(base: Base, at: datetime) -> bool:
    """Whether its .NET and its distribution were still supported: what is not is published no more."""
    support = support_of_base(base, at.date())
    return support is None or not support.has_ended(at.date())


def publications(base: Base, now: datetime) -> list[Publication]:
    """All of a base, the oldest first; a minute or some after the rollout's first. The first may be of any age."""
    found = []
    for rollout in range(ROLLOUTS + 2):
        at = opened(rollout, now) - timedelta(minutes=9 + len(base.tag) % 7) + _lag(base, rollout)
        if rollout and not (concerns(rollout, base) and is_supported(base, at)):
            continue
        found.append(Publication(base, at, rollout, version(base, rollout), digest(f"{base} {rollout}")))
    return found


def layers(shown: Publication, platform: str) -> tuple[str, ...]:
    """That of the OS, which its updates alone change, and one above it."""
    updates = sum(concerns(rollout, shown.base) for rollout in range(2, shown.rollout + 1, 2))
    return digest(f"{shown.base} OS {updates} {platform}"), digest(f"{shown.digest} .NET {platform}")


def _lag(base: Base, rollout: int) -> timedelta:
    """Images that are cut down follow an update of the OS later, some of them by more than a day."""
    is_small = "chiseled" in base.tag or "distroless" in base.tag
    if rollout % 2 or not rollout or not is_small:
        return timedelta()
    return timedelta(hours=2 + (rollout * 7 + len(str(base)) * 5) % 58)


def change(before: Publication, after: Publication, mark: str) -> Change:
    """What the bot makes of two publications."""
    is_patch = after.rollout % 2 == 1
    cves = fixed(after.rollout) if is_patch else ()
    moved = f".NET {before.version} → {after.version} fixes {len(cves)} CVEs (worst: {_worst(after.rollout).told})"
    cause = Cause.DOTNET_SECURITY if is_patch else Cause.OS_UPDATE
    return Change(
        after.base,
        after.at,
        before.digest,
        after.digest,
        cause,
        cause,
        before.version,
        after.version,
        cves,
        severity=_worst(after.rollout) if is_patch else None,
        links=tuple((cve, f"https://msrc.microsoft.com/update-guide/vulnerability/{cve}") for cve in cves),
        platforms=("linux/amd64", "linux/arm64"),
        evidence=(Evidence("releases.json", f"release {after.version}", after.at),),
        detail=(moved if is_patch else "the OS layer changed (2 platforms)") + mark,
    )


def fixed(rollout: int) -> tuple[str, ...]:
    """The CVEs of a patch: three each time."""
    return tuple(f"CVE-2026-{10_000 + (rollout // 2) * 3 + each}" for each in range(1, 4))


def advisories(now: datetime, mark: str) -> list[Advisory]:
    """What was published with all patches, the oldest first."""
    found = []
    for rollout in range(1, ROLLOUTS + 2, 2):
        at = opened(rollout, now)
        for each, cve in enumerate(fixed(rollout)):
            title, severity, score = _weakness(rollout, each)
            found.append(
                Advisory(
                    cve,
                    f"{title}{mark}",
                    severity,
                    score,
                    at + timedelta(hours=1),
                    frozenset({"aspnet", "runtime"}),
                    frozenset({"linux", "windows"}),
                    tuple(version(base, rollout) or "" for base in _DEFAULTS if is_supported(base, at)),
                    (f"https://msrc.microsoft.com/update-guide/vulnerability/{cve}",),
                    (Evidence("msrc", f"{at:%Y-%b}", now),),
                )
            )
    return found


def digest(seed: str) -> str:
    return f"sha256:{hashlib.sha256(seed.encode()).hexdigest()}"


def _weakness(rollout: int, each: int) -> tuple[str, Severity, float]:
    return _WEAKNESSES[(rollout // 2 + each * (1 if rollout < ROLLOUTS else 2)) % len(_WEAKNESSES)]


def _worst(rollout: int) -> Severity:
    return max((_weakness(rollout, each)[1] for each in range(3)), key=lambda severity: severity.rank)
