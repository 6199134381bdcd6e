"""The words for a source that was not read as a whole, wherever that is told."""

from collections.abc import Iterator
from datetime import datetime

from bot.domain.running.exposure import CoveredSource
from bot.domain.wording.words import counted

_MOST_HOLES = 5


def unread_at(source: CoveredSource, at: datetime) -> Iterator[str]:
    """A line for each reason why it is not known what all ran there at that time."""
    if not source.covered:
        yield _never(source)
    elif not source.is_known(at):
        last = max((each.until for each in source.covered if each.until <= at), default=None)
        when = f"last read as a whole on {last:%Y-%m-%d %H:%M} UTC" if last else "not read as a whole by then"
        yield f"{source.name} was {when}{_why(source)}"
    yield from _left_out(source, at)


def unread_between(source: CoveredSource, since: datetime, until: datetime) -> Iterator[str]:
    """A line for each of the latest times between in which it is not known what ran there."""
    if not source.covered:
        yield _never(source)
    else:
        for begin, end in list(source.holes(since, until))[-_MOST_HOLES:]:
            yield f"{source.name} was not read as a whole from {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"
    yield from _left_out(source, until)


def _never(source: CoveredSource) -> str:
    return f"{source.name} was never read as a whole{_why(source)}"


def _why(source: CoveredSource) -> str:
    return f": {source.error}" if source.error else ""


def _left_out(source: CoveredSource, at: datetime) -> Iterator[str]:
    """What the last list lacked, which says nothing of a time that whole lists lie behind, and where it told no
    digest."""
    if source.covered and source.covered[-1].until <= at:
        yield from (f"{source.name}: {line}" for line in source.not_read)
    if source.by_tag:
        places = counted(source.by_tag, "place")
        yield f"{source.name}: {places} named by tag, of which Azure tells no digest; name digests in templates"
