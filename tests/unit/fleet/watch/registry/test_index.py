"""Each entry of an index is an image that is read, told as not judged, or marked as no image."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.bases.image import OCI_INDEX, OCI_MANIFEST, digest_of
from bot.domain.bases.observation import NotJudged
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base
from bot.fleet.watch.registry.index import MOST_PLATFORMS, MOST_TOLD
from bot.fleet.watch.registry.observe import DigestReading, read
from tests.fakes.registry import OCI_CONFIG, FakeRegistry
from tests.fakes.stores.watch import FakeWatchStore

NOW = datetime(2025, 11, 20, 9, 0, tzinfo=UTC)
BASE = Base("ghcr.io", "contoso/shop", "1")
ATTESTATION: dict[str, Any] = {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
BESIDE_LINUX = "stands beside images for Linux, which alone are compared"


class Images:
    """A registry to which images are pushed one by one, and then what lists them."""

    def __init__(self) -> None:
        self.registry = FakeRegistry()

    def image(self, content: str, platform: str = "linux/amd64", config_type: str = OCI_CONFIG) -> str:
        """The digest of a manifest whose configuration names the platform; of none where it is empty."""
        words = dict(zip(("os", "architecture"), platform.split("/"), strict=False)) if platform else {}
        config = self.registry.keep({**words, "config": {}, "created": "2025-11-11T18:00:00Z", "note": content})
        pointer = {"mediaType": config_type, "digest": config, "size": 1}
        layer = {"mediaType": "l", "digest": digest_of(content.encode()), "size": 1}
        return self.registry.keep(
            {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": pointer, "layers": [layer]}
        )

    def index(self, *entries: dict[str, Any]) -> str:
        return self.registry.keep({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries})

    async def read(self, *entries: dict[str, Any]) -> DigestReading:
        return await read(self.registry, FakeWatchStore([], ManualClock(NOW)), BASE, self.index(*entries))


def entry(digest: str, platform: str = "", media_type: str = OCI_MANIFEST, **more: Any) -> dict[str, Any]:
    listed: dict[str, Any] = {"mediaType": media_type, "digest": digest, "size": 1, **more}
    if platform:
        words, _, version = platform.partition(" ")
        listed["platform"] = dict(zip(("os", "architecture"), words.split("/"), strict=True))
        listed["platform"] |= {"os.version": version} if version else {}
    return listed


def shown(reading: DigestReading) -> list[tuple[str, str]]:
    return [(each.name, each.digest) for each in reading.platforms]


async def test_windows_beside_linux_is_told_build_by_build() -> None:
    images = Images()
    linux = images.image("a")
    builds = [
        entry(images.image(version, "windows/amd64"), f"windows/amd64 {version}")
        for version in ("10.0.17763.6414", "10.0.20348.2700")
    ]
    reading = await images.read(*builds, entry(linux, "linux/amd64"))
    assert shown(reading) == [("linux/amd64", linux)]
    assert reading.not_judged == (
        NotJudged("windows/amd64 10.0.17763.6414", BESIDE_LINUX),
        NotJudged("windows/amd64 10.0.20348.2700", BESIDE_LINUX),
    )


async def test_of_windows_alone_every_build_is_read() -> None:
    images = Images()
    builds = [images.image(version, "windows/amd64") for version in "abc"]
    reading = await images.read(*(entry(each, f"windows/amd64 10.0.{each[-4:]}") for each in builds))
    assert shown(reading) == [("windows/amd64", each) for each in builds]
    assert reading.not_judged == ()


async def test_several_images_of_one_platform_are_all_read() -> None:
    images = Images()
    first, second = images.image("first"), images.image("second")
    reading = await images.read(*(entry(each, "linux/amd64") for each in (first, second, first)))
    assert shown(reading) == [("linux/amd64", first), ("linux/amd64", second)]


async def test_an_entry_without_a_platform_beside_a_good_one_is_judged_by_its_configuration() -> None:
    images = Images()
    bare, named = images.image("bare", "linux/arm64"), images.image("named")
    reading = await images.read(entry(bare), entry(named, "linux/amd64"))
    assert shown(reading) == [("linux/arm64", bare), ("linux/amd64", named)]


async def test_a_configuration_without_a_platform_is_told() -> None:
    images = Images()
    bare, named = images.image("bare", ""), images.image("named")
    reading = await images.read(entry(bare), entry(named, "linux/amd64"))
    [told] = reading.not_judged
    assert told == NotJudged(f"{bare[:19]}…", "names no platform, and neither does its configuration")


@pytest.mark.parametrize("platform", ["", "linux/arm64"])
async def test_an_index_within_an_index_is_read(platform: str) -> None:
    images = Images()
    inner, named = images.image("inner", "linux/arm64"), images.image("named")
    nested = entry(images.index(entry(inner, "linux/arm64")), platform, OCI_INDEX)
    reading = await images.read(entry(named, "linux/amd64"), nested)
    assert shown(reading) == [("linux/amd64", named), ("linux/arm64", inner)]
    assert reading.not_judged == ()


async def test_an_index_deeper_within_is_told_and_not_read() -> None:
    images = Images()
    deepest = images.index(entry(images.image("deep", "linux/arm64"), "linux/arm64"))
    nested = images.index(entry(deepest, "linux/arm64", OCI_INDEX))
    reading = await images.read(entry(images.image("a"), "linux/amd64"), entry(nested, media_type=OCI_INDEX))
    assert reading.not_judged == (NotJudged("linux/arm64", "is an index within an index within an index"),)
    assert deepest not in reading.fetched


async def test_what_beside_an_image_is_gone_is_told() -> None:
    images = Images()
    gone = digest_of(b"gone")
    reading = await images.read(
        entry(images.image("a"), "linux/amd64"), entry(gone), entry(gone, "linux/arm64", OCI_INDEX)
    )
    assert sorted(reading.not_judged) == [
        NotJudged("linux/arm64", "is not there"),
        NotJudged(f"{gone[:19]}…", "is not there"),
    ]


@pytest.mark.parametrize("trouble", [Trouble.UNREACHABLE, Trouble.THROTTLED, Trouble.DENIED])
async def test_a_fault_of_the_world_is_no_word_on_an_entry(trouble: Trouble) -> None:
    images = Images()
    bare = images.image("bare", "linux/arm64")
    images.registry.troubles[bare] = Failure(trouble, "has a trouble")
    with pytest.raises(Failure, match="has a trouble"):
        await images.read(entry(images.image("a"), "linux/amd64"), entry(bare))


async def test_an_entry_that_cannot_be_read_is_told_as_it_is_shown() -> None:
    images = Images()
    odd = entry(images.image("odd"), "linux/a?b")
    reading = await images.read(entry(images.image("a"), "linux/amd64"), odd, entry("blake3:00"))
    assert [each.name for each in reading.not_judged] == ["linux/a?b", "blake3:00"]


async def test_attestations_and_artifacts_are_no_platforms() -> None:
    images = Images()
    helm = images.image("helm", "", "application/vnd.cncf.helm.config.v1+json")
    reading = await images.read(
        entry(images.image("a"), "linux/amd64"),
        entry(images.image("b", ""), "unknown/unknown", **ATTESTATION),
        entry(images.image("c", ""), "unknown/unknown"),
        entry(images.image("d", ""), artifactType="application/vnd.example+json"),
        entry(helm),
    )
    assert (len(reading.platforms), reading.not_judged) == (1, ())


@pytest.mark.parametrize("mark", [ATTESTATION, {"artifactType": "application/vnd.example+json"}])
async def test_what_is_marked_as_no_image_and_names_a_platform_is_told(mark: dict[str, Any]) -> None:
    images = Images()
    marked = entry(images.image("b", "linux/arm64"), "linux/arm64", **mark)
    reading = await images.read(entry(images.image("a"), "linux/amd64"), marked)
    assert reading.not_judged == (NotJudged("linux/arm64", "is marked as no image and yet names a platform"),)


async def test_beyond_its_bound_an_index_is_told_and_not_read() -> None:
    images = Images()
    bare = [entry(images.image(f"bare {number}", "linux/arm64")) for number in range(100)]
    reading = await images.read(entry(images.image("a"), "linux/amd64"), *bare)
    assert len(reading.platforms) == MOST_PLATFORMS
    assert len(reading.not_judged) == MOST_TOLD + 1
    assert str(reading.not_judged[-1]) == "19 more: are not told one by one"


KINDS = ["linux", "windows", "bare", "nested", "artifact", "odd", "gone"]


@given(st.lists(st.sampled_from(KINDS), max_size=8))
async def test_no_entry_is_forgotten(kinds: list[str]) -> None:
    images = Images()
    entries = []
    for number, kind in enumerate(kinds):
        image = images.image(str(number), "windows/amd64" if kind == "windows" else "linux/amd64")
        made = {
            "linux": entry(image, "linux/amd64"),
            "windows": entry(image, f"windows/amd64 10.0.{number}"),
            "bare": entry(image),
            "nested": entry(images.index(entry(image, "linux/amd64")), media_type=OCI_INDEX),
            "artifact": entry(image, artifactType="a/b"),
            "odd": entry(image, "linux/a?b", annotations={"n": str(number)}),
            "gone": entry(digest_of(f"gone {number}".encode())),
        }
        entries.append(made[kind])
    if not {"linux", "windows", "bare", "nested"} & set(kinds):
        return
    reading = await images.read(*entries)
    odd = min(kinds.count("odd"), 1)  # all of one name, and told once
    others = len(kinds) - kinds.count("artifact") - kinds.count("odd")
    assert len(reading.platforms) + len(reading.not_judged) == others + odd


async def test_an_observation_keeps_what_was_not_judged() -> None:
    images = Images()
    windows = entry(images.image("w", "windows/amd64"), "windows/amd64 10.0.1")
    reading = await images.read(entry(images.image("a"), "linux/amd64"), windows)
    assert reading.observation(BASE, NOW).not_judged == reading.not_judged
    assert json.dumps([str(each) for each in reading.not_judged]) == json.dumps(
        [f"windows/amd64 10.0.1: {BESIDE_LINUX}"]
    )
