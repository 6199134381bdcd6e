"""What releases tell of the way from one version of a base to another, whether or not anybody saw it go there."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.domain.bases.change import Change


@dataclass(frozen=True, slots=True, order=True)
class SecurityRelease:
    """A release that fixes something; `out_since` is when it was out at the latest."""

    out_since: datetime
    version: str


@dataclass(frozen=True, slots=True)
class ToldWay:
    """The whole way as one change, and the security releases on it, the oldest first."""

    change: Change
    security_releases: tuple[SecurityRelease, ...] = ()


def oldest_fix(releases: Iterable[SecurityRelease]) -> datetime | None:
    """Since when the first of the fixes is out; None where no release tells of any."""
    return min((release.out_since for release in releases), default=None)
