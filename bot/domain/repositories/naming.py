"""What a place where an image is run named before what it names now."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Naming:
    """A tag or digest of one image, and `since` when the place was first seen to name it, or for longer, where it
    `is_older`; until the next one begins."""

    tag: str | None
    digest: str | None
    since: datetime
    is_older: bool = False
