"""One table says what a document beside an image states, by its predicate and never by its container."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.images.stated import (
    BUNDLE,
    ENVELOPE,
    IN_TOTO,
    Stated,
    stated_by_media_type,
    stated_by_payload,
    stated_by_predicate,
)


@pytest.mark.parametrize(
    ("predicate_type", "stated"),
    [
        ("https://sigstore.dev/cosign/sign/v1", Stated.SIGNATURE),
        ("https://slsa.dev/provenance/v1", Stated.PROVENANCE),
        ("https://slsa.dev/provenance/v0.2", Stated.PROVENANCE),
        ("https://spdx.dev/Document", Stated.SBOM),
        ("https://spdx.dev/Document/v2.3", Stated.SBOM),
        ("https://cyclonedx.org/bom/v1.4", Stated.SBOM),
        ("https://cosign.sigstore.dev/attestation/vuln/v1", Stated.SCAN),
        ("https://in-toto.io/attestation/vulns/v0.1", Stated.SCAN),
        ("https://openvex.dev/ns/v0.2.0", Stated.VEX),
        ("https://openvex.dev/ns", Stated.VEX),
        ("https://openvex.dev/ns@v0.2.0", Stated.VEX),
        ("https://openvex.dev/ns#v0.2.0", Stated.VEX),
        ("https://cyclonedx.org/schema/bom-1.4.schema.json", Stated.SBOM),
        ("https://slsa.dev/verification_summary/v1", Stated.SUMMARY),
        ("https://slsa.dev/verification_summary/v0.2", Stated.SUMMARY),
        ("cosign.sigstore.dev/attestation/vuln/v1", Stated.SCAN),
        ("https://cosign.sigstore.dev/attestation/v1", None),
        ("https://spdx.dev/Documents", None),
        ("https://openvex.dev/nsx", None),
        ("https://sigstore.dev/cosign/sign/v1/", None),
        ("", None),
    ],
)
def test_a_predicate_type_states_one_thing_or_nothing_that_is_known(
    predicate_type: str, stated: Stated | None
) -> None:
    assert stated_by_predicate(predicate_type) is stated


@pytest.mark.parametrize(
    ("predicate", "stated"),
    [
        ({"verificationResult": "PASSED"}, Stated.SUMMARY),
        ({"verificationResult": "FAILED"}, None),
        ({"verificationResult": ["PASSED"]}, None),
        ({"verificationResult": "passed"}, None),
        ({}, None),
    ],
)
def test_a_verification_summary_counts_only_where_it_passed(
    predicate: dict[str, object], stated: Stated | None
) -> None:
    assert stated_by_predicate("https://slsa.dev/verification_summary/v1", predicate) is stated


def test_containers_are_known_by_the_types_that_their_specifications_name() -> None:
    assert (BUNDLE, ENVELOPE, IN_TOTO) == (
        "application/vnd.dev.sigstore.bundle",
        "application/vnd.dsse.envelope.v1+json",
        "application/vnd.in-toto+json",
    )


@pytest.mark.parametrize("container", [f"{BUNDLE}.v0.3+json", ENVELOPE, IN_TOTO])
def test_a_container_states_nothing(container: str) -> None:
    assert stated_by_media_type(container) is None


@pytest.mark.parametrize(
    ("media_type", "stated"),
    [
        ("application/vnd.cncf.notary.signature", Stated.SIGNATURE),
        ("application/vnd.dev.cosign.artifact.sig.v1+json", Stated.SIGNATURE),
        ("application/vnd.cyclonedx+json", Stated.SBOM),
        ("application/spdx+json", Stated.SBOM),
        ("text/spdx+xml", Stated.SBOM),
        ("application/vnd.dev.cosign.artifact.sbom.v1+json", Stated.SBOM),
        ("application/vex+json", Stated.VEX),
        ("application/openvex+json", Stated.VEX),
        ("application/vnd.openvex+json", Stated.VEX),
        ("application/json", None),
        ("", None),
    ],
)
def test_a_document_as_it_is_states_what_its_media_type_is_for(media_type: str, stated: Stated | None) -> None:
    assert stated_by_media_type(media_type) is stated


def test_simple_signing_signs_an_image() -> None:
    assert stated_by_payload("cosign container image signature") is Stated.SIGNATURE
    assert stated_by_payload("atomic container signature") is Stated.SIGNATURE
    assert stated_by_payload("something else") is None
    assert stated_by_payload(None) is None


@given(st.text(), st.dictionaries(st.text(), st.text()))
def test_nothing_but_the_predicate_of_a_signature_signs(predicate_type: str, predicate: dict[str, str]) -> None:
    is_one = predicate_type == "https://sigstore.dev/cosign/sign/v1"
    assert (stated_by_predicate(predicate_type, predicate) is Stated.SIGNATURE) is is_one


@pytest.mark.parametrize("predicate_type", ["https://slsa.dev/provenance/v1", "https://openvex.dev/ns/v0.2.0"])
def test_what_is_no_summary_counts_whatever_it_says(predicate_type: str) -> None:
    assert stated_by_predicate(predicate_type, {}) is stated_by_predicate(predicate_type) is not None
