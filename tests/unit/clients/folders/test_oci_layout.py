from pathlib import Path

import pytest

from bot.clients.folders.image import OciLayout, is_layout
from bot.domain.failure import Failure, Trouble
from tests.unit.clients.folders.layouts import digest, layout


async def read(source: OciLayout, name: str) -> bytes:
    return b"".join([chunk async for chunk in source.blob(name)])


async def test_blobs_and_documents_are_read_by_digest(tmp_path: Path) -> None:
    blob = b"x" * 600_000
    source = layout(tmp_path, blob, b"{}")
    assert is_layout(tmp_path)
    assert source.index().entries == ()
    assert await read(source, digest(blob)) == blob
    assert await source.document(digest(b"{}")) == b"{}"


async def test_a_document_that_is_another_is_refused(tmp_path: Path) -> None:
    source = layout(tmp_path, b"{}")
    (tmp_path / "blobs/sha256" / digest(b"{}").partition(":")[2]).write_bytes(b"[]")
    with pytest.raises(Failure, match="instead of"):
        await source.document(digest(b"{}"))


async def test_a_blob_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Failure) as raised:
        await read(layout(tmp_path), digest(b"nothing"))
    assert raised.value.trouble is Trouble.MISSING


async def test_no_digest_and_no_link_lead_out_of_the_folder(tmp_path: Path) -> None:
    source = layout(tmp_path / "layout")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "layout/blobs/sha256" / digest(b"secret").partition(":")[2]).symlink_to(tmp_path / "secret")
    for name in ("sha256:../../../secret", "sha256:", digest(b"secret")):
        with pytest.raises(Failure) as raised:
            await read(source, name)
        assert raised.value.trouble is Trouble.MALFORMED


async def test_a_document_without_end_is_refused(tmp_path: Path) -> None:
    large = b" " * (4 * 1024 * 1024 + 1)
    with pytest.raises(Failure, match="is larger than"):
        await layout(tmp_path, large).document(digest(large))


def test_a_folder_without_an_index_is_no_layout(tmp_path: Path) -> None:
    assert not is_layout(tmp_path)
    (tmp_path / "oci-layout").write_text("{}")
    assert not is_layout(tmp_path)


def test_a_folder_with_an_index_and_blobs_is_a_layout_without_its_mark(tmp_path: Path) -> None:
    layout(tmp_path)
    (tmp_path / "oci-layout").unlink()
    assert is_layout(tmp_path)


def test_what_was_copied_along_with_an_image_is_none_of_the_images(tmp_path: Path) -> None:
    """`oras copy --recursive` brings signatures, `cosign save` too, and none of them has a platform."""
    named = [digest(bytes([each])) for each in range(5)]
    saved = "dev.cosignproject.cosign/"
    listed = [
        {"digest": named[0], "size": 1},
        {"digest": named[1], "size": 1, "annotations": {"kind": f"{saved}image"}},
        {"digest": named[2], "size": 1, "artifactType": "application/vnd.cncf.notary.signature"},
        {"digest": named[3], "size": 1, "annotations": {"kind": f"{saved}sigs"}},
        {"digest": named[4], "size": 1, "annotations": {"kind": f"{saved}atts"}},
    ]
    source = layout(tmp_path, index={"schemaVersion": 2, "manifests": listed})
    assert [each.digest for each in source.index().entries] == named[:2]


NAME = "org.opencontainers.image.ref.name"
INDEX = "application/vnd.oci.image.index.v1+json"


@pytest.mark.parametrize(
    ("media_type", "kind", "is_image"),
    [
        *((None, ".sig", False), (None, ".att", False), (None, ".sbom", False)),
        *((INDEX, "", False), (None, "", True), ([INDEX], "", True), ({"a": 1}, "", True)),
    ],
)
def test_what_has_a_tag_made_of_an_images_digest_is_none_of_the_images(
    tmp_path: Path, media_type: object, kind: str, is_image: bool
) -> None:
    """As `regctl image copy --referrers` and copies by tag bring it."""
    image, other = digest(b"1"), digest(b"2")
    tag = f"{image.replace(':', '-')}{kind}"
    listed = [
        {"digest": image, "size": 1, "annotations": {NAME: "1.0"}},
        {"digest": other, "size": 1, "annotations": {NAME: tag}}
        | ({"mediaType": media_type} if media_type else {}),
    ]
    source = layout(tmp_path, index={"schemaVersion": 2, "manifests": listed})
    assert [each.digest for each in source.index().entries] == ([image, other] if is_image else [image])


@pytest.mark.parametrize("others", [0, 1])
def test_an_image_may_have_its_own_digest_as_its_tag(tmp_path: Path, others: int) -> None:
    own = digest(b"1")
    named = {"digest": own, "size": 1, "mediaType": INDEX, "annotations": {NAME: own.replace(":", "-")}}
    listed = [named, *({"digest": digest(b"2"), "size": 1} for _ in range(others))]
    source = layout(tmp_path, index={"schemaVersion": 2, "manifests": listed})
    assert own in [each.digest for each in source.index().entries]


def test_what_is_alone_in_a_layout_is_the_image_whatever_its_tag(tmp_path: Path) -> None:
    """An image for one platform may be named by the index that it was taken from."""
    tag = digest(b"2").replace(":", "-")
    listed = [{"digest": digest(b"1"), "size": 1, "mediaType": INDEX, "annotations": {NAME: tag}}]
    source = layout(tmp_path, index={"schemaVersion": 2, "manifests": listed})
    assert [each.digest for each in source.index().entries] == [digest(b"1")]
