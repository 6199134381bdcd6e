from datetime import UTC, datetime, timedelta

from bot.domain.feeds.document import StoredDocument, staleness

NOW = datetime(2025, 12, 9, 18, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def checked(ago: timedelta) -> StoredDocument:
    return StoredDocument("https://feeds.example/r.json", None, None, b"", NOW - 30 * DAY, NOW - ago)


def test_a_copy_confirmed_within_the_limit_is_not_stale_however_old_its_content() -> None:
    assert staleness(checked(DAY), NOW, DAY) is None


def test_a_stale_copy_is_told_with_its_age_and_what_it_means() -> None:
    assert staleness(checked(3 * DAY), NOW, DAY) == (
        "https://feeds.example/r.json was last read 3 days ago, more than the 24 h allowed: "
        "releases and fixes published since are not known"
    )
