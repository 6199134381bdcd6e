"""Keyless signatures that tests make, and what is asked about them."""

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from bot.images.signatures.cosign.policy import (
    accepting,
)
from bot.images.signatures.cosign.trusted_root import read_trusted_root
from bot.images.signatures.cosign.verifying import SignedSubject, verify_keyless
from bot.images.signatures.verdict import CheckState, SignatureVerdict
from tests.unit.images.signatures.private_sigstore import (
    ARTIFACT,
    IDENTITY,
    ISSUER,
    PrivateSigstore,
    dsse_bundle,
    message_bundle,
    older_bundle,
)

SIGSTORE = PrivateSigstore.open()
SIGNER = SIGSTORE.certificate()
ROOT = read_trusted_root(SIGSTORE.trusted_root())
POLICY = accepting([IDENTITY], [], ISSUER)
DIGEST = f"sha256:{sha256(ARTIFACT).hexdigest()}"
STATEMENT = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"name": "app", "digest": {"sha256": DIGEST.removeprefix("sha256:")}}],
    "predicateType": "https://slsa.dev/provenance/v1",
    "predicate": {},
}


def bundle(sigstore: PrivateSigstore, signer: Any) -> bytes:
    return json.dumps(message_bundle(sigstore, signer)).encode()


def attestation(sigstore: PrivateSigstore, signer: Any) -> bytes:
    return json.dumps(dsse_bundle(sigstore, signer, STATEMENT)).encode()


def older(sigstore: PrivateSigstore, signer: Any) -> bytes:
    return json.dumps(older_bundle(sigstore, signer)).encode()


def promise_only(sigstore: PrivateSigstore, signer: Any) -> bytes:
    document = message_bundle(sigstore, signer)
    document["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1"
    del document["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]
    return json.dumps(document).encode()


LAYOUTS: dict[str, Callable[[PrivateSigstore, Any], bytes]] = {
    "bundle": bundle,
    "attestation": attestation,
    "older bundle": older,
    "bundle with a promise only": promise_only,
}
every_layout = pytest.mark.parametrize("make", LAYOUTS.values(), ids=LAYOUTS)


def judged(
    encoded: bytes, *, root: Any = ROOT, policy: Any = POLICY, artifact: bytes = ARTIFACT
) -> SignatureVerdict:
    return verify_keyless(encoded, root, policy, SignedSubject(artifact))


def failed(verdict: SignatureVerdict) -> list[str]:
    return [check.name for check in verdict.checks if check.state is CheckState.FAILED]
