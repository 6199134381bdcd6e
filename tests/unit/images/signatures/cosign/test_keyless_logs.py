"""What the log, and the time that it or an authority tells, prove of a keyless signature."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from bot.images.signatures.cosign.trusted_root import read_trusted_root
from bot.images.signatures.verdict import Validity
from tests.unit.images.signatures.cosign.signing import (
    SIGNER,
    SIGSTORE,
    STATEMENT,
    attestation,
    bundle,
    failed,
    judged,
    promise_only,
)
from tests.unit.images.signatures.making import Timestamper, needs_openssl
from tests.unit.images.signatures.private_sigstore import (
    ARTIFACT,
    b64,
    dsse_bundle,
    hashedrekord,
    message_bundle,
    older_bundle,
    pem,
    promised,
    signed,
)


def test_a_log_entry_for_another_signature_is_refused() -> None:
    """The variants of CVE-2022-36056: each part of the entry in turn is not the one at hand."""
    key: Any = SIGNER.key
    signature = signed(key, ARTIFACT)
    again = signed(key, ARTIFACT)
    stranger = SIGSTORE.certificate()
    for body in (
        hashedrekord(SIGNER, again),
        hashedrekord(stranger, signature),
        hashedrekord(SIGNER, signature, b"another"),
    ):
        document = {
            "base64Signature": b64(signature),
            "cert": b64(pem(SIGNER)),
            "rekorBundle": promised(SIGSTORE.entry(body)),
        }
        assert failed(judged(json.dumps(document).encode())) == ["log"]


@pytest.mark.parametrize("name", ["integratedTime", "logIndex", "body", "logID"])
def test_every_part_of_the_promise_is_signed(name: str) -> None:
    document = older_bundle(SIGSTORE, SIGNER)
    payload = document["rekorBundle"]["Payload"]
    other = older_bundle(SIGSTORE, SIGSTORE.certificate())["rekorBundle"]["Payload"]
    payload[name] = payload[name] + 1 if isinstance(payload[name], int) else other[name]
    if name == "logID":
        payload[name] = "00" * 32

    assert failed(judged(json.dumps(document).encode())) == ["log"]


def test_a_signature_without_log_entry_or_certificate_is_refused() -> None:
    document = older_bundle(SIGSTORE, SIGNER)

    assert failed(judged(json.dumps({**document, "rekorBundle": None}).encode())) == ["log"]
    assert failed(judged(json.dumps({**document, "cert": ""}).encode())) == ["bundle"]
    assert failed(judged(document["base64Signature"].encode())) == ["bundle"]


def as_version(document: dict[str, Any], media_type: str, *, chain: bool = False) -> dict[str, Any]:
    """A bundle that says to be of another version, its certificate in a chain as before 0.3 where that is asked."""
    material = dict(document["verificationMaterial"])
    if chain:
        material["x509CertificateChain"] = {"certificates": [material.pop("certificate")]}
    return {**document, "mediaType": media_type, "verificationMaterial": material}


V01, V02, V03 = (f"application/vnd.dev.sigstore.bundle+json;version=0.{number}" for number in (1, 2, 3))
V03_AS_WRITTEN_NOW = "application/vnd.dev.sigstore.bundle.v0.3+json"


@pytest.mark.parametrize(
    ("media_type", "chain", "holds"),
    [
        (V01, True, True),
        (V02, True, True),
        (V03, False, True),
        (V03_AS_WRITTEN_NOW, False, True),
        (V03, True, False),
        (V03_AS_WRITTEN_NOW, True, False),
        ("application/vnd.dev.sigstore.bundle.v0.4+json", False, False),
        ("application/vnd.dev.sigstore.bundle+json;version=0.9", False, False),
        ("application/vnd.dev.sigstore.bundle", False, False),
    ],
)
@pytest.mark.parametrize(
    "make",
    [message_bundle, lambda sigstore, signer: dsse_bundle(sigstore, signer, STATEMENT)],
    ids=["file", "dsse"],
)
def test_a_bundle_keeps_to_the_rules_of_its_version(make: Any, media_type: str, chain: bool, holds: bool) -> None:
    document = as_version(make(SIGSTORE, SIGNER), media_type, chain=chain)

    assert judged(json.dumps(document).encode()).is_valid is holds


@pytest.mark.parametrize(
    ("media_type", "holds"), [(V01, True), (V02, False), (V03, False), (V03_AS_WRITTEN_NOW, False)]
)
def test_a_promise_alone_is_enough_in_the_oldest_version_only(media_type: str, holds: bool) -> None:
    document = as_version(message_bundle(SIGSTORE, SIGNER), media_type, chain=media_type in (V01, V02))
    del document["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]

    assert judged(json.dumps(document).encode()).is_valid is holds


def test_the_oldest_version_needs_the_promise_though_a_proof_is_there() -> None:
    document = as_version(message_bundle(SIGSTORE, SIGNER), V01, chain=True)
    del document["verificationMaterial"]["tlogEntries"][0]["inclusionPromise"]

    assert judged(json.dumps(document).encode()).outcome is Validity.INVALID


def test_a_bundle_without_log_entry_or_other_time_is_refused() -> None:
    document = message_bundle(SIGSTORE, SIGNER)
    document["verificationMaterial"]["tlogEntries"] = []

    assert judged(json.dumps(document).encode()).outcome is Validity.INVALID


@pytest.mark.parametrize("part", ["rootHash", "treeSize", "logIndex", "checkpoint", "hashes"])
def test_each_part_of_an_inclusion_proof_counts(part: str) -> None:
    document = message_bundle(SIGSTORE, SIGNER)
    proof = document["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]
    other = message_bundle(SIGSTORE, SIGSTORE.certificate())["verificationMaterial"]["tlogEntries"][0][
        "inclusionProof"
    ]
    changed = {"treeSize": "2", "logIndex": "1", "hashes": [other["rootHash"]]}
    proof[part] = changed.get(part, other[part])

    assert judged(json.dumps(document).encode()).outcome is Validity.INVALID


@pytest.mark.parametrize("make", [bundle, attestation, promise_only])
@pytest.mark.parametrize(
    "kind", [None, {"kind": "intoto", "version": "0.0.2"}, {"kind": "hashedrekord"}, {"version": "0.0.1"}], ids=str
)
def test_a_log_entry_of_another_kind_than_the_bundle_says_is_refused(make: Any, kind: Any) -> None:
    document = json.loads(make(SIGSTORE, SIGNER))
    document["verificationMaterial"]["tlogEntries"][0]["kindVersion"] = kind

    assert judged(json.dumps(document).encode()).outcome is Validity.INVALID


@pytest.mark.parametrize("name", ["canonicalizedBody", "rootHash", "keyId"])
def test_bytes_in_a_log_entry_are_spelled_in_one_way(name: str) -> None:
    """Base64 with another letter behind it is the same bytes to a lenient reader."""
    document = message_bundle(SIGSTORE, SIGNER)
    entry = document["verificationMaterial"]["tlogEntries"][0]
    holder = next(part for part in (entry, entry["inclusionProof"], entry["logId"]) if name in part)
    holder[name] += "A"

    assert judged(json.dumps(document).encode()).outcome is Validity.INVALID


@needs_openssl
def test_the_end_of_the_period_of_a_timestamp_authority_is_part_of_it(tmp_path: Path) -> None:
    """Without a promise the timestamp alone tells when the certificate, which is for ten minutes, was used."""
    stamper = Timestamper.open(tmp_path / "tsa")
    [leaf] = x509.load_pem_x509_certificates((tmp_path / "tsa/tsa.pem").read_bytes())
    signer = SIGSTORE.certificate(at=datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5))
    document = message_bundle(SIGSTORE, signer)
    token = stamper.stamp(base64.b64decode(document["messageSignature"]["signature"]))
    body = bytes.fromhex("3003020100") + token
    stamp = {"signedTimestamp": b64(b"\x30\x82" + len(body).to_bytes(2) + body)}
    document["verificationMaterial"]["timestampVerificationData"] = {"rfc3161Timestamps": [stamp]}
    del document["verificationMaterial"]["tlogEntries"][0]["inclusionPromise"]
    roots = json.loads(SIGSTORE.trusted_root(timestampers=[(leaf, stamper.root.certificate)]))
    period = roots["timestampAuthorities"][0]["validFor"]
    signed_at = judged(json.dumps(document).encode(), root=read_trusted_root(json.dumps(roots).encode())).signed_at
    assert signed_at is not None

    for apart, outcome in ((0, Validity.VALID), (1, Validity.INVALID)):
        period["end"] = (signed_at - timedelta(seconds=apart)).isoformat().replace("+00:00", "Z")
        root = read_trusted_root(json.dumps(roots).encode())
        assert judged(json.dumps(document).encode(), root=root).outcome is outcome
