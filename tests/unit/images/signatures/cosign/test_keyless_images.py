"""Keyless signatures and attestations of images."""

import json
from hashlib import sha256

from bot.images.signatures.cosign.verifying import SignedSubject, verify_keyless
from tests.unit.images.signatures.cosign.signing import POLICY, ROOT, SIGNER, SIGSTORE, STATEMENT, failed, judged
from tests.unit.images.signatures.private_sigstore import (
    dsse_bundle,
    envelope_of,
    sig_annotations,
    simple_signing,
)

# the `.sig` layout

IMAGE = "sha256:" + "7" * 64
PAYLOAD = simple_signing(IMAGE)


def sig_manifest(payload: bytes = PAYLOAD) -> bytes:
    layer = {
        "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
        "digest": f"sha256:{sha256(payload).hexdigest()}",
        "size": len(payload),
        "annotations": sig_annotations(SIGSTORE, SIGNER, payload),
    }
    return json.dumps({"schemaVersion": 2, "layers": [layer]}).encode()


def test_an_image_signed_in_the_sig_layout_holds() -> None:
    verdict = verify_keyless(sig_manifest(), ROOT, POLICY, SignedSubject(PAYLOAD, IMAGE))

    assert verdict.is_valid, verdict
    assert verdict.digest == IMAGE


def test_an_image_that_the_payload_does_not_name_is_refused() -> None:
    verdict = verify_keyless(sig_manifest(), ROOT, POLICY, SignedSubject(PAYLOAD, "sha256:" + "8" * 64))

    assert failed(verdict) == ["subject"]


def test_a_payload_that_is_not_in_the_manifest_is_refused() -> None:
    assert failed(verify_keyless(sig_manifest(), ROOT, POLICY, SignedSubject(simple_signing("x"), "x"))) == [
        "bundle"
    ]


def test_a_payload_of_another_kind_binds_no_image() -> None:
    payload = PAYLOAD.replace(b"cosign container image signature", b"something else")

    assert failed(verify_keyless(sig_manifest(payload), ROOT, POLICY, SignedSubject(payload, IMAGE))) == ["subject"]


def test_an_attestation_about_another_image_is_refused() -> None:
    other = {**STATEMENT, "subject": [{"name": "", "digest": {"sha256": "0" * 64}}]}
    encoded = json.dumps(dsse_bundle(SIGSTORE, SIGNER, other)).encode()

    assert failed(judged(encoded)) == ["subject"]


def test_an_attestation_whose_payload_was_swapped_is_refused() -> None:
    document = dsse_bundle(SIGSTORE, SIGNER, STATEMENT)
    document["dsseEnvelope"]["payload"] = envelope_of(SIGNER, {**STATEMENT, "predicate": {"a": 1}})["payload"]

    assert failed(judged(json.dumps(document).encode())) == ["signature"]
