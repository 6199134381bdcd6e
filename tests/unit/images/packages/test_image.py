import json
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from bot.domain.bases.image import Descriptor, Index, Manifest
from bot.domain.failure import Failure, Trouble
from bot.domain.packages.package import Distribution
from bot.images.packages.image import choose_digest, read_image
from bot.images.packages.layers.layer import LayerContents
from tests.unit.images.packages.archives import STATUS, BlobsInMemory, archive, digest, paragraph, zipped, zstd

CONFIG = Descriptor("application/vnd.oci.image.config.v1+json", "sha256:" + "0" * 64, 2)


def image(*layers: bytes) -> tuple[Manifest, BlobsInMemory]:
    return Manifest(CONFIG, tuple(digest(layer) for layer in layers)), BlobsInMemory(*layers)


async def test_layers_are_laid_over_each_other() -> None:
    base = zipped(archive({STATUS: paragraph("libssl3t64", "3.0.13-0ubuntu3.5"), "etc/os-release": b"ID=ubuntu\n"}))
    update = zstd(archive({STATUS: paragraph("libssl3t64", "3.0.13-0ubuntu3.6")}))
    found = await read_image(*image(base, update))
    assert [(each.name, each.version) for each in found.packages] == [("libssl3t64", "3.0.13-0ubuntu3.6")]
    assert found.distribution == Distribution("ubuntu", "")
    assert found.problems == ()


async def test_a_hostile_layer_hinders_no_other() -> None:
    good, bad = archive({STATUS: paragraph("a")}), b"no archive" * 100
    found = await read_image(*image(good, bad))
    assert [each.name for each in found.packages] == ["a"]
    assert found.problems == (
        f"layer {digest(bad)[:19]}…: is no tar archive, or a damaged one; nothing of it is used",
    )


async def test_a_blob_that_is_another_is_a_problem() -> None:
    good, other = archive({STATUS: paragraph("a")}), archive({STATUS: paragraph("evil")})
    manifest, blobs = image(good)
    blobs.blobs[digest(good)] = other
    found = await read_image(manifest, blobs)
    assert found.packages == ()
    assert "is not what its digest names" in found.problems[0]


async def test_a_layer_that_is_not_there_is_a_problem() -> None:
    class Partial(BlobsInMemory):
        async def blob(self, digest: str) -> AsyncGenerator[bytes, None]:
            if digest == CONFIG.digest:
                raise Failure(Trouble.MISSING, "is not there", where="blob")
            async for chunk in super().blob(digest):
                yield chunk

    good = archive({STATUS: paragraph("a")})
    found = await read_image(Manifest(CONFIG, (CONFIG.digest, digest(good))), Partial(good))
    assert [each.name for each in found.packages] == ["a"]
    assert found.problems == ("blob: is not there",)


async def test_a_registry_that_does_not_answer_is_no_empty_image() -> None:
    class Silent(BlobsInMemory):
        async def blob(self, digest: str) -> AsyncGenerator[bytes, None]:
            raise Failure(Trouble.UNREACHABLE, "does not answer", where="registry")
            yield b""

    with pytest.raises(Failure, match="does not answer"):
        await read_image(Manifest(CONFIG, (CONFIG.digest,)), Silent())


async def test_a_layer_that_is_known_is_not_fetched_again() -> None:
    base, first, second = archive({STATUS: paragraph("a")}), archive({"x": b"1"}), archive({"x": b"2"})
    kept: dict[str, LayerContents] = {}
    blobs = BlobsInMemory(base, first, second)
    for top in (first, second):
        await read_image(Manifest(CONFIG, (digest(base), digest(top))), blobs, kept=kept)
    assert sorted(blobs.fetched) == sorted(map(digest, (base, first, second)))


def index(**platforms: str) -> Index:
    return Index(
        tuple(
            Descriptor("application/vnd.oci.image.manifest.v1+json", each, 1, name.replace("_", "/"))
            for name, each in platforms.items()
        )
    )


def manifest_body(layer: str) -> bytes:
    entry = {"mediaType": CONFIG.media_type, "digest": layer, "size": 1}
    return json.dumps({"schemaVersion": 2, "config": entry, "layers": [entry]}).encode()


async def test_the_platform_asked_for_is_read() -> None:
    amd, arm = (manifest_body(f"sha256:{letter * 64}") for letter in "ab")
    blobs = BlobsInMemory(amd, arm)
    both = index(linux_amd64=digest(amd), linux_arm64=digest(arm))
    assert await choose_digest(both, "", blobs, "linux/arm64") == digest(arm)
    assert await choose_digest(both, "", blobs, None) == digest(amd)
    with pytest.raises(Failure, match=r"no image for linux/s390x: it has linux/amd64, linux/arm64"):
        await choose_digest(both, "", blobs, "linux/s390x")


async def test_windows_is_read_where_it_is_asked_for() -> None:
    linux, windows = (manifest_body(f"sha256:{letter * 64}") for letter in "ab")
    blobs = BlobsInMemory(linux, windows)
    both = index(linux_amd64=digest(linux), windows_amd64=digest(windows))
    assert await choose_digest(both, "", blobs, "windows/amd64") == digest(windows)
    assert await choose_digest(both, "", blobs, None) == digest(linux)
    with pytest.raises(Failure, match=r"no image for windows/arm64: it has linux/amd64, windows/amd64"):
        await choose_digest(both, "", blobs, "windows/arm64")


def nested(body: bytes, platform: str | None) -> tuple[bytes, Descriptor]:
    """An index of one image, and the entry for it in another one."""
    listed = {"mediaType": "m", "digest": digest(body), "size": 1}
    within = json.dumps({"schemaVersion": 2, "manifests": [listed]}).encode()
    return within, Descriptor("application/vnd.oci.image.index.v1+json", digest(within), 1, platform)


async def test_of_indexes_within_the_one_for_the_platform_is_followed() -> None:
    bodies = [manifest_body(f"sha256:{letter * 64}") for letter in "ab"]
    (amd, to_amd), (arm, to_arm) = (
        nested(body, f"linux/{name}") for body, name in zip(bodies, ("amd64", "arm64"), strict=True)
    )
    blobs, outer = BlobsInMemory(*bodies, amd, arm), Index((to_amd, to_arm))
    assert await choose_digest(outer, "", blobs, "linux/arm64") == digest(bodies[1])
    assert await choose_digest(outer, "", blobs, None) == digest(bodies[0])


async def test_what_no_image_beside_is_for_is_looked_for_in_the_index_within() -> None:
    amd, arm = (manifest_body(f"sha256:{letter * 64}") for letter in "ab")
    within, to_arm = nested(arm, None)
    outer = Index((*index(linux_amd64=digest(amd)).entries, to_arm))
    chosen = await choose_digest(outer, "", BlobsInMemory(amd, arm, within), "linux/arm64")
    assert chosen == digest(arm)


async def test_a_platform_is_asked_for_only_where_it_tells_images_apart() -> None:
    bodies = [manifest_body(f"sha256:{letter * 64}") for letter in "ab"]
    without = Index(tuple(nested(body, None)[1] for body in bodies))
    for platform in (None, "linux/arm64"):
        with pytest.raises(Failure, match="which image is meant: it has 2 images") as refused:
            await choose_digest(without, "", BlobsInMemory(), platform)
        assert "--platform" not in str(refused.value)
    with pytest.raises(Failure, match="name one with --platform"):
        await choose_digest(index(linux_arm_v6=digest(b"6"), linux_arm_v7=digest(b"7")), "", BlobsInMemory(), None)


async def test_attestations_are_no_images_and_nested_indexes_are_followed() -> None:
    body = manifest_body("sha256:" + "a" * 64)
    inner = json.dumps(
        {
            "schemaVersion": 2,
            "manifests": [
                {
                    "mediaType": "m",
                    "digest": digest(body),
                    "size": 1,
                    "platform": {"os": "linux", "architecture": "arm"},
                },
                {
                    "mediaType": "m",
                    "digest": "sha256:" + "f" * 64,
                    "size": 1,
                    "platform": {"os": "unknown", "architecture": "unknown"},
                },
            ],
        }
    ).encode()
    outer = Index((Descriptor("application/vnd.oci.image.index.v1+json", digest(inner), 1),))
    assert await choose_digest(outer, "", BlobsInMemory(body, inner), None) == digest(body)


async def test_an_index_within_an_index_without_end_is_refused() -> None:
    inner = Index((Descriptor("application/vnd.oci.image.index.v1+json", "sha256:" + "0" * 64, 1),))

    class Nested(BlobsInMemory):
        async def document(self, digest: str) -> bytes:
            entry = {"mediaType": inner.entries[0].media_type, "digest": digest, "size": 1}
            return json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()

    with pytest.raises(Failure, match="nests its indexes too deeply"):
        await choose_digest(inner, "", Nested(), None)


@pytest.mark.parametrize("depth", [1, 2, 3])
async def test_an_image_within_as_many_indexes_as_are_followed_is_found(depth: int) -> None:
    body = manifest_body("sha256:" + "a" * 64)
    blobs, (data, entry) = BlobsInMemory(body), (body, Descriptor("m", digest(body), 1))
    for _ in range(depth - 1):
        listed = {"mediaType": entry.media_type, "digest": digest(data), "size": 1}
        data = json.dumps({"schemaVersion": 2, "manifests": [listed]}).encode()
        blobs.blobs[digest(data)] = data
        entry = Descriptor("application/vnd.oci.image.index.v1+json", digest(data), 1)
    assert await choose_digest(Index((entry,)), "", blobs, None) == digest(body)


async def test_an_index_of_nothing_but_attestations_lists_no_image() -> None:
    attestation = Descriptor("m", digest(b"x"), 1, is_artifact=True)
    for entries in ((), (attestation,), (replace(attestation, platform="unknown/unknown"),)):
        with pytest.raises(Failure, match="lists no image"):
            await choose_digest(Index(entries), "", BlobsInMemory(), None)


async def test_beside_images_that_tell_their_platform_one_that_does_not_is_none_of_them() -> None:
    amd, other = (manifest_body(f"sha256:{letter * 64}") for letter in "ab")
    listed = (*index(linux_amd64=digest(amd)).entries, Descriptor("m", digest(other), 1))
    with pytest.raises(Failure, match="no image for linux/arm64: it has linux/amd64"):
        await choose_digest(Index(listed), "", BlobsInMemory(amd, other), "linux/arm64")
    assert await choose_digest(Index(listed[1:]), "", BlobsInMemory(amd, other), "linux/arm64") == digest(other)
    assert await choose_digest(Index(listed), "", BlobsInMemory(amd, other), None) == digest(amd)


async def test_an_index_within_that_is_for_another_platform_is_not_followed_beside_images() -> None:
    amd, arm = (manifest_body(f"sha256:{letter * 64}") for letter in "ab")
    within, to_arm = nested(arm, "linux/arm64")
    both = Index((*index(linux_amd64=digest(amd)).entries, to_arm))
    with pytest.raises(Failure, match="no image for linux/s390x: it has linux/amd64, linux/arm64"):
        await choose_digest(both, "", BlobsInMemory(amd, arm, within), "linux/s390x")
