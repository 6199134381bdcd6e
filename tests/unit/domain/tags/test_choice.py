from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.reference import Reference
from bot.domain.tags.choice import (
    DOTNET,
    GENERIC,
    PinStrength,
    TagPolicy,
    is_compatible,
    is_newer,
    pins,
    policy_for,
)
from tests.unit.domain.tags.choosing import choose_tag

DIGEST = f"sha256:{'ab' * 32}"


@pytest.mark.parametrize(
    ("reference", "pin"),
    [
        (f"mcr.microsoft.com/dotnet/aspnet:8.0@{DIGEST}", PinStrength.DIGEST),
        ("mcr.microsoft.com/dotnet/aspnet:8.0.11-noble", PinStrength.PATCH),
        ("mcr.microsoft.com/dotnet/sdk:10.0.100-rc.1", PinStrength.PATCH),
        ("mcr.microsoft.com/dotnet/framework/aspnet:4.8-20250909-windowsservercore-ltsc2022", PinStrength.PATCH),
        ("mcr.microsoft.com/dotnet/aspnet:8.0-noble", PinStrength.MINOR),
        ("mcr.microsoft.com/dotnet/aspnet:11.0-preview", PinStrength.MINOR),
        ("mcr.microsoft.com/dotnet/monitor:8", PinStrength.MAJOR),
        ("mcr.microsoft.com/dotnet/aspnet:latest", PinStrength.LATEST),
        ("mcr.microsoft.com/dotnet/aspnet", PinStrength.LATEST),
        ("ubuntu:noble", PinStrength.LATEST),
        ("alpine/git:1a2b3c4", PinStrength.PATCH),
        ("contoso/shop:sha-0a1b2c3", PinStrength.PATCH),
        ("contoso/shop:build-1704412800", PinStrength.PATCH),
        ("contoso/shop:20240105120000", PinStrength.PATCH),
    ],
)
def test_how_firmly_a_reference_is_pinned(reference: str, pin: PinStrength) -> None:
    assert pins(Reference.parse(reference)) is pin


@pytest.mark.parametrize(
    "reference",
    [
        "mcr.microsoft.com/dotnet/aspnet:8.0",
        "mcr.microsoft.com/dotnet/nightly/sdk:11.0",
        "contoso.azurecr.io/mirror/dotnet/runtime:8.0",
    ],
)
def test_dotnet_images_get_the_strict_policy_wherever_they_are_mirrored(reference: str) -> None:
    assert policy_for(Reference.parse(reference)) is DOTNET


@pytest.mark.parametrize("reference", ["ubuntu:17.04", "contoso/dotnet:1.0", "contoso/dotnet-tool:1.0"])
def test_others_get_the_generic_policy(reference: str) -> None:
    assert policy_for(Reference.parse(reference)) is GENERIC


def test_dotnet_stays_in_its_channel() -> None:
    available = ["8.0.11-noble", "8.0.12-noble", "8.1.0-noble", "9.0.1-noble", "10.0.0-noble"]
    assert choose_tag("8.0.11-noble", available, DOTNET) == "8.0.12-noble"


def test_dotnet_stays_on_its_system_and_variant() -> None:
    available = ["8.0.12-jammy-chiseled", "8.0.12-noble", "8.0.12-noble-chiseled-extra", "8.0.12"]
    assert choose_tag("8.0.11-noble-chiseled", available, DOTNET) == "8.0.11-noble-chiseled"


def test_dotnet_stays_on_its_architecture() -> None:
    available = ["8.0.12-noble-amd64", "8.0.12-noble-arm64v8", "8.0.12-noble"]
    assert choose_tag("8.0.11-noble-arm64v8", available, DOTNET) == "8.0.12-noble-arm64v8"


def test_a_floating_dotnet_tag_stays_as_it_is() -> None:
    assert (
        choose_tag("8.0-noble", ["8.0-noble", "8.0.12-noble", "9.0-noble", "10.0-preview-noble"], DOTNET)
        == "8.0-noble"
    )


def test_an_sdk_follows_its_channel_into_the_next_feature_band() -> None:
    # Microsoft publishes images for one feature band of a channel at a time, so an old band gets no more fixes.
    assert choose_tag("8.0.204", ["8.0.204", "8.0.300", "8.0.416", "9.0.308"], DOTNET) == "8.0.416"


@pytest.mark.parametrize(
    ("current", "chosen"), [("10.0.4-noble", "10.0.4-1-noble"), ("10.0.3-noble", "10.0.4-1-noble")]
)
def test_a_dotnet_image_rebuilt_under_a_revision_is_newer(current: str, chosen: str) -> None:
    assert choose_tag(current, ["10.0.3-noble", "10.0.4-noble", "10.0.4-1-noble"], DOTNET) == chosen


def test_a_dotnet_release_without_a_revision_follows_one_with() -> None:
    assert (
        choose_tag("10.0.4-1-noble", ["10.0.4-noble", "10.0.4-1-noble", "10.0.5-noble"], DOTNET) == "10.0.5-noble"
    )


@pytest.mark.parametrize("policy", [GENERIC, DOTNET])
@pytest.mark.parametrize("preview", ["8.0.12-preview.1", "8.0.12-rc1", "8.0.12-preview"])
def test_a_stable_tag_never_leads_to_a_preview(preview: str, policy: TagPolicy) -> None:
    assert not is_compatible("8.0.11", preview, policy)


def test_a_numbered_preview_leads_on_to_its_release() -> None:
    # A preview is supported only until its release.
    available = ["9.0.100-preview.7", "9.0.100-rc.1", "9.0.100", "10.0.100"]
    assert choose_tag("9.0.100-preview.7", available[:2], DOTNET) == "9.0.100-rc.1"
    assert choose_tag("9.0.100-rc.1", available, DOTNET) == "9.0.100"


def test_a_preview_channel_leads_only_to_its_like() -> None:
    assert not is_compatible("10.0-preview", "10.0", DOTNET)
    assert not is_compatible("20-dev", "22")
    assert is_compatible("20-dev", "22-dev")


def test_preview_comes_before_release_candidate_before_release() -> None:
    order = ["9.0.0-alpha.1", "9.0.0-preview.1", "9.0.0-preview.10", "9.0.0-rc.1", "9.0.0", "9.0.0-1", "9.0.1"]
    assert all(is_newer(a, b) and not is_newer(b, a) for a, b in pairwise(order))


def test_a_year_does_not_follow_a_counted_version() -> None:
    assert choose_tag("16.2", ["16.2", "16.3", "2012.1"]) == "16.3"


@pytest.mark.parametrize("later", ["202401", "20240105", "1704412800", "20240105120000"])
def test_a_moment_does_not_follow_a_counted_version(later: str) -> None:
    assert choose_tag("12", ["13", later]) == "13"


def test_a_moment_follows_one_of_its_kind() -> None:
    assert choose_tag("202312", ["202401", "13"]) == "202401"
    assert choose_tag("1704412800", ["1704412900", "20240105"]) == "1704412900"


def test_builds_are_counted_on_beyond_any_number_of_digits() -> None:
    assert choose_tag("build-99999", ["build-100000"]) == "build-100000"


def test_a_windows_release_is_never_crossed() -> None:
    assert choose_tag("nanoserver-1809", ["nanoserver-1903", "nanoserver-ltsc2022"]) == "nanoserver-1809"


@pytest.mark.parametrize(
    ("current", "available", "chosen"),
    [
        ("7.2.4-debian-11-r2", "7.2.4-debian-11-r10 7.2.5-debian-11-r0 7.4.0-debian-12-r1", "7.2.5-debian-11-r0"),
        ("7.2.4-debian-11-r2", "7.2.4-debian-11-r10 7.2.4-debian-11-r9", "7.2.4-debian-11-r10"),
        ("2022-CU11-ubuntu-22.04", "2022-CU9-ubuntu-22.04 2022-CU12-ubuntu-22.04", "2022-CU12-ubuntu-22.04"),
        ("v1.28.4-k3s2", "v1.28.5-k3s1 v1.29.0-rc1-k3s1 v1.28.4-k3s3", "v1.28.5-k3s1"),
        ("2.1.0-cu118", "2.1.0-cu121 2.2.0-cu121 2.2.0-cu118", "2.2.0-cu118"),
        ("1.2.3-20240105.9", "1.2.3-20240105.10 1.2.3-20240106.1 1.2.3-20240107", "1.2.3-20240106.1"),
    ],
)
def test_a_rebuild_counts_up_and_starts_again_with_the_next_release(
    current: str, available: str, chosen: str
) -> None:
    assert choose_tag(current, available.split()) == chosen


def test_the_version_of_another_product_is_never_crossed() -> None:
    available = ["3.9.6-eclipse-temurin-21", "3.9.6-eclipse-temurin-17", "3.9.7-amazoncorretto-17"]
    assert choose_tag("3.9.5-eclipse-temurin-17", available) == "3.9.6-eclipse-temurin-17"


def test_a_milestone_comes_before_its_release() -> None:
    assert choose_tag("2.0.0-M1", ["2.0.0-M2", "2.0.0-M10", "2.0.0-RC1"]) == "2.0.0-RC1"
    assert choose_tag("1.9.0", ["2.0.0-M2", "2.0.0.CR1", "1.9.1"]) == "1.9.1"


def test_a_commit_is_never_newer_than_another() -> None:
    assert choose_tag("sha-1234567", ["sha-2345678"]) == "sha-1234567"
    assert choose_tag("main-1a23456", ["main-2b34567"]) == "main-1a23456"


def test_a_branch_is_followed_by_the_number_behind_its_commit() -> None:
    available = ["main-0a1b2c4-1704412900", "next-0a1b2c5-1804412900", "main-1904412900"]
    assert choose_tag("main-0a1b2c3-1704412800", available) == "main-0a1b2c4-1704412900"


def test_what_is_available_may_be_anything() -> None:
    assert choose_tag("1.0.0", ["", "latest", "\x00", "9" * 200, "1.0.0", "-", "..", "1.0.1-slim"]) == "1.0.0"


numbers = st.lists(st.integers(0, 30), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
endings = st.sampled_from(
    [
        "",
        "",
        "-1",
        "-2",
        "-rc.1",
        "-rc.2",
        "-preview.3",
        "-preview",
        "-noble",
        "-alpine3.22",
        "_8",
        "-20250909",
        "a1",
    ]
)
tags = st.builds("{}{}{}".format, st.sampled_from(["", "", "v", "jdk-"]), numbers, endings) | st.from_regex(
    r"\A[a-z0-9._-]{1,16}\Z", fullmatch=True
)
policies = st.sampled_from([GENERIC, DOTNET])


@given(tags, tags, tags)
def test_newer_is_a_strict_order(a: str, b: str, c: str) -> None:
    assert not is_newer(a, a)
    assert not (is_newer(a, b) and is_newer(b, a))
    if is_newer(a, b) and is_newer(b, c):
        assert is_newer(a, c)


@given(tags, st.lists(tags, max_size=12), policies)
def test_the_chosen_tag_is_the_current_one_or_newer_and_compatible(
    current: str, available: list[str], policy: TagPolicy
) -> None:
    chosen = choose_tag(current, available, policy)
    assert chosen == current or (
        chosen in available and is_newer(current, chosen) and is_compatible(current, chosen, policy)
    )


@given(tags, st.lists(tags, max_size=12), policies)
def test_no_compatible_tag_is_newer_than_the_chosen_one(
    current: str, available: list[str], policy: TagPolicy
) -> None:
    chosen = choose_tag(current, available, policy)
    assert not any(is_newer(chosen, tag) and is_compatible(current, tag, policy) for tag in available)


@given(tags, st.lists(tags, max_size=12), policies)
def test_choosing_again_changes_nothing(current: str, available: list[str], policy: TagPolicy) -> None:
    chosen = choose_tag(current, available, policy)
    assert choose_tag(chosen, available, policy) == chosen


def test_a_moment_leads_to_a_later_one_of_its_kind() -> None:
    available = [
        "build.2024-11-05T08-15-30Z",
        "build.2024-11-05T21-00-00Z",
        "build.2025-01-01",
        "2025-02-01T00-00-00Z",
    ]
    assert choose_tag("build.2024-10-31T23-59-59Z", available) == "build.2024-11-05T21-00-00Z"


def test_prereleases_stand_in_the_order_of_their_names_and_before_their_release() -> None:
    order = ["1.0-dev.9", "1.0-ea.8", "1.0-alpha.7", "1.0-beta.6", "1.0-preview.5", "1.0-rc.4", "1.0"]
    assert all(is_newer(one, other) for one, other in pairwise(order))
    assert not any(is_newer(other, one) for one, other in pairwise(order))


@pytest.mark.parametrize(
    "names",
    [
        "1.0a1 1.0-alpha.1",
        "1.0b1 1.0-beta.1",
        "1.0-m1 1.0-milestone.1 1.0-pre.1 1.0-preview.1",
        "1.0c1 1.0-rc1 1.0-cr1",
    ],
)
def test_names_of_one_prerelease_are_as_new_as_each_other(names: str) -> None:
    assert not any(is_newer(one, other) for one, other in permutations(names.split(), 2))


def test_the_words_for_it_stay() -> None:
    assert [each.value for each in PinStrength] == ["digest", "patch", "minor", "major", "latest"]


def test_a_policy_may_let_a_minor_version_be_crossed_and_no_major_one() -> None:
    policy = TagPolicy(cross_major=False)
    assert is_compatible("1.2", "1.3", policy)
    assert not is_compatible("1.2", "2.2", policy)
    assert is_compatible("1.2", "2.3")


@pytest.mark.parametrize("text", ["latest", "noble", ""])
def test_what_has_no_version_stands_for_nothing(text: str) -> None:
    assert not is_compatible("1.2", text)
    assert not is_compatible(text, "1.2")


def test_a_policy_crosses_what_it_allows() -> None:
    assert TagPolicy() == GENERIC == TagPolicy(cross_major=True, cross_minor=True, optional_revision=False)
    assert TagPolicy(cross_major=False, cross_minor=False, optional_revision=True) == DOTNET


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("999", "1000"),
        ("2999", "3000"),
        ("99999", "100000"),
        ("99999999", "100000000"),
        ("20240105", "1704412800"),
        ("v2024", "v3000"),
    ],
)
def test_numbers_of_two_kinds_do_not_stand_for_each_other(one: str, other: str) -> None:
    assert not is_compatible(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("12", "99"), ("1000", "2999"), ("3000", "99999"), ("100000", "99999998"), ("r-999", "r-1000")],
)
def test_numbers_of_one_kind_stand_for_each_other(one: str, other: str) -> None:
    assert is_compatible(one, other)


def test_of_one_release_the_one_with_a_date_is_newer() -> None:
    assert is_newer("1.4", "1.4-20241105")
    assert not is_newer("1.4-20241105", "1.4")
    assert not is_compatible("1.4", "1.4-20241105")


@pytest.mark.parametrize(
    ("one", "other", "generic", "dotnet"),
    [
        ("1.4-1", "1.4-2", True, True),
        ("1.4-1", "1.4-2.3", False, True),
        ("1.4_1", "1.4_1.2", True, True),
        ("1.4_1", "1.4.1_1", True, True),
        ("1.4_1", "1.5_1", True, False),
        ("1.4_8", "1.4-8", False, False),
        ("1.4-rc.1", "1.4", True, True),
        ("1.4-rc.1", "1.4-beta.1", True, True),
        ("1.4-rc", "1.4-rc.1", False, False),
        ("1.4-rc.1", "1.4-rc", False, False),
        ("1.4-rc", "1.4-dev", False, False),
        ("1.4-0a1b2c3", "1.4-1b2c3d4", True, True),
        ("1.4-0a1b2c3", "1.4", False, False),
    ],
)
def test_a_tag_stands_for_one_of_its_shape(one: str, other: str, generic: bool, dotnet: bool) -> None:
    assert (is_compatible(one, other), is_compatible(one, other, DOTNET)) == (generic, dotnet)
