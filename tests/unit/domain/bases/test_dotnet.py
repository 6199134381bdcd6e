import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.bases.dotnet import DotnetVersion


def parsed(text: str) -> DotnetVersion:
    version = DotnetVersion.parse(text)
    assert version is not None
    return version


def test_previews_come_before_candidates_before_the_final_version() -> None:
    ordered = [
        "11.0.0-alpha.1",
        "11.0.0-preview.1",
        "11.0.0-preview.2",
        "11.0.0-preview.10",
        "11.0.0-rc.1",
        "11.0.0",
    ]
    assert sorted(ordered, key=parsed) == ordered


@pytest.mark.parametrize(
    ("image", "feed"),
    [
        ("8.0.0-preview.1", "8.0.0-preview.1.23110.8"),
        ("11.0.100-rc.2", "11.0.100-rc.2.26502.107"),
        ("8.0.100-1", "8.0.100"),
        ("10.0.0-rtm.25523.111", "10.0.0"),
        ("8.0.11-servicing.24517.1", "8.0.11"),
    ],
)
def test_an_image_and_the_feed_may_spell_one_version_differently(image: str, feed: str) -> None:
    assert parsed(image) == parsed(feed)


@pytest.mark.parametrize("text", ["", "latest", "8.0", "8.0.x", "8.0.1.2", "1" * 200])
def test_what_is_no_version_is_none(text: str) -> None:
    assert DotnetVersion.parse(text) is None


def test_a_version_names_its_channel_and_its_feature_band() -> None:
    assert (parsed("10.0.304").channel, parsed("10.0.304").band) == ("10.0", 3)


@given(st.integers(0, 99), st.integers(0, 9), st.integers(0, 999), st.sampled_from(["", "-preview.3", "-rc.1"]))
def test_a_version_reads_what_it_prints(major: int, minor: int, patch: int, stage: str) -> None:
    text = f"{major}.{minor}.{patch}{stage}"
    assert str(parsed(text)) == text


@given(st.text(max_size=40))
def test_any_text_is_a_version_or_none(text: str) -> None:
    DotnetVersion.parse(text)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        (" v8.0.11\n", DotnetVersion(8, 0, 11)),
        ("V8.0.11", DotnetVersion(8, 0, 11)),
        ("8.0.0-RC.2", DotnetVersion(8, 0, 0, final=False, stage=("rc", 2))),
        ("8.0.0-preview", DotnetVersion(8, 0, 0, final=False, stage=("preview", 0))),
        ("8.0.0-rc.1-2", DotnetVersion(8, 0, 0, final=False, stage=("rc", 1))),
        ("10.0.0-RTM.25523.111", DotnetVersion(10, 0, 0)),
        ("8.0.11+0a1b2c", DotnetVersion(8, 0, 11)),
        ("8.0.11-1+0a1b2c", DotnetVersion(8, 0, 11)),
        ("8.0.11+" + "a" * 121, DotnetVersion(8, 0, 11)),
        ("8.0.11+" + "a" * 122, None),
        (None, None),
    ],
)
def test_a_version_is_read_however_it_is_spelled(text: str | None, version: DotnetVersion | None) -> None:
    assert DotnetVersion.parse(text) == version


def test_a_version_is_final_unless_it_says_otherwise() -> None:
    assert DotnetVersion(8, 0, 11) == DotnetVersion(8, 0, 11, final=True, stage=("", 0))
    assert [str(parsed(text)) for text in ("8.0.11", "8.0.0-preview")] == ["8.0.11", "8.0.0-preview.0"]


def test_numbers_count_before_the_stage() -> None:
    ordered = ["7.9.9", "8.0.9", "8.0.10-rc.1", "8.0.10", "8.1.0-preview.1"]
    assert sorted(ordered, key=parsed) == ordered
