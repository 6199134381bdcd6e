"""Attestations beside images in an index, older and newer layout."""

import json
from typing import Any

import pytest

from bot.images.provenance.attestations import ARTIFACT_TYPE, Attested, attested_in, is_attestation, statements_in
from bot.images.signatures.verdict import Refused
from tests.conftest import NO_SHARED_DATA, SHARED

INDEX = SHARED / "evidence" / "intoto" / "attestation-index.json"
IMAGE, ABOUT = "sha256:" + "1" * 64, "sha256:" + "2" * 64
STATEMENT = {
    "mediaType": "application/vnd.in-toto+json",
    "digest": "sha256:" + "3" * 64,
    "size": 10,
    "annotations": {"in-toto.io/predicate-type": "https://slsa.dev/provenance/v1"},
}


def entry(digest: str, **more: Any) -> dict[str, Any]:
    return {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": 1, **more}


def attestation(about: str, kind: str = "attestation-manifest") -> dict[str, Any]:
    return entry(
        ABOUT,
        platform={"os": "unknown", "architecture": "unknown"},
        annotations={"vnd.docker.reference.type": kind, "vnd.docker.reference.digest": about},
    )


@pytest.mark.skipif(not INDEX.is_file(), reason=NO_SHARED_DATA)
def test_the_recorded_index_has_one_image_and_what_is_attested_about_it() -> None:
    index = json.loads(INDEX.read_bytes())

    image, other = index["manifests"]
    assert (is_attestation(image), is_attestation(other)) == (False, True)
    assert attested_in(index) == (Attested(other["digest"], image["digest"]),)


def test_attestations_about_an_image_that_the_index_lacks_are_left_out() -> None:
    index = {
        "manifests": [entry(IMAGE, platform={"os": "linux", "architecture": "amd64"}), attestation("sha256:9")]
    }

    assert attested_in(index) == ()


def test_an_unknown_kind_of_reference_is_no_image_and_ignored() -> None:
    index = {"manifests": [entry(IMAGE), attestation(IMAGE, "something-new")]}

    assert is_attestation(index["manifests"][1])
    assert attested_in(index) == ()


def test_an_attestation_about_another_attestation_is_left_out() -> None:
    assert attested_in({"manifests": [attestation(ABOUT)]}) == ()


@pytest.mark.parametrize(
    "layout",
    [
        {"config": {"mediaType": "application/vnd.oci.image.config.v1+json"}},
        {
            "artifactType": ARTIFACT_TYPE,
            "config": {"mediaType": "application/vnd.oci.empty.v1+json"},
            "subject": entry(IMAGE),
        },
    ],
    ids=["older", "newer"],
)
def test_both_layouts_hold_statements(layout: dict[str, Any]) -> None:
    other = {**STATEMENT, "mediaType": "application/octet-stream"}
    (found,) = statements_in({**layout, "layers": [STATEMENT, other]}, IMAGE)

    assert (found.digest, found.size) == (STATEMENT["digest"], 10)
    assert found.predicate_type == "https://slsa.dev/provenance/v1"


def test_a_manifest_whose_subject_is_another_image_is_refused() -> None:
    with pytest.raises(Refused, match="about another image"):
        statements_in({"subject": entry("sha256:9"), "layers": [STATEMENT]}, IMAGE)


@pytest.mark.parametrize("manifest", [{}, {"layers": {}}, {"layers": [{"mediaType": STATEMENT["mediaType"]}]}])
def test_a_manifest_that_is_not_as_it_should_be_is_refused(manifest: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        statements_in(manifest, IMAGE)
