"""Scores of EPSS: of every CVE, how likely it is exploited within 30 days (`epss_scores-current.csv.gz`).

A comment names the model and the day, then comes a row for each CVE; there were some 300,000 in 2026.
"""

import re
import zlib
from collections.abc import Iterator
from datetime import datetime

from bot.domain.packages.cves.marks import EPSS_UNIT, MarkedCves
from bot.upstream.feeds.reading import CVE, FeedProblem, Notes, malformed_feed

MOST_BYTES = 64 * 1024**2
"""Unpacked; 300,000 rows have some 9 MB."""
MOST_ROWS = 1_000_000
_GZIP = b"\x1f\x8b"
_TO_EXPECT_GZIP = 16 + zlib.MAX_WBITS
_HEADER = b"cve,epss,percentile"
_CVE = re.compile(CVE.encode())
_SCORE = re.compile(rb"(?:0|1|[01]?\.[0-9]{1,18}|[0-9](?:\.[0-9]{1,18})?e-[0-9]{1,2})", re.IGNORECASE)
_DAY = re.compile(rb"score_date:([0-9][0-9T:.Z+-]{9,39})")


def parse(data: bytes, seen_at: datetime, document: str) -> tuple[MarkedCves[int], tuple[FeedProblem, ...]]:
    """Reads the score of each CVE, in ten-thousandths, and what could not be read.

    Raises `Failure` where it is no such document, or none of its rows can be read.
    """
    lines = _lines(data, document)
    header = next((line for line in lines if not line.startswith(b"#")), b"")
    if not header.lower().startswith(_HEADER):
        raise malformed_feed(document, f"has no row of names that begins with {_HEADER.decode()}")
    notes = Notes(document)
    scores: dict[str, int] = {}
    for number, line in enumerate(filter(None, lines), 1):
        cve, score, *_ = (*line.split(b",", 2), b"")
        if number > MOST_ROWS:
            raise malformed_feed(document, f"has more than the {MOST_ROWS:,} rows that are read")
        if not (_CVE.fullmatch(cve) and _SCORE.fullmatch(score) and (value := float(score)) <= 1):
            notes.add(f"row {number}", "is no CVE with its score; it is skipped")
            continue
        scores[cve.decode()] = round(value * EPSS_UNIT)
    if not scores:
        raise malformed_feed(document, "has no row that can be read")
    return MarkedCves(scores, is_whole=not notes.count), notes.problems


def day_of(data: bytes) -> str | None:
    """The day that the scores are of, as its comment has it; None where that names none."""
    try:
        beginning = _unpacked(data, 4_096)
    except zlib.error:
        return None
    day = _DAY.search(beginning)
    return day[1].decode() if day is not None else None


def _lines(data: bytes, document: str) -> Iterator[bytes]:
    try:
        text = _unpacked(data, MOST_BYTES + 1)
    except zlib.error as error:
        raise malformed_feed(document, f"cannot be unpacked: {error}") from error
    if len(text) > MOST_BYTES:
        raise malformed_feed(document, f"has more than the {MOST_BYTES:,} bytes that are read")
    return iter(text.splitlines())


def _unpacked(data: bytes, most: int) -> bytes:
    """At most so many bytes; what a server has unpacked already is as it is. Raises `zlib.error`, also where the
    end is missing."""
    if not data.startswith(_GZIP):
        return data[:most]
    unpacker = zlib.decompressobj(_TO_EXPECT_GZIP)
    text = unpacker.decompress(data, most)
    if len(text) < most and not unpacker.eof:
        raise zlib.error("its end is missing")
    return text
