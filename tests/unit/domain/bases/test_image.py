import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.bases.image import (
    CONFIGS,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    INDEXES,
    MANIFESTS,
    MOST_ENTRIES,
    MOST_LAYERS,
    OCI_INDEX,
    OCI_MANIFEST,
    UNKNOWN,
    Config,
    Descriptor,
    Index,
    Manifest,
    check_digest,
    digest_of,
    fallback_tag,
    is_digest,
    read_config,
    read_document,
)
from bot.domain.failure import Failure

DIGESTS = [digest_of(str(number).encode()) for number in range(5)]


def entry(digest: str, platform: str | None = None, media_type: str = OCI_MANIFEST, **more: Any) -> dict[str, Any]:
    described: dict[str, Any] = {"mediaType": media_type, "digest": digest, "size": 1, **more}
    if platform is not None:
        names = ("os", "architecture", "variant")
        described["platform"] = dict(zip(names, platform.split("/"), strict=False))
    return described


def index(*entries: object, media_type: str | None = OCI_INDEX) -> bytes:
    typed = {} if media_type is None else {"mediaType": media_type}
    return json.dumps({"schemaVersion": 2, **typed, "manifests": entries}).encode()


def images_of(*entries: object) -> list[tuple[str | None, str]]:
    found = read_document(index(*entries), "here")
    assert isinstance(found, Index)
    return [(image.platform, image.digest) for image in found.images()]


def line_of(body: bytes) -> str:
    with pytest.raises(Failure) as caught:
        read_document(body, "here")
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("media_type", [OCI_INDEX, DOCKER_LIST, None])
def test_an_index_is_known_by_its_type_or_its_members(media_type: str | None) -> None:
    assert isinstance(read_document(index(media_type=media_type), "here"), Index)


@pytest.mark.parametrize("media_type", [OCI_MANIFEST, DOCKER_MANIFEST, None])
def test_a_manifest_is_known_by_its_type_or_its_members(media_type: str | None) -> None:
    typed = {} if media_type is None else {"mediaType": media_type}
    layers = [entry(DIGESTS[1]), entry(DIGESTS[2])]
    body = json.dumps({"schemaVersion": 2, **typed, "config": entry(DIGESTS[0]), "layers": layers}).encode()
    manifest = read_document(body, "here")
    assert isinstance(manifest, Manifest)
    assert (manifest.config.digest, manifest.layers) == (DIGESTS[0], (DIGESTS[1], DIGESTS[2]))


def test_platforms_are_named_as_containerd_names_them() -> None:
    entries = [
        entry(DIGESTS[0], "linux/amd64/v1"),
        entry(DIGESTS[1], "linux/arm"),
        entry(DIGESTS[2], "linux/arm64/v8"),
    ]
    assert [name for name, _ in images_of(*entries)] == ["linux/amd64", "linux/arm/v7", "linux/arm64"]


def test_attestations_are_no_images() -> None:
    marked: dict[str, Any] = {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
    entries = [
        entry(DIGESTS[0], "linux/amd64"),
        entry(DIGESTS[1], "unknown/unknown"),
        entry(DIGESTS[2], "linux/s390x", **marked),
    ]
    assert images_of(*entries) == [("linux/amd64", DIGESTS[0])]


def test_nested_indexes_are_not_followed() -> None:
    entries = [entry(DIGESTS[0], "linux/amd64"), entry(DIGESTS[1], "linux/arm64", OCI_INDEX)]
    assert images_of(*entries) == [("linux/amd64", DIGESTS[0])]


def test_an_entry_that_cannot_be_read_hides_no_other() -> None:
    odd = ({"digest": "blake3:" + "0" * 64}, entry(DIGESTS[1], "linux/a b"), "text")
    read = read_document(index(*odd, entry(DIGESTS[0], "linux/amd64")), "host/x")
    assert isinstance(read, Index)
    assert [each.digest for each in read.images()] == [DIGESTS[0]]


def test_windows_is_left_out_of_a_shared_index() -> None:
    entries = [entry(DIGESTS[0], "windows/amd64"), entry(DIGESTS[1], "linux/amd64")]
    assert images_of(*entries) == [("linux/amd64", DIGESTS[1])]


def test_a_platform_of_words_that_are_longer_than_any_is_none() -> None:
    longest = "/".join(["x" * 32] * 3)
    assert images_of(entry(DIGESTS[0], longest), entry(DIGESTS[1], "x" * 33 + "/amd64")) == [(longest, DIGESTS[0])]


def test_an_index_of_windows_alone_keeps_the_first_of_each_platform() -> None:
    entries = [entry(DIGESTS[0], "windows/amd64"), entry(DIGESTS[1], "windows/amd64")]
    assert images_of(*entries) == [("windows/amd64", DIGESTS[0])]


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[" * 200_000, "is not JSON"),
        (b"[]", "is not an object"),
        (b"{}", "not of schema version 2"),
        (b'{"schemaVersion": 1, "fsLayers": []}', "not of schema version 2"),
        (b'{"schemaVersion": 2, "mediaType": "text/plain"}', "unknown type 'text/plain'"),
        (b'{"schemaVersion": 2, "manifests": 5}', "without a list of manifests"),
        (b'{"schemaVersion": 2, "layers": 5}', "without a list of layers"),
        (b'{"schemaVersion": 2, "layers": []}', "descriptor of the wrong shape"),
        (index(5), "descriptor of the wrong shape"),
        (index({"digest": "sha256:short"}), "no sha256 or sha512 digest"),
        (index(entry(DIGESTS[0], "linux/a b")), "names a platform that is none"),
        (index(*[entry(DIGESTS[0])] * 10_000), f"lists 10000 manifests in one index; {MOST_ENTRIES} are accepted"),
    ],
)
def test_a_document_of_the_wrong_shape_is_one_clear_line(body: bytes, what: str) -> None:
    line = line_of(body)
    assert line.startswith("here: ")
    assert what in line


def test_content_is_what_its_digest_names() -> None:
    for algorithm in ("sha256", "sha512"):
        check_digest(b"x", digest_of(b"x", algorithm), "here")
        with pytest.raises(Failure, match="sent content with digest"):
            check_digest(b"y", digest_of(b"x", algorithm), "here")


@pytest.mark.parametrize("digest", ["", "md5:" + "a" * 32, "sha256:" + "A" * 64, "sha256:" + "a" * 64 + "\n"])
def test_what_is_no_digest_names_nothing(digest: str) -> None:
    with pytest.raises(Failure, match="no sha256 or sha512 digest"):
        check_digest(b"x", digest, "here")


def test_a_config_tells_platform_environment_labels_and_steps() -> None:
    body = {
        "os": "linux",
        "architecture": "arm",
        "variant": "v7",
        "created": "2025-11-11T18:00:00Z",
        "config": {"Env": ["A=1=2", "B", 5], "Labels": {"l": "v", "n": 5}},
        "history": [{"created_by": "FROM"}, {}, 5],
    }
    config = read_config(json.dumps(body).encode(), "here")
    assert (config.platform, config.created) == ("linux/arm/v7", "2025-11-11T18:00:00Z")
    assert config.env == {"A": "1=2", "B": ""}
    assert config.labels == {"l": "v"}
    assert config.history == ("FROM", "")


@pytest.mark.parametrize(
    "created", [5, "yesterday", "2025-11-11T18:00:00Z\n<!channel>", "2025-11-11T18:00:00." + "1" * 99]
)
def test_a_moment_that_is_none_is_left_out(created: object) -> None:
    assert read_config(json.dumps({"created": created}).encode(), "here").created is None


def test_what_is_no_image_has_no_platform() -> None:
    assert read_config(b'{"name": "chart", "version": "1.0"}', "here").platform is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
MEMBERS = (
    "schemaVersion",
    "mediaType",
    "manifests",
    "layers",
    "config",
    "history",
    "os",
    "architecture",
    "created",
)


@given(st.dictionaries(st.sampled_from(MEMBERS), JSON | st.sampled_from([2, OCI_INDEX, OCI_MANIFEST])))
def test_no_document_makes_a_reader_fail_otherwise(document: dict[str, object]) -> None:
    body = json.dumps(document).encode()
    for read in (read_document, read_config):
        with suppress(Failure):
            read(body, "here")


def test_a_config_tells_the_layers_unpacked_or_none_of_them() -> None:
    told = [digest_of(b"os"), digest_of(b"runtime")]
    assert read_config(json.dumps({"rootfs": {"diff_ids": told}}).encode(), "here").diff_ids == tuple(told)
    for odd in ([*told, "sha256:short"], "text", [7]):
        assert read_config(json.dumps({"rootfs": {"diff_ids": odd}}).encode(), "here").diff_ids == ()


def test_a_config_tells_as_many_layers_as_images_may_have_and_none_of_more() -> None:
    most = [digest_of(b"os")] * MOST_LAYERS
    assert len(read_config(json.dumps({"rootfs": {"diff_ids": most}}).encode(), "here").diff_ids) == MOST_LAYERS
    more = json.dumps({"rootfs": {"diff_ids": [*most, most[0]]}}).encode()
    assert read_config(more, "here").diff_ids == ()


def steps_of(**step: object) -> tuple[str, ...]:
    return read_config(json.dumps({"history": [step]}).encode(), "here").steps


def test_a_step_is_another_where_its_command_its_time_or_what_it_leaves_is_another() -> None:
    first = steps_of(created="2025-11-11T18:00:00Z", created_by="RUN a", empty_layer=True)
    assert first == steps_of(
        created="2025-11-11T18:00:00Z", created_by="RUN a", empty_layer=True, comment="buildkit.dockerfile.v0"
    )
    others = (
        steps_of(created="2025-11-11T18:00:01Z", created_by="RUN a", empty_layer=True),
        steps_of(created="2025-11-11T18:00:00Z", created_by="RUN b", empty_layer=True),
        steps_of(created="2025-11-11T18:00:00Z", created_by="RUN a"),
    )
    assert len({first, *others}) == 4


@pytest.mark.parametrize(
    ("odd", "name", "why"),
    [
        (
            {"platform": {"os": "linux", "architecture": "arm", "variant": "v7"}},
            "linux/arm/v7",
            "which is no sha256",
        ),
        ({"digest": DIGESTS[1], "platform": {"os": "a b", "architecture": 5}}, "a b", "a platform that is none"),
        ({"digest": "md5:1", "platform": "linux"}, "md5:1", "which is no sha256"),
        ({"digest": "x" * 100}, "x" * 80, "which is no sha256"),
        ({}, "an entry", "which is no sha256"),
        ("text", "an entry", "a descriptor of the wrong shape"),
    ],
)
def test_an_entry_that_cannot_be_read_is_told_by_its_platform_else_its_digest_with_the_reason(
    odd: object, name: str, why: str
) -> None:
    read = read_document(index(odd, entry(DIGESTS[0], "linux/amd64")), "here")
    assert isinstance(read, Index)
    [unread] = read.unread
    assert unread.name == name
    assert why in unread.reason


def descriptor(**members: Any) -> Descriptor:
    read = read_document(index({"digest": DIGESTS[0], **members}), "here")
    assert isinstance(read, Index)
    return read.entries[0]


def test_a_descriptor_has_what_it_names_and_nothing_of_another_shape() -> None:
    described = descriptor(
        mediaType=OCI_MANIFEST,
        size=7,
        platform={"os": "windows", "architecture": "amd64", "os.version": "10.0.20348.1"},
    )
    assert described == Descriptor(
        OCI_MANIFEST, DIGESTS[0], 7, "windows/amd64", is_artifact=False, system_version="10.0.20348.1"
    )
    assert descriptor(size=-1, platform=5) == descriptor(size="7") == Descriptor("", DIGESTS[0], 0)
    assert descriptor(size=0).size == 0


def test_what_has_a_type_of_artifact_is_no_image() -> None:
    assert descriptor(artifactType="application/spdx+json").is_artifact
    assert not descriptor(artifactType="").is_artifact


def test_an_entry_is_named_by_its_platform_with_the_build_of_windows_else_by_its_digest() -> None:
    assert Descriptor("", DIGESTS[0], 0, "windows/amd64", system_version="10.0").name == "windows/amd64 10.0"
    assert Descriptor("", DIGESTS[0], 0, "linux/amd64").name == "linux/amd64"
    assert Descriptor("", DIGESTS[0], 0).name == f"{DIGESTS[0][:19]}…"


def test_every_entry_that_is_no_artifact_may_be_an_image() -> None:
    entries = [
        entry(DIGESTS[0], "linux/amd64"),
        entry(DIGESTS[1], "linux/amd64"),
        entry(DIGESTS[2]),
        entry(DIGESTS[3], media_type=OCI_INDEX),
        entry(DIGESTS[4], "unknown/unknown"),
        entry(DIGESTS[1], "linux/amd64"),
    ]
    read = read_document(index(*entries), "here")
    assert isinstance(read, Index)
    assert [each.digest for each in read.every_image()] == DIGESTS[:4]
    assert [each.digest for each in read.images_of_any_system()] == DIGESTS[:1]


@pytest.mark.parametrize(
    ("told", "is_some_arm"),
    [
        ({"architecture": "arm"}, True),
        ({"architecture": "arm", "variant": ""}, True),
        ({"architecture": "arm", "variant": "v6"}, False),
        ({"architecture": "arm64"}, False),
        ({}, False),
    ],
)
def test_an_arm_of_which_no_variant_is_told_is_some_arm(told: dict[str, str], is_some_arm: bool) -> None:
    assert read_config(json.dumps({"os": "linux", **told}).encode(), "here").is_some_arm is is_some_arm


def test_the_tag_of_referrers_is_made_of_the_digest_and_not_too_long() -> None:
    assert fallback_tag("sha256:" + "a" * 64) == "sha256-" + "a" * 64
    assert fallback_tag("sha512:" + "a" * 128) == "sha512-" + "a" * 64
    assert fallback_tag("x" * 33 + ":a") == "x" * 32 + "-a"


def test_the_types_of_documents_are_those_of_the_specifications() -> None:
    assert (
        {OCI_INDEX, DOCKER_LIST}
        == INDEXES
        == {
            "application/vnd.oci.image.index.v1+json",
            "application/vnd.docker.distribution.manifest.list.v2+json",
        }
    )
    assert (
        {OCI_MANIFEST, DOCKER_MANIFEST}
        == MANIFESTS
        == {
            "application/vnd.oci.image.manifest.v1+json",
            "application/vnd.docker.distribution.manifest.v2+json",
        }
    )
    assert CONFIGS == {  # noqa: SIM300
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.docker.container.image.v1+json",
    }
    assert UNKNOWN == "unknown/unknown"


def test_what_a_document_does_not_tell_is_empty() -> None:
    assert (Config("linux/amd64").created, Config("linux/amd64").is_some_arm) == (None, False)
    assert (Config(None).env, Config(None).labels) == ({}, {})
    assert (Config(None).history, Config(None).steps, Config(None).diff_ids) == ((), (), ())
    bare = Descriptor("", DIGESTS[0], 0)
    assert (bare.platform, bare.is_artifact, bare.system_version) == (None, False, "")
    assert (Manifest(bare, ()).annotations, Index(()).unread) == ({}, ())


def manifest_of(layers: int, **more: Any) -> bytes:
    body = {"schemaVersion": 2, "config": entry(DIGESTS[0]), "layers": [entry(DIGESTS[1])] * layers, **more}
    return json.dumps(body).encode()


def test_an_image_has_as_many_layers_as_are_accepted_and_no_more() -> None:
    most = read_document(manifest_of(MOST_LAYERS), "here")
    assert isinstance(most, Manifest)
    assert len(most.layers) == MOST_LAYERS == 500
    assert line_of(manifest_of(MOST_LAYERS + 1)) == (
        "here: lists 501 layers in one image; 500 are accepted; nothing of it is used"
    )


def test_an_index_has_as_many_entries_as_are_accepted() -> None:
    most = read_document(index(*[entry(DIGESTS[0])] * MOST_ENTRIES), "here")
    assert isinstance(most, Index)
    assert len(most.entries) == MOST_ENTRIES == 500


def test_annotations_are_texts_that_are_not_too_long_nor_too_many() -> None:
    told = {"x" * 300: "y" * 300, "n": 5, **{str(number): "" for number in range(600)}}
    manifest = read_document(manifest_of(0, annotations=told), "here")
    assert isinstance(manifest, Manifest)
    assert manifest.annotations["x" * 256] == "y" * 256
    assert "n" not in manifest.annotations
    assert len(manifest.annotations) == MOST_ENTRIES - 1


def test_an_environment_is_not_too_long_nor_has_it_too_many_lines() -> None:
    lines = ["x" * 300 + "=" + "y" * 300, *(f"{number}=" for number in range(600))]
    env = read_config(json.dumps({"config": {"Env": lines}}).encode(), "here").env
    assert env["x" * 256] == "y" * 256
    assert len(env) == MOST_ENTRIES


def test_steps_are_not_too_long_nor_too_many() -> None:
    config = read_config(json.dumps({"history": [{"created_by": "x" * 2000}] * 600}).encode(), "here")
    assert (len(config.history), len(config.steps), len(config.history[0])) == (MOST_LAYERS, MOST_LAYERS, 1024)
    assert len(config.steps[0]) == 12


def test_a_step_is_stored_under_the_same_digest_always() -> None:
    assert steps_of(created="2025-11-11T18:00:00Z", created_by="RUN a", empty_layer=True) == ("e92193299811",)


def test_what_a_descriptor_names_is_cut_off_where_it_is_too_long() -> None:
    platform = {"os": "windows", "architecture": "amd64", "os.version": "9" * 100}
    described = descriptor(mediaType="x" * 300, platform=platform)
    assert (described.media_type, described.system_version) == ("x" * 256, "9" * 80)
    assert descriptor(platform={**platform, "os.version": 5}).system_version == ""


@pytest.mark.parametrize("members", [{"os": "linux"}, {"architecture": "amd64"}, {"os": "", "architecture": "arm"}])
def test_half_a_platform_is_none(members: dict[str, str]) -> None:
    assert descriptor(platform=members).platform is None


@pytest.mark.parametrize(
    "created", ["2025-11-11T18:00:00.123456789Z", "2025-11-11T18:00:00+01:00", "2025-11-11T18:00:00-05:30"]
)
def test_a_moment_is_told_as_it_is_written(created: str) -> None:
    assert read_config(json.dumps({"created": created}).encode(), "here").created == created


@pytest.mark.parametrize("odd", [{"config": 5}, {"history": 5}])
def test_a_config_of_the_wrong_shape_is_told(odd: dict[str, Any]) -> None:
    with pytest.raises(Failure, match=r"^here: sent an image config of the wrong shape; nothing of it is used$"):
        read_config(json.dumps(odd).encode(), "here")


def test_a_digest_has_all_of_its_digits_and_no_more() -> None:
    assert is_digest(DIGESTS[0])
    assert not is_digest(DIGESTS[0] + "0")


def test_the_first_entry_that_cannot_be_read_is_told_where_none_can() -> None:
    assert line_of(index("text", {"digest": "x"})).startswith("here: sent a descriptor of the wrong shape")


def test_what_is_no_digest_is_told_in_part_alone() -> None:
    with pytest.raises(Failure) as caught:
        check_digest(b"x", "x" * 100, "here")
    assert str(caught.value) == (
        f"here: names {'x' * 80!r}, which is no sha256 or sha512 digest; nothing of it is used"
    )
    with pytest.raises(Failure) as caught:
        check_digest(b"x", DIGESTS[0], "here")
    assert f"digest {digest_of(b'x')[:19]}… instead of {DIGESTS[0][:19]}…" in str(caught.value)
    unknown = {"schemaVersion": 2, "mediaType": "x" * 100}
    assert f"unknown type {'x' * 80!r};" in line_of(json.dumps(unknown).encode())
    assert f"names {'x' * 80!r}, which" in line_of(index({"digest": "x" * 100}))


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"", "sent something that is not JSON"),
        (b"[]", "sent JSON that is not an object"),
        (b"{}", "sent a manifest that is not of schema version 2"),
        (b'{"schemaVersion": 2}', "sent a manifest of the unknown type 'None'"),
        (
            b'{"schemaVersion": 2, "mediaType": "text/plain", "layers": []}',
            "sent a manifest of the unknown type 'text/plain'",
        ),
        (
            b'{"schemaVersion": 2, "mediaType": "text/plain", "manifests": []}',
            "sent a manifest of the unknown type 'text/plain'",
        ),
        (b'{"schemaVersion": 2, "manifests": 5}', "sent an index without a list of manifests"),
        (b'{"schemaVersion": 2, "layers": 5}', "sent a manifest without a list of layers"),
        (b'{"schemaVersion": 2, "layers": []}', "sent a descriptor of the wrong shape"),
        (index({"digest": "sha256:short"}), "names 'sha256:short', which is no sha256 or sha512 digest"),
        (index(entry(DIGESTS[0], "linux/a b")), "names a platform that is none"),
        (
            index({"digest": DIGESTS[0], "platform": {"os": 5, "architecture": "arm"}}),
            "names a platform that is none",
        ),
        (
            index(*[entry(DIGESTS[0])] * (MOST_ENTRIES + 1)),
            "lists 501 manifests in one index; 500 are accepted",
        ),
    ],
)
def test_what_cannot_be_read_is_told_in_one_sentence(body: bytes, what: str) -> None:
    assert line_of(body) == f"here: {what}; nothing of it is used"


def test_images_are_chosen_without_what_is_an_artifact_or_has_no_platform() -> None:
    entries = [
        entry(DIGESTS[0]),
        entry(DIGESTS[1], "linux/arm64", artifactType="application/spdx+json"),
        entry(DIGESTS[2], "windows/amd64"),
    ]
    assert images_of(*entries) == [("windows/amd64", DIGESTS[2])]
    assert images_of(*entries, entry(DIGESTS[3], "linux/arm64")) == [("linux/arm64", DIGESTS[3])]
