"""What all scanners' reports say in words and numbers that mean the same in each."""

from datetime import UTC, datetime

import pytest

from bot.domain.failure import Failure
from bot.domain.packages.cves.detected import Rating
from bot.images.scanners.report import (
    aliases_among,
    bounded_line,
    highest,
    image_id_of,
    moment_of,
    name_of,
    platform_in,
    rating_of_score,
    severities,
    without_tag,
)

DIGEST = f"sha256:{'a' * 64}"


def test_severities_are_listed_in_either_case_with_blanks_and_commas_too_many() -> None:
    assert severities(" high, ,Critical,") == {Rating.HIGH, Rating.CRITICAL}


@pytest.mark.parametrize("text", ["", ",", "HIGH,SEVERE"])
def test_a_word_that_is_no_severity_is_refused_with_those_that_are(text: str) -> None:
    with pytest.raises(Failure, match="UNKNOWN, LOW, MEDIUM, HIGH, CRITICAL"):
        severities(text)


@pytest.mark.parametrize(
    ("score", "rating", "of_version_2"),
    [
        (10.0, Rating.CRITICAL, Rating.HIGH),
        (9.0, Rating.CRITICAL, Rating.HIGH),
        (8.9, Rating.HIGH, Rating.HIGH),
        (6.9, Rating.MEDIUM, Rating.MEDIUM),
        (3.9, Rating.LOW, Rating.LOW),
        (0.0, Rating.UNKNOWN, Rating.UNKNOWN),
        (10.1, Rating.UNKNOWN, Rating.UNKNOWN),
        (True, Rating.UNKNOWN, Rating.UNKNOWN),
        ("9.8", Rating.UNKNOWN, Rating.UNKNOWN),
    ],
)
def test_a_score_is_in_a_band_of_which_version_2_has_no_critical(
    score: object, rating: Rating, of_version_2: Rating
) -> None:
    assert (rating_of_score(score), rating_of_score(score, is_of_version_2=True)) == (rating, of_version_2)


def test_the_highest_of_no_ratings_is_unknown() -> None:
    assert highest([Rating.LOW, Rating.HIGH, Rating.MEDIUM]) is Rating.HIGH
    assert highest([]) is Rating.UNKNOWN


@pytest.mark.parametrize("value", [None, 1, "", "latest", DIGEST[:-1]])
def test_only_a_digest_is_the_id_of_an_image(value: object) -> None:
    assert image_id_of(value) == ""
    assert image_id_of(DIGEST) == DIGEST


def test_a_platform_is_told_as_a_whole_or_not() -> None:
    assert platform_in({"os": "linux", "architecture": "arm64", "variant": "v8"}) == "linux/arm64"
    assert platform_in({"os": "linux"}) == platform_in({"architecture": "arm64", "os": None}) == ""


def test_a_scanner_has_its_name_in_few_words_or_the_one_that_is_meant() -> None:
    assert name_of(f" {'x' * 100}", "Trivy") == "x" * 59
    assert name_of(" ", "Trivy") == name_of(None, "Trivy") == "Trivy"


def test_a_text_is_kept_on_one_line_that_any_terminal_shows() -> None:
    assert bounded_line("a\x1b[1m\nb").isprintable()
    assert bounded_line("x" * 1_000) == "x" * 512
    assert bounded_line(None) == bounded_line(["a"]) == ""


@pytest.mark.parametrize("value", [None, "", "2026-11-27", "2026-11-27T10:00:00", "0001-01-01T00:00:00+14:00"])
def test_a_moment_without_a_time_zone_is_none(value: object) -> None:
    assert moment_of(value) is None
    assert moment_of("2026-11-27T10:00:00+02:00") == datetime(2026, 11, 27, 8, tzinfo=UTC)


def test_other_names_of_a_vulnerability_are_those_of_github_once_each() -> None:
    github = "GHSA-5crp-9r3c-p9vr"
    assert aliases_among([github, "USN-1-1", github, None]) == (github,)
    assert aliases_among(github) == aliases_among(None) == ()


@pytest.mark.parametrize(
    "name", ["localhost:5000/shop", "localhost:5000/shop:1.0", f"localhost:5000/shop:1@{DIGEST}"]
)
def test_the_name_of_an_image_is_without_its_tag_and_digest_and_with_its_port(name: str) -> None:
    assert without_tag(name) == "localhost:5000/shop"
