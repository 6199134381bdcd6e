"""What is behind is worded in one line, alike everywhere."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.bases.change import Cause, Change, SecurityRelease
from bot.domain.feeds.advisory import Severity
from bot.domain.reference import Base
from bot.domain.wording.moves import versions_reached, way_in_words
from tests.builders import NOON, change

RELEASES = (
    SecurityRelease(NOON - timedelta(days=63), "10.0.1"),
    SecurityRelease(NOON - timedelta(days=30), "10.0.3"),
)
CVES = tuple(f"CVE-2026-{number}" for number in range(1, 6))


def lacks(*ratings: Severity, cves: tuple[str, ...] = CVES, severity: Severity | None = None) -> Change:
    rated = tuple(zip(cves, ratings, strict=False))
    told = change(cves=cves, severity=severity, from_version="10.0.0", to_version="10.0.3")
    return replace(told, ratings=rated)


def test_it_tells_the_releases_the_cves_and_how_long_the_oldest_fix_is_out() -> None:
    assert way_in_words(lacks(Severity.HIGH, Severity.LOW), RELEASES, NOON) == (
        "10.0.0 → 10.0.3: 2 security releases, 5 CVEs (1 HIGH), oldest fix out for 63 days"
    )


def test_a_text_that_is_kept_names_the_day() -> None:
    assert way_in_words(lacks(), RELEASES).endswith(f"oldest fix out since {RELEASES[0].out_since:%Y-%m-%d}")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (lacks(Severity.HIGH, Severity.CRITICAL, Severity.HIGH), "5 CVEs (1 CRITICAL, 2 HIGH)"),
        (lacks(severity=Severity.MODERATE), "5 CVEs (up to MEDIUM)"),
        (lacks(cves=CVES[:1], severity=Severity.MODERATE), "1 CVE (MEDIUM)"),
        (replace(lacks(Severity.HIGH), not_relevant=CVES[:1]), "4 CVEs"),
        (replace(lacks(), not_relevant=CVES), "no CVE that concerns it"),
    ],
)
def test_cves_are_those_that_concern_it_with_how_many_are_severe(told: Change, words: str) -> None:
    assert way_in_words(told, (), NOON) == f"10.0.0 → 10.0.3: {words}"


def test_without_a_release_and_a_cve_it_is_the_versions_alone_and_without_these_nothing() -> None:
    assert way_in_words(lacks(cves=()), (), NOON) == "10.0.0 → 10.0.3"
    same = replace(lacks(cves=()), from_version="10.0.3")
    assert way_in_words(same, (), NOON) == ""


def step(family: str, before: str | None, after: str | None) -> Change:
    base = Base("mcr.microsoft.com", f"dotnet/{family}", "10.0")
    at = datetime(2026, 3, 10, tzinfo=UTC)
    return Change(base, at, "a", "b", Cause.DOTNET_RELEASE, Cause.DOTNET_RELEASE, before, after)


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([step("aspnet", "10.0.8", "10.0.9"), step("aspnet", "10.0.9", "10.0.10")], ".NET 10.0.10"),
        ([step("aspnet", "10.0.1", "10.0.2"), step("sdk", "10.0.101", "10.0.110")], ".NET 10.0.2"),
        ([step("sdk", "10.0.101", "10.0.110")], ".NET SDK 10.0.110"),
        ([step("aspnet", "10.0.1", "10.0.2"), step("aspnet", "8.0.20", "8.0.21")], ".NET 8.0.21, 10.0.2"),
        ([step("aspnet", "10.0.1", "10.0.1")], ""),
        ([step("runtime-deps", None, None)], ""),
    ],
)
def test_the_newest_version_of_each_channel_is_told(steps: list[Change], told: str) -> None:
    assert versions_reached(steps) == told
