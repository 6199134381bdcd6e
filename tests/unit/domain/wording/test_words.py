from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.wording.words import counted, duration, first_few, in_words, percent, rounded_up


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0"),
        (40, "40 s"),
        (2160, "36 min"),
        (3600, "1 h"),
        (5400, "1.5 h"),
        (86400, "24 h"),
        (1_624_320, "19 days"),
    ],
)
def test_lengths_are_told_in_the_unit_that_fits(seconds: int, text: str) -> None:
    assert duration(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("number", "word", "text"),
    [(1, "base", "1 base"), (2, "repository", "2 repositories"), (0, "security fix", "0 security fixes")],
)
def test_counts_agree_with_their_words(number: int, word: str, text: str) -> None:
    assert counted(number, word) == text


def test_a_probable_time_is_told_to_the_next_ten_minutes() -> None:
    at = datetime(2026, 3, 10, 12, 20, tzinfo=UTC)
    assert rounded_up(at) == at
    assert rounded_up(at + timedelta(seconds=1)) == at + timedelta(minutes=10)


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0%"), (0.0002, "less than 1%"), (0.5, "50%"), (0.996, "over 99%"), (0.9998, "over 99%"), (1, "100%")],
)
def test_all_and_nothing_are_only_said_where_they_are_so(share: float, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(
    ("names", "text"),
    [("", ""), ("a", "a"), ("abc", "a, b, c"), ("abcde", "a, b, c and 2 more")],
)
def test_a_long_list_names_its_first_and_counts_the_rest(names: str, text: str) -> None:
    assert first_few(names) == text


def test_kinds_are_told_without_hyphens() -> None:
    assert in_words("not-seen") == "not seen"
    assert in_words("current") == "current"
