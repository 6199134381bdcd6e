"""The names that a platform goes by, and the one that is compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.platform import InvalidPlatform, Platform

WORDS = st.sampled_from(
    ["", "linux", "Windows", "ARM", "amd64", "x86_64", "aarch64", "armhf", "v1", "v7", "v8", "8", "é"]
)


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("linux/amd64", "linux/amd64"),
        ("linux/amd64/v1", "linux/amd64"),
        ("linux/amd64/v3", "linux/amd64/v3"),
        ("linux/x86_64", "linux/amd64"),
        ("linux/x86-64/v2", "linux/amd64/v2"),
        ("linux/i386", "linux/386"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm64/8", "linux/arm64"),
        ("linux/arm64/v9.0", "linux/arm64/v9"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/7", "linux/arm/v7"),
        ("linux/arm/v6", "linux/arm/v6"),
        ("linux/armhf", "linux/arm/v7"),
        ("linux/armel", "linux/arm/v6"),
        ("Linux/ARM64", "linux/arm64"),
        ("macos/arm64", "darwin/arm64"),
        ("windows(10.0.20348.1)/amd64", "windows/amd64"),
        ("linux/loongarch64", "linux/loongarch64"),
        ("arm64", "linux/arm64"),
        ("armhf", "linux/arm/v7"),
        ("s390x", "linux/s390x"),
    ],
)
def test_each_platform_has_one_name(text: str, platform: str) -> None:
    """Source: the cases of containerd's `platforms_test.go`."""
    assert str(Platform.parse(text)) == platform


@pytest.mark.parametrize(
    "text",
    [
        "",
        "linux",
        "windows",
        "latest",
        "linux/",
        "/amd64",
        "linux//v7",
        "linux/arm/v7/x",
        "linux/*",
        "linux/amd 64",
        "linux/amd64\n",
        "linux(1/amd64",
        "linux/" + "a" * 33,
    ],
)
def test_what_names_no_system_and_architecture_is_no_platform(text: str) -> None:
    with pytest.raises(InvalidPlatform, match="linux"):
        Platform.parse(text)


@given(st.lists(WORDS, min_size=1, max_size=4).map("/".join))
def test_a_platform_is_read_back_as_it_is_written(text: str) -> None:
    try:
        platform = Platform.parse(text)
    except InvalidPlatform:
        return
    assert Platform.parse(str(platform)) == platform
