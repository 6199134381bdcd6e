"""CISA's catalogue of vulnerabilities that are known to be exploited (`known_exploited_vulnerabilities.json`)."""

from datetime import date, datetime

from pydantic import ConfigDict, Field

from bot.domain.packages.cves.marks import MarkedCves
from bot.upstream.feeds.reading import Cve, Day, FeedProblem, FeedShape, Notes, json_object, malformed_feed


class _Entry(FeedShape):
    model_config = ConfigDict(populate_by_name=True)

    cve: Cve = Field(alias="cveID")
    listed_on: Day | None = Field(None, alias="dateAdded")


def parse(data: bytes, seen_at: datetime, document: str) -> tuple[MarkedCves[date | None], tuple[FeedProblem, ...]]:
    """Reads which CVEs are exploited, each with the day on which it was listed, and what could not be read.

    Raises `Failure` where it is no such catalogue, or lists fewer entries than it says to have.
    """
    catalogue = json_object(data, document)
    notes = Notes(document)
    entries = notes.all_of(_Entry, catalogue.get("vulnerabilities"), "vulnerabilities")
    count, listed = catalogue.get("count"), len(catalogue["vulnerabilities"])
    if not entries:
        raise malformed_feed(document, "lists no vulnerability")
    if isinstance(count, int) and listed < count:
        raise malformed_feed(document, f"says that it lists {count} vulnerabilities, and has {listed}")
    listed_on = {entry.cve: entry.listed_on for _, entry in entries}
    return MarkedCves(listed_on, is_whole=len(entries) == listed), notes.problems
