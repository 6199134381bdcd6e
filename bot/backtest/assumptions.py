"""What the history of bases does not tell: how long builds and merges take, and how much may be written."""

from dataclasses import dataclass
from datetime import timedelta

BUILD = timedelta(minutes=10)
MERGE = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Assumptions:
    """`build` is how long a run takes, `merge` how long a pull request waits for a person.

    `build_is_given` and `merge_is_given` say whether somebody gave the length; else it is assumed.
    """

    build: timedelta = BUILD
    merge: timedelta = MERGE
    build_is_given: bool = False
    merge_is_given: bool = False
    content_per_minute: int = 60
    content_per_hour: int = 480

    @classmethod
    def of(cls, build: timedelta | None, merge: timedelta | None, per_minute: int, per_hour: int) -> "Assumptions":
        """What is None is assumed."""
        return cls(
            BUILD if build is None else build,
            MERGE if merge is None else merge,
            build is not None,
            merge is not None,
            per_minute,
            per_hour,
        )
