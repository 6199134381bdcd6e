"""The newest time in a document: how old what it tells is, however lately it was fetched."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import TypeAdapter, ValidationError

from bot.domain.feeds.document import FeedKind
from bot.upstream.feeds.reading import UtcMoment

_TIME = rb"([0-9][0-9T:.Z+-]{9,39})"


def _key(name: bytes) -> re.Pattern[bytes]:
    return re.compile(rb'"%s"\s*:\s*"%s"' % (name, _TIME))


_TIMES: Mapping[FeedKind, re.Pattern[bytes]] = {
    FeedKind.DOTNET_INDEX: _key(b"latest-release-date"),
    FeedKind.DOTNET_CVE: _key(b"last_updated"),
    FeedKind.MSRC_UPDATES: _key(b"CurrentReleaseDate"),
    FeedKind.GITHUB_ADVISORIES: _key(b"updated_at"),
    FeedKind.ANNOUNCEMENTS: _key(b"created_at"),
    FeedKind.IMAGE_ANNOUNCEMENTS: re.compile(rb"<published>\s*%s\s*</published>" % _TIME),
    FeedKind.IMAGE_INFO: _key(b"created"),
}
"""What says when an entry was published or changed; of announcements not the last comment, which anybody writes."""
_AHEAD = timedelta(days=1)
"""A date is that of the publisher's day, which may begin before ours."""
_MOMENT: TypeAdapter[datetime] = TypeAdapter(UtcMoment)


def newest_in(kind: FeedKind, data: bytes, now: datetime) -> datetime | None:
    """The newest time that a document names of what it tells, of no day to come; None where it names none, and for
    a kind that is not judged by its age."""
    if (form := _TIMES.get(kind)) is None:
        return None
    texts = {each.decode() for each in form.findall(data)}
    return max(
        (moment for text in texts if (moment := _moment(text)) is not None and moment <= now + _AHEAD), default=None
    )


def _moment(text: str) -> datetime | None:
    try:
        return _MOMENT.validate_python(text if "T" in text else f"{text}T00:00:00Z")
    except ValidationError:
        return None
