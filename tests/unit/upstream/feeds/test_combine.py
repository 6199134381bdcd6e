from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.feeds.advisory import Advisory, Evidence, Severity
from bot.upstream.feeds import msrc
from bot.upstream.feeds.combine import SOURCES, combine, combine_all
from bot.upstream.feeds.dotnet import cve as dotnet_cve
from tests.unit.upstream.feeds.published import SEEN, published


def said(source: str, **fields: Any) -> Advisory:
    return Advisory("CVE-2025-55315", evidence=(Evidence(source, "x", SEEN),), **fields)


def test_the_highest_rating_counts_and_the_difference_is_told() -> None:
    combined = combine(
        [said("github", severity=Severity.CRITICAL, score=9.9), said("msrc", severity=Severity.HIGH, score=9.9)]
    )
    assert combined.severity is Severity.CRITICAL
    assert combined.disagreements == ("severity: msrc says HIGH; github says CRITICAL",)


def test_a_source_that_says_nothing_has_no_vote() -> None:
    combined = combine([said("msrc"), said("github", families=frozenset({"aspnet", "sdk"}), score=7.5)])
    assert combined.families == {"aspnet", "sdk"}
    assert combined.score == 7.5
    assert combined.disagreements == ()


def test_evidence_links_and_versions_of_all_sources_are_kept() -> None:
    combined = combine(
        [
            said("github", links=("https://b", "https://a"), fixed_versions=("9.0.10", "8.0.21")),
            said("msrc", links=("https://a",), fixed_versions=("8.0.21", "9.0.10")),
        ]
    )
    assert combined.links == ("https://a", "https://b")
    assert [proof.source for proof in combined.evidence] == ["msrc", "github"]
    assert combined.fixed_versions == ("8.0.21", "9.0.10")


def test_linux_as_such_is_narrowed_by_a_source_that_knows_the_c_library() -> None:
    combined = combine(
        [said("msrc", systems=frozenset({"linux", "musl", "windows"})), said("github", systems=frozenset({"musl"}))]
    )
    assert combined.systems == {"musl", "windows"}


def test_two_exact_sources_are_united_and_their_difference_is_told() -> None:
    combined = combine(
        [
            said("github", systems=frozenset({"musl"})),
            said("dotnet-announcements", systems=frozenset({"musl", "linux"})),
        ]
    )
    assert combined.systems == {"musl", "linux"}
    assert combined.disagreements == ("operating systems: github says musl; dotnet-announcements says linux, musl",)


def test_windows_alone_stays_windows_alone() -> None:
    only = frozenset({"windows"})
    assert combine([said("msrc", systems=only), said("github", systems=only)]).systems == only


def test_the_title_is_microsofts_own_where_there_is_one() -> None:
    assert combine([said("github", title="B"), said("msrc", title="A")]).title == "A"


def test_different_cves_are_not_combined() -> None:
    with pytest.raises(ValueError, match="exactly one CVE"):
        combine([Advisory("CVE-2025-0001"), Advisory("CVE-2025-0002")])


def test_published_documents_combine_by_cve() -> None:
    advisories = [
        *msrc.parse(published("msrc-cvrf-2025-Jun.xml"), SEEN).items,
        *dotnet_cve.parse(published("dotnet-cve-2025-10.json"), SEEN).items,
    ]
    assert list(combine_all(advisories)) == sorted(a.cve for a in advisories)


moments = st.integers(0, 9).map(lambda days: datetime(2025, 10, 1, tzinfo=UTC) + timedelta(days=days))
advisories = st.lists(
    st.builds(
        said,
        st.sampled_from([*SOURCES, "elsewhere"]),
        title=st.sampled_from(["", "A", "B"]),
        severity=st.none() | st.sampled_from(list(Severity)),
        score=st.none() | st.sampled_from([4.8, 7.5, 9.9]),
        published_at=st.none() | moments,
        families=st.frozensets(st.sampled_from(["runtime", "aspnet", "sdk"])),
        systems=st.frozensets(st.sampled_from(["linux", "musl", "windows", "macos"])),
        fixed_versions=st.lists(st.sampled_from(["8.0.21", "9.0.10"])).map(tuple),
        links=st.lists(st.sampled_from(["https://a", "https://b"])).map(tuple),
    ),
    min_size=1,
    max_size=5,
)


@given(advisories, st.randoms())
def test_the_order_of_the_sources_does_not_matter(given_advisories: list[Advisory], random: Any) -> None:
    shuffled = list(given_advisories)
    random.shuffle(shuffled)
    assert combine(shuffled) == combine(given_advisories)


@given(advisories)
def test_combining_what_is_combined_changes_nothing(given_advisories: list[Advisory]) -> None:
    combined = combine(given_advisories)
    assert combine([combined]) == combined
    assert combine([*given_advisories, *given_advisories]) == combined


@given(advisories)
def test_no_fix_looks_milder_or_reaches_less_far_than_a_source_says(given_advisories: list[Advisory]) -> None:
    combined = combine(given_advisories)
    for advisory in given_advisories:
        if advisory.severity is not None:
            assert combined.severity is not None
            assert combined.severity.rank >= advisory.severity.rank
        assert (combined.score or 0) >= (advisory.score or 0)
        assert combined.families >= advisory.families
        assert set(combined.fixed_versions) >= set(advisory.fixed_versions)
        if advisory.evidence[0].source not in ("msrc", "dotnet-cve"):
            assert combined.systems >= advisory.systems
        assert combined.systems >= advisory.systems - {"linux", "musl"}
