import json
import lzma
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.tags.tag import Prerelease, Tag, stamp_of
from tests.conftest import NO_SHARED_DATA, SHARED


@pytest.mark.parametrize(
    ("text", "version", "system", "variant", "architecture"),
    [
        ("8.0", "8.0", None, (), None),
        ("8.0-alpine3.22-composite", "8.0", "alpine3.22", ("composite",), None),
        ("9.0-bookworm-slim-arm64v8", "9.0", "bookworm", ("slim",), "arm64v8"),
        ("8.0-jammy-amd64", "8.0", "jammy", (), "amd64"),
        ("10.0.4-1-noble-chiseled-extra", "10.0.4", "noble", ("chiseled", "extra"), None),
        ("8.0-cbl-mariner-distroless", "8.0", "cbl-mariner", ("distroless",), None),
        ("8.0-cbl-mariner2.0-distroless", "8.0", "cbl-mariner2.0", ("distroless",), None),
        ("8.0-azurelinux3.0-distroless-extra", "8.0", "azurelinux3.0", ("distroless", "extra"), None),
        ("4.8.1-windowsservercore-ltsc2022", "4.8.1", "windowsservercore-ltsc2022", (), None),
        ("8.0.408-nanoserver-1809", "8.0.408", "nanoserver-1809", (), None),
        ("8.1-ubuntu-chiseled", "8.1", "ubuntu", ("chiseled",), None),
        ("1.2.3-x86_64", "1.2.3", None, (), "x86_64"),
        ("noble-20240423", "20240423", "noble", (), None),
        ("10.0-preview-trixie-slim-aot", "10.0", "trixie", ("slim", "aot"), None),
        ("4.8-windowsservercore-20H2", "4.8", "windowsservercore-20h2", (), None),
        ("linux-arm64-1.2.3", "1.2.3", None, (), "arm64"),
        ("3.9.5-eclipse-temurin-17-alpine", "3.9.5", "alpine", ("eclipse", "temurin", "17"), None),
        ("7.2.4-debian-11-r12", "7.2.4", "debian-11", (), None),
    ],
)
def test_tells_version_system_variant_and_architecture(
    text: str, version: str, system: str | None, variant: tuple[str, ...], architecture: str | None
) -> None:
    tag = Tag.parse(text)
    assert (tag.version, tag.system, tag.variant, tag.architecture) == (version, system, variant, architecture)


@pytest.mark.parametrize(
    "text", ["latest", "nanoserver-ltsc2022", "nanoserver-1809", "noble", "alpine3.22", "edge", "8u292-jdk", ""]
)
def test_what_names_no_release_has_no_version(text: str) -> None:
    assert Tag.parse(text).version is None


def test_a_windows_release_without_a_version_is_a_system() -> None:
    assert Tag.parse("nanoserver-ltsc2022").system == "nanoserver-ltsc2022"


@pytest.mark.parametrize(
    ("text", "precision"), [("8", 1), ("8.0", 2), ("8.0.11", 3), ("10.0.17763.1", 4), ("latest", 0)]
)
def test_precision_counts_the_numbers_written(text: str, precision: int) -> None:
    assert Tag.parse(text).precision == precision


@pytest.mark.parametrize(
    ("text", "prerelease"),
    [
        ("11.0-preview", "preview"),
        ("10.0.100-rc.1", "rc.1"),
        ("9.0.100-preview.7.24407.12-noble", "preview.7.24407.12"),
        ("7.4.0RC6-fpm", "rc.6"),
        ("22-ea-7", "ea.7"),
        ("10.1.0-M1-jdk17", "m.1"),
        ("6.0.0-milestone.3", "milestone.3"),
        ("3.0.0.CR1", "cr.1"),
        ("1.2.0-alpha.2", "alpha.2"),
        ("1.2.0-beta-3", "beta.3"),
        ("1.2.0-pre4", "pre.4"),
        ("1.2.0-dev.5", "dev.5"),
        ("1.2.0-nightly", "nightly"),
        ("1.2.0-snapshot", "snapshot"),
        ("1.2.0-canary.6", "canary.6"),
        ("1.2.0-unstable", "unstable"),
        ("1.2.0a7", "a.7"),
        ("1.2.0b8", "b.8"),
        ("1.2.0c9", "c.9"),
    ],
)
def test_the_prerelease_of_a_tag_is_read_however_it_is_written(text: str, prerelease: str) -> None:
    assert str(Tag.parse(text).prerelease) == prerelease


def test_a_word_for_development_further_on_is_a_variant() -> None:
    tag = Tag.parse("20.1.0-alpine-dev")
    assert not tag.is_prerelease
    assert tag.variant == ("dev",)


def test_a_rebuild_number_is_no_part_of_the_version() -> None:
    tag = Tag.parse("10.0.4-1-noble")
    assert (tag.version, tag.revisions) == ("10.0.4", ((1,),))


def test_a_date_is_no_part_of_the_version() -> None:
    tag = Tag.parse("4.8-20250909-windowsservercore-ltsc2022")
    assert (tag.version, tag.stamp) == ("4.8", "20250909")


def test_eight_digits_that_are_no_day_are_a_number() -> None:
    assert not Tag.parse("4.8-20251399").is_dated


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("2024-11-05", "20241105"),
        ("nightly-2024-11-05-slim", "20241105"),
        ("BUILD.2024-11-05T08-15-30Z", "20241105.081530"),
        ("build.20241105", "20241105"),
    ],
)
def test_a_moment_is_read_as_a_version_and_a_date(text: str, version: str) -> None:
    tag = Tag.parse(text)
    assert (tag.version, tag.stamp) == (version, "20241105")


@pytest.mark.parametrize(
    ("text", "version", "stamp"),
    [
        ("20241105T081530Z", "20241105.081530", "20241105"),
        ("edge-20241105T0815", "20241105.0815", "20241105"),
        ("20241105081530", "20241105081530", "20241105081530"),
        ("202411050815", "202411050815", "202411050815"),
        ("1.4-20241105081530-slim", "1.4", "20241105081530"),
        ("1.4-20241105t0815", "1.4", "202411050815"),
        ("1.4-20241105.2", "1.4", "20241105"),
    ],
)
def test_a_moment_may_be_written_without_hyphens(text: str, version: str, stamp: str) -> None:
    tag = Tag.parse(text)
    assert (tag.version, tag.stamp) == (version, stamp)


def test_what_follows_a_moment_is_read_as_behind_any_version() -> None:
    tag = Tag.parse("edge-2024-11-05T08-15-30Z-2-noble-slim-r3-0a1b2c3")
    assert (tag.prefix, tag.version, tag.revisions, tag.builds) == ("edge-", "20241105.081530", ((2,),), ((3,),))
    assert (tag.system, tag.variant, tag.commit) == ("noble", ("slim",), "0a1b2c3")


@pytest.mark.parametrize(
    ("text", "system"), [("noble-20240423", "noble"), ("alpine3.22_1.2", "alpine3.22"), ("edge-1.2", None)]
)
def test_a_system_may_stand_in_front_of_the_version(text: str, system: str | None) -> None:
    assert Tag.parse(text).system == system


@pytest.mark.parametrize(
    ("text", "names_one"),
    [
        ("8.0", False),
        ("8.0.11", False),
        ("1234", False),
        ("12345", True),
        ("12345.1", False),
        ("latest", False),
        ("10.0-preview", False),
        ("10.0-preview.1", True),
        ("1.2-20241105", True),
        ("1.2-1", True),
        ("1.2-slim-7", True),
        ("0a1b2c3", True),
        ("sha256-" + "a" * 64, True),
    ],
)
def test_a_tag_names_one_build_by_a_date_a_commit_a_count_or_a_numbered_prerelease(
    text: str, names_one: bool
) -> None:
    assert Tag.parse(text).names_one_build is names_one


@pytest.mark.parametrize(
    ("text", "floats"),
    [
        ("latest", True),
        ("10.0", True),
        ("10.0-noble", True),
        ("10", False),
        ("10.0.1", False),
        ("10.0-amd64", False),
        ("10.0-1", False),
        ("noble", False),
    ],
)
def test_a_channel_and_latest_float(text: str, floats: bool) -> None:
    assert Tag.parse(text).is_floating is floats


@pytest.mark.parametrize("text", ["202411052515", "20241105T2515", "1.4-20241105256199"])
def test_digits_that_are_no_time_are_no_moment(text: str) -> None:
    assert not Tag.parse(text).is_dated


def test_digits_with_hyphens_that_are_no_day_are_a_version_and_its_revisions() -> None:
    tag = Tag.parse("2024-13-05")
    assert (tag.version, tag.revisions, tag.stamp) == ("2024", ((13,), (5,)), None)


@pytest.mark.parametrize(
    ("text", "revisions", "commit"),
    [
        ("1.4.2-12-g0a1b2c3", ((12,),), "g0a1b2c3"),
        ("1.4.2-12.g0a1b2c3", ((12,),), "g0a1b2c3"),
        ("1.4.2.12.g0a1b2c3", ((12,),), "g0a1b2c3"),
        ("1.4.2.g0a1b2c", (), "g0a1b2c"),
        ("1.4.2-g0a1b2", (), "g0a1b2"),
    ],
)
def test_git_describe_is_no_part_of_the_version(
    text: str, revisions: tuple[tuple[int, ...], ...], commit: str
) -> None:
    tag = Tag.parse(text)
    assert (tag.version, tag.revisions, tag.commit, tag.words) == ("1.4.2", revisions, commit, ())


def test_a_short_word_with_g_is_no_commit() -> None:
    assert Tag.parse("1.4.2-gcc12").variant == ("gcc12",)


@pytest.mark.parametrize("text", ["309403913c7f0848e6616446edec909b55d53571", "1a2b3c4"])
def test_a_commit_is_no_version_even_where_it_starts_with_a_digit(text: str) -> None:
    assert Tag.parse(text).commit == text
    assert not Tag.parse(text).is_versioned


@pytest.mark.parametrize(
    ("text", "commit"),
    [
        ("sha-0a1b2c3", "0a1b2c3"),
        ("sha-1234567", "1234567"),
        ("git-abcdefa", "abcdefa"),
        ("main-1a23456", "1a23456"),
        ("feature-login-0a1b2c3-alpine", "0a1b2c3"),
    ],
)
def test_a_commit_behind_a_branch_is_no_version_either(text: str, commit: str) -> None:
    tag = Tag.parse(text)
    assert (tag.commit, tag.version, tag.names_one_build) == (commit, None, True)


def test_what_grows_behind_branch_and_commit_is_the_version() -> None:
    tag = Tag.parse("main-0a1b2c3-1704412800")
    assert (tag.prefix, tag.commit, tag.version) == ("main-", "0a1b2c3", "1704412800")


def test_digits_behind_a_branch_may_be_a_build_number() -> None:
    assert Tag.parse("master-1234567").version == "1234567"


@pytest.mark.parametrize("text", ["7.2.4-r0", "v1.28.4-k3s2", "2022-CU11-ubuntu-22.04", "1.2.3-build.5", "1.2-ls9"])
def test_a_count_with_letters_names_one_build(text: str) -> None:
    assert Tag.parse(text).names_one_build


@pytest.mark.parametrize("ending", ["", ".sig", ".att", ".sbom"])
def test_a_signature_is_no_image(ending: str) -> None:
    for text in (f"sha256-{'0123456789abcdef' * 4}{ending}", f"SHA512-{'0123456789ABCDEF' * 8}{ending}"):
        tag = Tag.parse(text)
        assert tag.artifact
        assert not tag.is_versioned


def test_every_tag_of_microsofts_inventory_is_understood() -> None:
    strange = [str(tag) for tag in inventory() if not tag.is_versioned or set(tag.variant) - KNOWN_VARIANTS]
    assert strange == []


KNOWN_VARIANTS = {"slim", "chiseled", "distroless", "composite", "extra", "aot"}


def inventory() -> list[Tag]:
    path = SHARED / "feeds" / "image-info-2025-12-17-ac8d5082.json.xz"
    if not path.exists():
        pytest.skip(NO_SHARED_DATA)
    document: dict[str, Any] = json.loads(lzma.decompress(path.read_bytes()))
    platforms = (
        platform for repo in document["repos"] for image in repo["images"] for platform in image["platforms"]
    )
    return [Tag.parse(text) for platform in platforms for text in platform["simpleTags"]]


tag_like = st.from_regex(r"\A[a-z0-9._-]{0,24}\Z", fullmatch=True)


@given(st.text() | tag_like)
def test_any_text_is_read_and_given_back_as_written(text: str) -> None:
    tag = Tag.parse(text)
    assert str(tag) == text
    assert Tag.parse(str(tag)) == tag
    assert tag.is_versioned == (tag.precision > 0)


@given(st.text(alphabet="0123456789.-_avrc", min_size=129, max_size=2000))
def test_a_text_longer_than_a_tag_has_no_version(text: str) -> None:
    assert not Tag.parse(text).is_versioned


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("V1.4-R3-Slim", {"prefix": "v", "version": "1.4", "words": ("r#", "slim"), "builds": ((3,),)}),
        ("Main-0A1B2C3-Alpine", {"commit": "0a1b2c3", "words": ("main", "alpine")}),
        ("FIX-0a1b2c3", {"commit": "0a1b2c3", "words": ("fix",)}),
        ("abcdef1-0a1b2c3", {"commit": "0a1b2c3"}),
        ("main-0a1b2c3_slim", {"commit": "0a1b2c3", "words": ("main", "slim")}),
        ("0A1B2C3", {"commit": "0a1b2c3"}),
        (
            "Edge-2024-11-05T08-15-30Z-2-noble_R3-0a1b2c3",
            {
                "prefix": "edge-",
                "version": "20241105.081530",
                "revisions": ((2,),),
                "stamp": "20241105",
                "commit": "0a1b2c3",
                "words": ("noble", "r#"),
                "builds": ((3,),),
            },
        ),
        ("2024-11-05", {"version": "20241105", "stamp": "20241105"}),
        ("1.4_8-jre", {"version": "1.4", "revisions": ((8,),), "complete": True, "words": ("jre",)}),
        ("1.4_8", {"version": "1.4", "revisions": ((8,),), "complete": True}),
        ("1.4-8", {"version": "1.4", "revisions": ((8,),)}),
        ("Jdk-17.0.2_8", {"prefix": "jdk-", "version": "17.0.2", "revisions": ((8,),), "complete": True}),
        ("1.4.2-1234567", {"version": "1.4.2", "commit": "1234567"}),
        ("1.4.2-10.2.33", {"version": "1.4.2", "revisions": ((10, 2, 33),)}),
        ("1.4.2-12345678", {"version": "1.4.2", "revisions": ((12345678,),)}),
        ("1.4-20241105.2", {"version": "1.4", "stamp": "20241105", "words": ("#",), "builds": ((2,),)}),
        ("1.4-20241105T0815Z", {"version": "1.4", "stamp": "202411050815"}),
        ("18991231", {"version": "18991231"}),
        ("19991231", {"version": "19991231", "stamp": "19991231"}),
        ("1.4-RC.1.2-Slim", {"version": "1.4", "prerelease": Prerelease("rc", (1, 2)), "words": ("slim",)}),
        ("1.4-RC", {"version": "1.4", "prerelease": Prerelease("rc")}),
        (
            "1.4.2.0.g0a1b2c3-slim",
            {"version": "1.4.2", "revisions": ((0,),), "commit": "g0a1b2c3", "words": ("slim",)},
        ),
        (
            "1.4.2-7.g0a1b2c3-slim",
            {"version": "1.4.2", "revisions": ((7,),), "commit": "g0a1b2c3", "words": ("slim",)},
        ),
        ("1.4.2.0-7.g0a1b2c3", {"version": "1.4.2.0", "revisions": ((7,),), "commit": "g0a1b2c3"}),
        ("1.4.2.12.G0A1B2C3", {"version": "1.4.2", "revisions": ((12,),), "commit": "g0a1b2c3"}),
        ("SHAX-1234567", {"prefix": "shax-", "version": "1234567"}),
        ("20241105.2", {"version": "20241105.2", "stamp": "20241105"}),
        (
            "Edge-20241105T0815-Slim",
            {"prefix": "edge-", "version": "20241105.0815", "stamp": "20241105", "words": ("slim",)},
        ),
        ("3.10-master-777", {"version": "3.10", "words": ("master", "#"), "builds": ((777,),)}),
        ("3.9-temurin-17.0.2", {"version": "3.9", "words": ("temurin", "17.0.2")}),
        ("3.9-debian-12", {"version": "3.9", "words": ("debian", "12")}),
        ("1.4-KB4487017", {"version": "1.4", "revisions": ((4487017,),)}),
        ("1.4-post3", {"version": "1.4", "revisions": ((3,),)}),
        ("1.4-cu11", {"version": "1.4", "words": ("cu#",), "builds": ((11,),)}),
        ("1.4-cu121", {"version": "1.4", "words": ("cu121",)}),
        ("1.4-eksbuild.2", {"version": "1.4", "words": ("eksbuild#",), "builds": ((2,),)}),
        ("1.4-rke2r1", {"version": "1.4", "words": ("rke2r#",), "builds": ((1,),)}),
        ("1.4.-slim", {"version": "1.4", "words": ("slim",)}),
        ("8u292-JDK", {"words": ("8u292", "jdk")}),
        ("1.4a", {"words": ("1.4a",)}),
        ("windows_1809", {"words": ("windows", "1809")}),
        ("a.b-c_1.2", {"prefix": "a.b-c_", "version": "1.2"}),
        ("1" * 128, {"version": "1" * 128}),
        ("A" * 129, {"words": ("a" * 128,)}),
        ("sha256-" + "a" * 64, {"artifact": True}),
    ],
)
def test_a_tag_is_taken_apart_and_nothing_is_added(text: str, parts: dict[str, Any]) -> None:
    assert Tag.parse(text) == Tag(text, **parts)


def test_a_tag_of_which_nothing_is_told_has_nothing() -> None:
    bare = Tag("x")
    assert (bare.prefix, bare.version, bare.prerelease, bare.stamp, bare.commit) == ("", None, None, None, None)
    assert (bare.revisions, bare.builds, bare.words) == ((), (), ())
    assert (bare.complete, bare.artifact) == (False, False)
    assert (bare.release, bare.parts, Prerelease("rc").numbers) == (None, (), ())


@pytest.mark.parametrize(
    ("text", "system", "variant"),
    [
        ("1.4-slim-20H2", None, ("slim", "20h2")),
        ("4.8-windows-ltsc2022-x", "windows-ltsc2022", ("x",)),
        ("4.8-windows-ltsc2019r2", "windows-ltsc2019r2", ()),
        ("1.4-alpine-3.22-slim", "alpine-3.22", ("slim",)),
        ("1.4-noble-amd64-12", "noble", ()),
        ("noble_1.4-jammy", "jammy", ()),
    ],
)
def test_a_release_belongs_to_the_system_that_it_stands_behind(
    text: str, system: str | None, variant: tuple[str, ...]
) -> None:
    assert (Tag.parse(text).system, Tag.parse(text).variant) == (system, variant)


def test_the_names_of_stages_stand_in_their_order() -> None:
    ranks = [("dev", "nightly"), ("ea",), ("alpha", "a"), ("beta", "b"), ("m", "milestone", "pre", "preview")]
    labels = [*ranks, ("rc", "c", "cr")]
    assert [{Prerelease(label, (2,)).rank for label in each} for each in labels] == [
        {(rank, (2,))} for rank in range(6)
    ]


@pytest.mark.parametrize(
    ("text", "stamp"),
    [
        ("20241105", "20241105"),
        ("20241105T1200", "202411051200"),
        ("20241105t120000", "20241105120000"),
        ("19991231", "19991231"),
        ("18991231", None),
        ("20240230", None),
        ("202411 5", None),
        ("2024", None),
    ],
)
def test_a_day_has_all_of_its_digits_and_is_of_our_time(text: str, stamp: str | None) -> None:
    assert stamp_of(text) == stamp
