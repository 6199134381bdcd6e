import json
import lzma
from contextlib import suppress
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.files.formats.dotnet.sdk_base import NoBase, Publish, base_of, framework_of, platform_of
from tests.conftest import NO_SHARED_DATA, SHARED


@pytest.mark.parametrize(
    ("name", "framework"),
    [
        ("net8.0", (8, 0)),
        ("NET10.0", (10, 0)),
        ("net8.0-windows10.0.19041", (8, 0)),
        ("netcoreapp3.1", (3, 1)),
        ("net48", None),
        ("netstandard2.0", None),
        ("", None),
    ],
)
def test_target_frameworks_that_run_in_a_container(name: str, framework: tuple[int, int] | None) -> None:
    assert framework_of(name) == framework


@pytest.mark.parametrize(
    ("runtime", "platform"),
    [
        ("linux-x64", "linux/amd64"),
        ("linux-musl-arm64", "linux/arm64"),
        ("linux-arm", "linux/arm/v7"),
        ("win-x64", "windows/amd64"),
        ("osx-arm64", None),
        ("linux", None),
    ],
)
def test_runtime_identifiers_as_platforms(runtime: str, platform: str | None) -> None:
    assert platform_of(runtime) == platform


@pytest.mark.parametrize(
    ("publish", "is_self_contained"),
    [
        (Publish((8, 0)), False),
        (Publish((8, 0), aot=True), True),
        (Publish((8, 0), aot=True, self_contained=False), False),
        (Publish((8, 0), self_contained=True, publish_self_contained=False), False),
        (Publish((8, 0), self_contained=False, publish_self_contained=True), True),
        (Publish((8, 0), built_for_runtime=True), False),
        (Publish((6, 0), built_for_runtime=True), True),
        (Publish((6, 0), trimmed=True), False),
    ],
)
def test_what_makes_a_publish_self_contained(publish: Publish, is_self_contained: bool) -> None:
    assert publish.is_self_contained is is_self_contained


@pytest.mark.parametrize(
    ("sdk", "tag"),
    [
        ("9.0.100", "9.0"),
        ("9.0.100-preview.4.24267.66", "9.0.0-preview.4"),
        ("9.0.100-rc.2", "9.0.0-rc.2"),
        ("9.0.200-preview.1", "9.0"),
        ("9.0.100-alpha.1", "9.0-preview"),
        ("9.0.100-dev", "9.0-preview"),
        ("9.0.100-ci", "9.0-preview"),
        ("9.0.100-rtm.24515.1", "9.0"),
        ("9.0.100-servicing.24515.1", "9.0"),
        ("10.0.100-rc.1", "9.0"),
        ("not a version", "9.0"),
    ],
)
def test_the_sdk_chooses_the_channel_of_its_own_pre_release(sdk: str, tag: str) -> None:
    assert base_of(Publish((9, 0), sdk=sdk)).tag == tag


@pytest.mark.parametrize("sdk", ["9.0.100-preview", "9.0.100-rc", "9.0.100-nightly.1"])
def test_an_sdk_whose_pre_release_has_no_image_is_refused(sdk: str) -> None:
    with pytest.raises(NoBase, match="knows no base"):
        base_of(Publish((9, 0), sdk=sdk))


@pytest.mark.parametrize(
    ("sdk", "tag"), [("9.0.100", "9.0-noble-chiseled-extra"), ("9.0.100-rtm.1", "9.0-noble-chiseled")]
)
def test_only_a_released_sdk_adds_extra_to_a_family(sdk: str, tag: str) -> None:
    assert base_of(Publish((9, 0), family="noble-chiseled", sdk=sdk)).tag == tag


@pytest.mark.parametrize(
    ("sdk", "system"),
    [("8.0.299", "jammy"), ("8.0.300-preview.1", "jammy"), ("8.0.300", "noble"), ("8.0.400-preview.1", "noble")],
)
def test_the_ubuntu_release_goes_with_the_sdk(sdk: str, system: str) -> None:
    base = base_of(Publish((8, 0), trimmed=True, invariant=True, sdk=sdk))
    assert base.tag == f"8.0-{system}-chiseled"


@pytest.mark.parametrize("sdk", ["12.0.100", None])
def test_the_ubuntu_release_of_an_sdk_of_tomorrow_is_not_that_of_today(sdk: str | None) -> None:
    with pytest.raises(NoBase, match="SDK 12 takes is not known"):
        base_of(Publish((12, 0), trimmed=True, sdk=sdk))
    assert base_of(Publish((12, 0), sdk=sdk)).tag == "12.0"


def test_every_base_of_a_supported_framework_is_one_that_microsoft_publishes() -> None:
    yes_or_no = [False, True]
    runtimes_named: list[tuple[str, ...]] = [(), ("linux-musl-x64",)]
    switches = product(runtimes_named, yes_or_no, yes_or_no, yes_or_no, yes_or_no, yes_or_no)
    bases = {
        base_of(
            Publish(
                framework, runtimes, aspnet=aspnet, trimmed=trimmed, single_file=single, aot=aot, invariant=plain
            )
        )
        for runtimes, aspnet, trimmed, single, aot, plain in switches
        for framework in ((8, 0), (9, 0), (10, 0))
    }
    # Withdrawn in 2025: the SDK still chooses it, it still resolves, and it no longer moves.
    assert {str(base) for base in bases} - inventory() == {"mcr.microsoft.com/dotnet/runtime-deps:8.0-alpine-extra"}


def inventory() -> set[str]:
    path = SHARED / "feeds" / "image-info-2025-12-17-ac8d5082.json.xz"
    if not path.exists():
        pytest.skip(NO_SHARED_DATA)
    document = json.loads(lzma.decompress(path.read_bytes()))
    return {
        f"mcr.microsoft.com/{repository['repo']}:{tag}"
        for repository in document["repos"]
        for image in repository["images"]
        for tag in (
            *(image.get("manifest") or {}).get("sharedTags", ()),
            *(tag for platform in image["platforms"] for tag in platform["simpleTags"]),
        )
    }


answers = st.none() | st.booleans()


@given(
    st.builds(
        Publish,
        st.tuples(st.integers(0, 99), st.integers(0, 9)),
        st.lists(st.sampled_from(["linux-x64", "linux-musl-x64", "win-x64", "x"])).map(tuple),
        family=st.sampled_from(["", "alpine", "noble-chiseled"]),
        self_contained=answers,
        publish_self_contained=answers,
        sdk=st.none()
        | st.text(max_size=20)
        | st.sampled_from(["8.0.100-rc.1", "9.0.100-preview", "10.0.100-alpha.1"]),
    )
)
def test_every_publish_has_a_base_or_is_refused(publish: Publish) -> None:
    with suppress(NoBase):
        base = base_of(publish)
        assert base.name in {
            f"mcr.microsoft.com/dotnet/{family}" for family in ("aspnet", "runtime", "runtime-deps")
        }
        assert base.tag
