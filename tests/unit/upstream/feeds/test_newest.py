"""A document is as old as the newest time that it names of what it tells."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.feeds.document import FeedKind
from bot.upstream.feeds.contents import newest_in
from tests.builders import NOON
from tests.unit.upstream.feeds.published import published


@pytest.mark.parametrize(
    ("kind", "text", "newest"),
    [
        (
            FeedKind.DOTNET_INDEX,
            '{"latest-release-date": "2026-01-13"}, {"latest-release-date":"2026-02-10"}',
            "2026-02-10",
        ),
        (FeedKind.DOTNET_CVE, '{"last_updated": "2026-02-10"}', "2026-02-10"),
        (FeedKind.MSRC_UPDATES, '{"CurrentReleaseDate": "2026-02-10T08:00:00"}', "2026-02-10T08:00:00"),
        (FeedKind.MSRC_UPDATES, '{"CurrentReleaseDate": "2026-02-10T08:00:00Z"}', "2026-02-10T08:00:00"),
        (FeedKind.GITHUB_ADVISORIES, '[{"updated_at": "2026-02-10T08:00:00Z"}]', "2026-02-10T08:00:00"),
        (
            FeedKind.ANNOUNCEMENTS,
            '[{"created_at": "2026-02-10T08:00:00Z", "updated_at": "2026-03-01T00:00:00Z"}]',
            "2026-02-10T08:00:00",
        ),
        (FeedKind.IMAGE_ANNOUNCEMENTS, "<published>\n2026-02-10T08:00:00+00:00</published>", "2026-02-10T08:00:00"),
        (FeedKind.IMAGE_INFO, '{"created": "2026-02-10T08:00:00.1234567Z"}', "2026-02-10T08:00:00.123456"),
        (FeedKind.IMAGE_INFO, '{"created": "0001-01-01T00:00:00Z"}', "0001-01-01T00:00:00"),
        (FeedKind.IMAGE_INFO, '{"created": "2099-01-01T00:00:00Z", "x": {"created": "2026-02-10"}}', "2026-02-10"),
        (FeedKind.IMAGE_INFO, '{"created": "yesterday", "created": 5, "created": "2026-99-99"}', None),
        (FeedKind.IMAGE_INFO, "no JSON", None),
        (FeedKind.MSRC_BULLETIN, '{"CurrentReleaseDate": "2026-02-10T08:00:00"}', None),
        (FeedKind.DOTNET_RELEASES, '{"latest-release-date": "2026-02-10"}', None),
    ],
)
def test_the_newest_time_of_what_was_published_counts(kind: FeedKind, text: str, newest: str | None) -> None:
    expected = datetime.fromisoformat(newest).replace(tzinfo=UTC) if newest is not None else None
    assert newest_in(kind, text.encode(), NOON) == expected


def test_a_day_that_begins_earlier_where_it_is_published_is_none_to_come() -> None:
    tomorrow = NOON + timedelta(days=1)
    text = f'{{"latest-release-date": "{tomorrow:%Y-%m-%d}"}}'.encode()
    assert newest_in(FeedKind.DOTNET_INDEX, text, NOON) == tomorrow.replace(hour=0)
    assert newest_in(FeedKind.DOTNET_INDEX, text, NOON - timedelta(days=1)) is None


@pytest.mark.parametrize(
    ("kind", "name", "newest"),
    [
        (FeedKind.DOTNET_INDEX, "releases-index.json", "2025-12-09"),
        (FeedKind.DOTNET_CVE, "dotnet-cve-2025-10.json", "2025-10-14"),
        (FeedKind.IMAGE_INFO, "image-info-2025-12-30-8f362214.json", "2025-12-30"),
    ],
)
def test_published_documents_tell_their_age(kind: FeedKind, name: str, newest: str) -> None:
    found = newest_in(kind, published(name), NOON)
    assert f"{found:%Y-%m-%d}" == newest
