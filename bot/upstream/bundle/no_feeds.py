"""Feeds where nobody may be asked: what is kept stays as it is."""

from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.document import FeedSource, Fetched, NotFetched, StoredDocument, Unchanged


class NoFeeds:
    """Stands for feeds that are out of reach by the operator's word; a copy keeps the age that it has."""

    async def fetch(self, source: FeedSource, previous: StoredDocument | None) -> Fetched:
        if previous is not None:
            return Unchanged(previous)
        advice = "import a bundle that has it, or set the feed to false"
        return NotFetched(Failure(Trouble.MISSING, "is not asked offline", where=source.url, advice=advice))
