"""Three years of Microsoft's publications: every conclusion against the recorded one."""

import json
import lzma
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.bases.change import Cause, Change
from bot.domain.reference import Base
from bot.fleet.assess.assess import assess, reassess
from bot.fleet.assess.baseline import BaseStanding, follow
from bot.upstream.dotnet.releases import ReleaseIndex
from bot.upstream.history.log import read_observations, read_release_log
from tests.conftest import NO_SHARED_DATA, SHARED

LOG = SHARED / "observations-2023-2025.jsonl.xz"
EXPECTED = SHARED / "expected-2023-2025.jsonl.xz"
RELEASES = SHARED / "releases-2023-2025.jsonl"
AFTERWARDS = datetime(2100, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not LOG.is_file(), reason=NO_SHARED_DATA)


@pytest.fixture(scope="module")
def detected() -> list[Change]:
    return list(_detected())


@pytest.fixture(scope="module")
def final(detected: list[Change]) -> dict[tuple[str, str, str], Change]:
    releases = ReleaseIndex(read_release_log(RELEASES))
    changes = [reassess(change, releases, {}, AFTERWARDS) or change for change in detected]
    return {_key(change): change for change in changes}


@pytest.fixture(scope="module")
def expected() -> dict[tuple[str, str, str], dict[str, Any]]:
    with lzma.open(EXPECTED, "rt") as lines:
        rows = [json.loads(line) for line in lines]
    return {(row["at"], row["repository"], row["tag"]): row for row in rows}


def test_the_same_bases_changed_at_the_same_moments(final: Any, expected: Any, detected: list[Change]) -> None:
    assert final.keys() == expected.keys()
    assert len(detected) == len(expected)


def test_every_cause_is_the_recorded_one(final: Any, expected: Any) -> None:
    wrong = [
        (key, row["cause"], final[key].cause) for key, row in expected.items() if final[key].cause != row["cause"]
    ]
    assert wrong == []


def test_every_change_fixes_the_recorded_cves_and_no_other(final: Any, expected: Any) -> None:
    wrong = [key for key, row in expected.items() if list(final[key].cves) != row.get("cves", [])]
    assert wrong == []


def test_every_digest_moved_from_and_to_the_recorded_one(final: Any, expected: Any) -> None:
    moved = {key: row for key, row in expected.items() if row["cause"] != Cause.WITHDRAWN}
    wrong = [
        key
        for key, row in moved.items()
        if (final[key].from_digest, final[key].to_digest) != (row["from"], row["to"])
    ]
    assert wrong == []


def test_at_detection_nothing_is_said_that_the_feed_had_not_shown(detected: list[Change]) -> None:
    shown: dict[str, datetime] = {}
    for row in read_release_log(RELEASES):
        for cve in row.cves:
            assert row.cves_listed_at is not None
            shown[cve] = min(shown.get(cve, AFTERWARDS), row.cves_listed_at)
    assert [change for change in detected for cve in change.cves if shown[cve] > change.at] == []


def test_two_fifths_of_the_security_fixes_were_there_before_the_feed(detected: list[Change], final: Any) -> None:
    fixes = [change for change in detected if final[_key(change)].cause is Cause.DOTNET_SECURITY]
    early = [change for change in fixes if change.cause is Cause.DOTNET_UNKNOWN]
    assert (len(early), len(fixes)) == (895, 2199)


def test_every_change_is_told_in_one_line(final: Any) -> None:
    assert all(
        change.detail and "\n" not in change.detail and len(change.detail) < 120 for change in final.values()
    )


def _detected() -> Iterator[Change]:
    releases = ReleaseIndex(read_release_log(RELEASES))
    standings: dict[Base, BaseStanding | None] = {}
    for observation in read_observations(LOG):
        standing, before = follow(standings.get(observation.base), observation)
        standings[observation.base] = standing
        if before is not None:
            yield assess(before, observation, releases, {}, observation.at)


def _key(change: Change) -> tuple[str, str, str]:
    return change.at.isoformat().replace("+00:00", "Z"), change.base.repository, change.base.tag
