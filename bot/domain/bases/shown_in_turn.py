"""What a registry shows in turn: a digest of before beside the newest, as an edge does that serves old and new.

The first sight of a digest is a move, told at once. Going back to one is doubted: in three recorded years no tag of
Microsoft's did. So what was shown before counts again where two looks in a row show it and the tag had been at rest
for a day, and else once it was shown alone for a day. However edges disagree, a tag goes back at most once a day.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.bases.observation import first_digits

DOUBTED_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ShowsTwo:
    """A registry shows `other` beside the digest that a base is taken to show; it changed over last at `since`."""

    other: str
    since: datetime

    @property
    def told(self) -> str:
        """Words it, to stand behind the name of a base: which two digests its registry shows."""
        return f"the registry shows two, this digest and {first_digits(self.other)}, which was shown before"


@dataclass(frozen=True, slots=True)
class LastLook:
    """What is known of a base: the `digest` that it is taken to show since `moved_at`, and another of before where
    the last look showed that (`unconfirmed`)."""

    digest: str | None
    moved_at: datetime | None
    unconfirmed: str | None = None
    shows_two: ShowsTwo | None = None

    def doubt(self, digest: str, now: datetime) -> ShowsTwo | None:
        """Whether the registry shows two, now that it shows the base's digest or one of before; None where what it
        shows may be believed once two looks in a row show it."""
        if digest == (self.unconfirmed or self.digest):
            is_settled = self.shows_two is None or now - self.shows_two.since >= DOUBTED_FOR
            return None if is_settled else self.shows_two
        was_at_rest = self.moved_at is None or now - self.moved_at >= DOUBTED_FOR
        if self.shows_two is None and self.unconfirmed is None and was_at_rest:
            return None
        other = digest if digest != self.digest else self.unconfirmed
        return ShowsTwo(other, now) if other is not None else None
