import json
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.failure import Failure
from bot.domain.feeds.advisory import Release
from bot.upstream.feeds.dotnet import releases as dotnet_releases
from bot.upstream.feeds.dotnet.releases import merge
from tests.conftest import SHARED
from tests.unit.upstream.feeds.published import CHANNELS, SEEN, published


def document(*releases: object, **overrides: object) -> bytes:
    value = {"channel-version": "8.0", "support-phase": "active", "eol-date": "2026-11-10", "releases": releases}
    return json.dumps(value | overrides).encode()


def release(version: str, at: datetime = SEEN, cves: tuple[str, ...] = ()) -> Release:
    listed = at if cves else None
    return Release("8.0", version, at, security=bool(cves), cves=cves, cves_listed_at=listed)


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_published_release_is_read(channel: str) -> None:
    data = published(f"releases-{channel}.json")
    parsed = dotnet_releases.parse(data, SEEN)
    assert parsed.problems == ()
    text = data.decode()
    assert [r.version for r in parsed.items] == re.findall(r'"release-version":\s*"([^"]+)"', text)
    assert Counter(cve for r in parsed.items for cve in r.cves) == Counter(
        re.findall(r'"cve-id":\s*"([^"]+)"', text)
    )
    assert sum(r.security for r in parsed.items) == len(re.findall(r'"security":\s*true', text))


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_is_read_agrees_with_the_independently_kept_history(channel: str) -> None:
    parsed = dotnet_releases.parse(published(f"releases-{channel}.json"), SEEN)
    found = {r.version: r for r in parsed.items}
    rows = map(json.loads, (SHARED / "releases-2023-2025.jsonl").read_text().splitlines())
    expected = {row["release"]: row for row in rows if row["channel"] == channel and row["release"] in found}
    assert len(expected) >= len(found) - 10
    for version, row in expected.items():
        read = found[version]
        assert (read.runtime, read.aspnetcore) == (row["runtime"], row["aspnetcore"])
        assert set(read.sdks) == set(row["sdks"])
        assert set(read.cves) == set(row["cves"])


def test_the_index_lists_every_channel_with_its_address() -> None:
    data = published("releases-index.json")
    parsed = dotnet_releases.parse_index(data, SEEN)
    assert parsed.problems == ()
    assert [c.channel for c in parsed.items] == re.findall(r'"channel-version": "([^"]+)"', data.decode())
    assert all(c.releases_url and c.releases_url.endswith(f"/{c.channel}/releases.json") for c in parsed.items)


def test_a_release_of_sdks_alone_has_no_runtime() -> None:
    row = {"release-version": "8.0.5", "runtime": None, "aspnetcore-runtime": {}, "sdk": {"version": "8.0.300"}}
    (read,) = dotnet_releases.parse(document(row), SEEN).items
    assert (read.runtime, read.aspnetcore, read.sdks) == (None, None, ("8.0.300",))


def test_the_main_sdk_comes_first_and_none_twice() -> None:
    sdks = [{"version": "8.0.302"}, {"version": "8.0.206"}]
    row = {"release-version": "8.0.6", "sdk": {"version": "8.0.302"}, "sdks": sdks}
    (read,) = dotnet_releases.parse(document(row), SEEN).items
    assert read.sdks == ("8.0.302", "8.0.206")


def test_a_malformed_release_is_named_and_the_others_are_read() -> None:
    parsed = dotnet_releases.parse(document({"release-version": 8}, {"release-version": "8.0.2"}), SEEN, "r.json")
    assert [r.version for r in parsed.items] == ["8.0.2"]
    assert [str(p) for p in parsed.problems] == [
        "r.json: releases[0]: release-version: Input should be a valid string; the entry is skipped"
    ]


def test_a_malformed_cve_does_not_cost_the_release() -> None:
    row = {"release-version": "8.0.2", "cve-list": [{"cve-id": "CVE-?"}, {"cve-id": "CVE-2024-21386"}]}
    parsed = dotnet_releases.parse(document(row), SEEN)
    assert parsed.items[0].cves == ("CVE-2024-21386",)
    assert "releases[0].cve-list[0]" in str(parsed.problems[0])


def test_a_document_of_which_nothing_can_be_read_is_one_failure() -> None:
    with pytest.raises(Failure, match=r"r\.json: none of its 30 entries can be read.*last good copy"):
        dotnet_releases.parse(document(*[{"version": "1"}] * 30), SEEN, "r.json")


def test_cves_that_appear_later_keep_the_first_sight_of_the_release() -> None:
    later = SEEN + timedelta(days=2)
    merged = merge({"8.0.2": release("8.0.2")}, [release("8.0.2", later, ("CVE-2024-21386",))])
    assert merged.releases["8.0.2"].published_at == SEEN
    assert merged.releases["8.0.2"].cves_listed_at == later
    assert merged.releases["8.0.2"].cves == ("CVE-2024-21386",)
    assert merged.changed == (merged.releases["8.0.2"],)
    assert merged.newly_published == ()


def test_a_rewritten_release_date_changes_the_date_alone() -> None:
    before = replace(release("8.0.2"), released_on=date(2024, 2, 13))
    after = replace(release("8.0.2", SEEN + timedelta(days=9)), released_on=date(2024, 2, 22))
    merged = merge({"8.0.2": before}, [after])
    assert merged.changed == (replace(before, released_on=date(2024, 2, 22)),)


def test_the_first_reading_of_a_channel_publishes_nothing_new() -> None:
    merged = merge({}, [release("8.0.1"), release("8.0.2", cves=("CVE-2024-21386",))])
    assert len(merged.changed) == 2
    assert merged.newly_published == ()


def test_a_later_release_of_a_known_channel_is_new() -> None:
    new = release("8.0.3", cves=("CVE-2024-21392",))
    merged = merge({"8.0.2": release("8.0.2")}, [release("8.0.2"), new])
    assert merged.newly_published == (new,)


def test_what_the_feed_no_longer_shows_stays_known() -> None:
    assert "8.0.1" in merge({"8.0.1": release("8.0.1")}, [release("8.0.2")]).releases


moments = st.integers(0, 100).map(lambda hours: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=hours))
cves = st.sampled_from([(), ("CVE-2025-0001",), ("CVE-2025-0002",), ("CVE-2025-0001", "CVE-2025-0002")])
readings = st.lists(
    st.builds(release, st.sampled_from(["8.0.1", "8.0.2", "8.0.3"]), moments, cves),
    unique_by=lambda r: r.version,
)


@given(readings, readings)
def test_merging_the_same_reading_again_changes_nothing(known: list[Release], parsed: list[Release]) -> None:
    once = merge({r.version: r for r in known}, parsed)
    again = merge(once.releases, parsed)
    assert again.releases == once.releases
    assert (again.changed, again.newly_published) == ((), ())


@given(st.lists(readings, max_size=4))
def test_first_seen_times_never_move_later(sequence: list[list[Release]]) -> None:
    known: dict[str, Release] = {}
    for parsed in sequence:
        after = merge(known, parsed).releases
        for version, before in known.items():
            assert after[version].published_at <= before.published_at
            if before.cves_listed_at is not None:
                listed_at = after[version].cves_listed_at
                assert listed_at is not None
                assert listed_at <= before.cves_listed_at
        known = dict(after)


@given(readings, readings)
def test_everything_changed_differs_and_everything_else_does_not(
    known: list[Release], parsed: list[Release]
) -> None:
    before = {r.version: r for r in known}
    merged = merge(before, parsed)
    changed = {r.version for r in merged.changed}
    assert changed == {v for v, r in merged.releases.items() if before.get(v) != r}
