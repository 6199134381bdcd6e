"""Scores of EPSS: each row counts by itself, and nothing unpacks without bound."""

import gzip
from datetime import UTC, datetime

import pytest

from bot.domain.failure import Failure
from bot.domain.feeds.document import FeedKind
from bot.upstream.feeds import epss
from bot.upstream.feeds.contents import newest_in
from tests.unit.upstream.feeds.published import SEEN

HEAD = b"#model_version:v2025.03.14,score_date:2025-12-09T00:00:00+0000\ncve,epss,percentile\n"


def table(*rows: bytes) -> bytes:
    return gzip.compress(HEAD + b"".join(row + b"\n" for row in rows))


@pytest.mark.parametrize("unpack", [bytes, gzip.decompress])
def test_scores_are_read_packed_or_as_a_server_has_unpacked_them(unpack: type[bytes]) -> None:
    data = unpack(table(b"CVE-1999-0001,0.01141,0.78", b"CVE-2026-1001,0.97,1.0", b"CVE-2026-1002,1e-05,0.01"))
    scores, problems = epss.parse(data, SEEN, "epss.csv.gz")
    assert scores.values == {"CVE-1999-0001": 114, "CVE-2026-1001": 9700, "CVE-2026-1002": 0}
    assert (scores.is_whole, problems) == (True, ())
    assert newest_in(FeedKind.EPSS, data, SEEN) == datetime(2025, 12, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "bad",
    [
        b"CVE-2026-1,0.5",
        b"CVE-2026-1003,nan,0.5",
        b"CVE-2026-1003,1.5,0.5",
        b"CVE-2026-1003,-0.1,0.5",
        b"CVE-2026-1003,1e400,0.5",
        b"CVE-2026-1003",
        b"\xff\x00,0.5,0.5",
        b"=cmd|' /C calc'!A0,0.5,0.5",
        b"CVE-2026-1003," + b"9" * 5000,
    ],
)
def test_one_bad_row_stops_no_other_and_makes_the_list_no_whole_one(bad: bytes) -> None:
    scores, problems = epss.parse(table(bad, b"CVE-2026-1001,0.5,0.5"), SEEN, "epss.csv.gz")
    assert scores.values == {"CVE-2026-1001": 5000}
    assert not scores.is_whole
    assert "row 1" in str(problems[0])


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "has no row of names"),
        (b"<html>Please log in</html>", "has no row of names"),
        (table(), "has no row that can be read"),
        (table(b"CVE-2026-1001,0.5,0.5")[:-9], "cannot be unpacked: its end is missing"),
        (b"\x1f\x8b garbage", "cannot be unpacked"),
        (gzip.compress(b"\n" * (epss.MOST_BYTES + 1)), "has more than the 67,108,864 bytes"),
    ],
    ids=["empty", "page", "no row", "cut", "garbage", "bomb"],
)
def test_what_is_no_table_is_one_failure(data: bytes, told: str) -> None:
    with pytest.raises(Failure, match=told):
        epss.parse(data, SEEN, "epss.csv.gz")


def test_a_table_without_a_day_has_no_age() -> None:
    assert newest_in(FeedKind.EPSS, b"cve,epss,percentile\nCVE-2026-1001,0.5,0.5\n", SEEN) is None
    assert newest_in(FeedKind.EPSS, b"\x1f\x8b garbage", SEEN) is None
