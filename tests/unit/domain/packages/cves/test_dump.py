"""What tells whether a dump of vulnerabilities has changed, and when its file was written."""

from datetime import UTC, datetime

import pytest

from bot.domain.packages.cves.publication import DumpMark

WRITTEN = datetime(2026, 11, 28, 18, 4, 5, tzinfo=UTC)


def test_the_mark_of_a_file_is_its_size_and_tells_when_it_was_written() -> None:
    mark = DumpMark.of_file(10, int(WRITTEN.timestamp()) * 10**9 + 999_999_999)
    assert (mark.etag, mark.written_at) == ("10", WRITTEN)


@pytest.mark.parametrize(
    "modified", ["", "Tue, 10 Mar 2026", "٣", "²", "-1", "9" * 12 + "0" * 9, "9" * 40, "9" * 5000]
)
def test_a_mark_of_no_file_tells_no_time(modified: str) -> None:
    assert DumpMark("", modified).written_at is None
