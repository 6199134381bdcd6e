import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from bot.upstream.feeds.packages import FixedPackage, reach, versions_in_order


@pytest.mark.parametrize(
    "name",
    [
        "Microsoft.NETCore.App.Runtime.linux-musl-x64",
        "microsoft.netcore.app.runtime.LINUX-MUSL-X64",
        "Microsoft.NETCore.App.Runtime.Mono.linux-musl-arm64",
        "Microsoft.NETCore.App.Host.linux-musl-arm",
    ],
)
def test_runtime_packs_are_known_in_any_case_and_flavour(name: str) -> None:
    assert reach([FixedPackage(name, None)]).systems == {"musl"}


def test_runtime_packs_decide_over_the_build_tools_beside_them() -> None:
    pack = FixedPackage("Microsoft.AspNetCore.App.Runtime.win-x64", "8.0.21")
    touched = reach([FixedPackage("Microsoft.Build", "17.8.43"), pack])
    assert touched.families == {"aspnet", "sdk"}
    assert touched.versions == ("8.0.21",)


numbers = st.lists(st.integers(0, 99), min_size=3, max_size=3).map(lambda parts: ".".join(map(str, parts)))


@given(st.lists(numbers))
def test_versions_are_ordered_as_numbers(versions: list[str]) -> None:
    assert list(versions_in_order(versions)) == sorted({*versions}, key=Version)


def test_previews_come_before_their_release() -> None:
    texts = ["10.0.0", "10.0.0-rc.2.25502.107", "10.0.0-preview.7.25380.108", "10.0.0-rc.1.25451.107", "9.0.10"]
    assert versions_in_order(texts) == (texts[4], texts[2], texts[3], texts[1], texts[0])
