"""What is known of one image and one CVE: what its publisher says, what is below the image, and where it runs."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PublishedFix:
    """What its publisher says: the versions that are free of the vulnerability, none where there is no fix yet.

    `at` is when that was published, or only `is_seen` then, however long it was out. `lacks_it` are the packages
    that have none, where others have one.
    """

    publisher: str
    versions: tuple[str, ...] = ()
    at: datetime | None = None
    is_seen: bool = False
    lacks_it: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """Whether something holds an affected package now, None where that is not known, and since when not any more.

    `reason` says what keeps it from being known.
    """

    is_affected: bool | None
    free_since: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BelowImage:
    """A base that an image stands on, and who can rebuild it; `brings` is False where it has no such package.

    What `is_withdrawn` is rebuilt no more: whoever builds on it has to move."""

    name: str
    who: str
    content: Held
    brings: bool = True
    is_withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class DeployedImage:
    """A place where a manifest names the image: a build that has the fix (True), another digest (False), or
    something of which that cannot be told (None).

    `since` is when it was first seen to name that; it may have had the fix for longer, where it `is_older`."""

    place: str
    repository: str
    has_fix: bool | None
    since: datetime | None = None
    is_older: bool = False


@dataclass(frozen=True, slots=True)
class AffectedImage:
    """All that is known of one image and one CVE. `base` is the one that somebody else publishes, None where it is
    not known, and `mirror` the copy of it that is built upon; `own_bases` are those of the fleet in between, the
    lowest first."""

    image: str
    repository: str
    packages: tuple[str, ...]
    fix: PublishedFix
    base: BelowImage | None
    content: Held
    mirror: BelowImage | None = None
    own_bases: tuple[BelowImage, ...] = ()
    deployed: tuple[DeployedImage, ...] = ()
