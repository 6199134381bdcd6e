"""What a place names where an image is run, and what it named before that."""

from dataclasses import dataclass
from datetime import datetime

NO_TAG = "latest"
"""The tag of what is named without any, and without a digest."""


@dataclass(frozen=True, slots=True)
class Naming:
    """A tag or digest of one image, and `since` when the place was first seen to name it, or for longer, where it
    `is_older`; until the next one begins."""

    tag: str | None
    digest: str | None
    since: datetime
    is_older: bool = False


def what_is_named(tag: str | None, digest: str | None) -> str:
    """What both name together: beside a digest the tag says nothing."""
    return digest or tag or NO_TAG
