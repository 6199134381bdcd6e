"""Keys beside P-256: what Sigstore's registry of algorithms and cosign take holds, the rest is refused by name."""

import base64
import json
from hashlib import new, sha256, sha512
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from bot.images.provenance.statement import DsseEnvelope
from bot.images.signatures.cosign.keys import Content, check_signature, read_public_key
from bot.images.signatures.cosign.log import check_body
from bot.images.signatures.cosign.policy import accepting
from bot.images.signatures.cosign.trusted_root import read_trusted_root
from bot.images.signatures.cosign.verifying import SignedSubject, verify_keyless, verify_with_key
from bot.images.signatures.verdict import Refused, SignatureVerdict, Undecided, Validity
from tests.unit.images.signatures.keys import bare, public
from tests.unit.images.signatures.private_sigstore import (
    ARTIFACT,
    IDENTITY,
    ISSUER,
    PrivateSigstore,
    b64,
    dsse_bundle,
    hashedrekord,
    message_bundle,
    signed,
    signed_prehashed,
    spki,
)

SIGSTORE = PrivateSigstore.open()
ROOT = read_trusted_root(SIGSTORE.trusted_root())
POLICY = accepting([IDENTITY], [], ISSUER)
DIGEST = f"sha256:{sha256(ARTIFACT).hexdigest()}"

P384 = ec.generate_private_key(ec.SECP384R1())
P521 = ec.generate_private_key(ec.SECP521R1())
RSA = rsa.generate_private_key(65537, 2048)
EDWARDS = ed25519.Ed25519PrivateKey.generate()
TAKEN = [
    pytest.param(P384, "sha256", id="p384 by sha256"),
    pytest.param(P384, "sha384", id="p384 by sha384"),
    pytest.param(P521, "sha256", id="p521 by sha256"),
    pytest.param(P521, "sha512", id="p521 by sha512"),
    pytest.param(RSA, "sha256", id="rsa"),
    pytest.param(EDWARDS, "sha512", id="ed25519ph"),
]
taken = pytest.mark.parametrize(("key", "algorithm"), TAKEN)


def judged(encoded: bytes, key: Any, asked: SignedSubject = SignedSubject(ARTIFACT)) -> SignatureVerdict:  # noqa: B008 - frozen
    return verify_with_key(encoded, read_public_key(public(key)), asked)


def keyless(document: dict[str, Any], asked: SignedSubject = SignedSubject(ARTIFACT)) -> SignatureVerdict:  # noqa: B008 - frozen
    return verify_keyless(json.dumps(document).encode(), ROOT, POLICY, asked)


def test_a_signature_by_ed25519ph_holds_for_its_file_only() -> None:
    """cosign makes it with a key of its own that is Ed25519 whenever a log is to take it."""
    signature = signed_prehashed(EDWARDS, ARTIFACT)

    assert judged(bare(signature), EDWARDS).is_valid
    assert judged(signature, EDWARDS).is_valid
    assert judged(bare(signature), EDWARDS, SignedSubject(b"another")).outcome is Validity.INVALID
    assert judged(bare(signature), ed25519.Ed25519PrivateKey.generate()).outcome is Validity.INVALID
    assert judged(bare(signature[:-1]), EDWARDS).outcome is Validity.INVALID
    assert judged(bare(EDWARDS.sign(sha512(ARTIFACT).digest())), EDWARDS).outcome is Validity.INVALID


def test_the_vector_of_rfc_8032_for_ed25519ph_holds() -> None:
    key = ed25519.Ed25519PublicKey.from_public_bytes(
        bytes.fromhex("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf")
    )
    signature = bytes.fromhex(
        "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41"
        "31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406"
    )

    check_signature(key, signature, Content.of(b"abc"))
    with pytest.raises(Refused):
        check_signature(key, signature, Content.of(b"abd"))


@pytest.mark.parametrize("key", [P384, P521, EDWARDS], ids=["p384", "p521", "ed25519"])
def test_a_digest_alone_cannot_tell_where_the_key_signs_by_another_hash(key: Any) -> None:
    by = {id(P384): "sha384", id(P521): "sha512", id(EDWARDS): "sha512"}[id(key)]

    verdict = judged(bare(signed(key, ARTIFACT, by)), key, SignedSubject(digest=DIGEST))

    assert (verdict.outcome, verdict.advice) == (Validity.CANNOT_TELL, "use --artifact")


def test_a_salted_rsa_signature_is_refused_by_its_name() -> None:
    salted = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)

    verdict = judged(bare(RSA.sign(ARTIFACT, salted, hashes.SHA256())), RSA)

    assert verdict.outcome is Validity.INVALID
    assert "RSASSA-PSS" in verdict.reason


def test_a_key_in_a_certificate_that_nobody_takes_is_refused_in_one_line() -> None:
    key = ec.generate_private_key(ec.BrainpoolP256R1())
    with pytest.raises(Refused, match="kind or size"):
        check_signature(key.public_key(), key.sign(ARTIFACT, ec.ECDSA(hashes.SHA256())), Content.of(ARTIFACT))


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_a_bundle_that_says_that_another_file_was_signed_is_refused(algorithm: str) -> None:
    def bundle(digest: bytes) -> bytes:
        named = {"algorithm": algorithm.upper().replace("SHA", "SHA2_"), "digest": b64(digest)}
        message = {"messageDigest": named, "signature": b64(signed(P384, ARTIFACT))}
        kind = "application/vnd.dev.sigstore.bundle.v0.3+json"
        document = {"mediaType": kind, "verificationMaterial": {"publicKey": {}}, "messageSignature": message}
        return json.dumps(document).encode()

    assert judged(bundle(new(algorithm, ARTIFACT).digest()), P384).is_valid
    assert judged(bundle(new(algorithm, b"another").digest()), P384).outcome is Validity.INVALID


@taken
def test_a_keyless_bundle_by_another_key_holds_for_its_file_only(key: Any, algorithm: str) -> None:
    document = message_bundle(SIGSTORE, SIGSTORE.certificate(key=key), algorithm=algorithm)

    verdict = keyless(document)

    assert verdict.is_valid, verdict
    assert (verdict.signer, verdict.issuer) == (IDENTITY, ISSUER)
    assert keyless(document, SignedSubject(b"another")).outcome is Validity.INVALID
    by_digest = keyless(document, SignedSubject(digest=DIGEST)).outcome
    assert by_digest is (Validity.VALID if algorithm == "sha256" else Validity.CANNOT_TELL)


@pytest.mark.parametrize("key", [P384, P521, RSA, EDWARDS], ids=["p384", "p521", "rsa", "ed25519"])
def test_a_keyless_attestation_by_another_key_holds_for_its_subject_only(key: Any) -> None:
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "app", "digest": {"sha256": DIGEST.removeprefix("sha256:")}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {},
    }
    document = dsse_bundle(SIGSTORE, SIGSTORE.certificate(key=key), statement)

    assert keyless(document, SignedSubject(digest=DIGEST)).is_valid
    assert keyless(document, SignedSubject(digest="sha256:" + "0" * 64)).outcome is Validity.INVALID
    document["dsseEnvelope"]["payload"] = b64(json.dumps({**statement, "predicate": {"x": 1}}).encode())
    assert keyless(document, SignedSubject(digest=DIGEST)).outcome is Validity.INVALID


@taken
def test_a_log_entry_of_another_signature_by_another_key_is_refused(key: Any, algorithm: str) -> None:
    signer, other = SIGSTORE.certificate(key=key), SIGSTORE.certificate(key=key)
    document = message_bundle(SIGSTORE, signer, algorithm=algorithm)
    signature = base64.b64decode(document["messageSignature"]["signature"])
    for body in (
        hashedrekord(other, signature, algorithm=algorithm),
        hashedrekord(signer, signed(key, b"another", algorithm), algorithm=algorithm),
        hashedrekord(signer, signature, b"another", algorithm),
    ):
        document["verificationMaterial"]["tlogEntries"] = [SIGSTORE.entry(body)]
        assert keyless(document).outcome is Validity.INVALID


class TestEntriesOfTheSecondLog:
    """Rekor v2 knows one kind, hashedrekord 0.0.2; the digest is by the hash that goes with the key."""

    signer = SIGSTORE.certificate(key=P384)
    signature = signed(P384, ARTIFACT, "sha384")

    def body(self, **changed: Any) -> bytes:
        certificate = self.signer.certificate.public_bytes(Encoding.DER)
        data = {"algorithm": "SHA2_384", "digest": b64(new("sha384", ARTIFACT).digest())}
        verifier = {"x509Certificate": {"rawBytes": b64(certificate)}, "keyDetails": "PKIX_ECDSA_P384_SHA_384"}
        inner = {"data": data, "signature": {"content": b64(self.signature), "verifier": verifier}} | changed
        document = {"kind": "hashedrekord", "apiVersion": "0.0.2", "spec": {"hashedRekordV002": inner}}
        return json.dumps(document).encode()

    def test_one_that_was_made_for_the_signature_is_taken(self) -> None:
        check_body(self.body(), self.signature, Content.of(ARTIFACT), self.signer.certificate)

    def test_an_envelope_is_entered_as_it_is_signed(self) -> None:
        envelope = DsseEnvelope("application/vnd.in-toto+json", b"{}", ())
        data = {"algorithm": "SHA2_384", "digest": b64(new("sha384", envelope.signed).digest())}

        check_body(self.body(data=data), self.signature, envelope, self.signer.certificate)
        with pytest.raises(Refused, match="another content"):
            check_body(self.body(), self.signature, envelope, self.signer.certificate)

    def test_a_key_stands_where_no_certificate_does(self) -> None:
        made = {"content": b64(self.signature), "verifier": {"publicKey": {"rawBytes": b64(spki(P384))}}}

        check_body(self.body(signature=made), self.signature, Content.of(ARTIFACT), P384.public_key())
        with pytest.raises(Refused, match="another signer"):
            check_body(self.body(signature=made), self.signature, Content.of(ARTIFACT), P521.public_key())

    @pytest.mark.parametrize(
        ("changed", "says"),
        [
            ({"data": {"algorithm": "SHA2_384", "digest": b64(b"x")}}, "another content"),
            (
                {"data": {"algorithm": "SHA2_256", "digest": b64(new("sha384", ARTIFACT).digest())}},
                "another content",
            ),
            ({"data": {"algorithm": "MD5", "digest": b64(new("md5", ARTIFACT).digest())}}, "another content"),
            ({"data": {}}, "digest"),
            ({"signature": {"content": b64(b"x"), "verifier": {}}}, "another signature"),
            ({"signature": {"content": b64(signature), "verifier": {}}}, "x509Certificate"),
            ({"signature": []}, "signature"),
        ],
    )
    def test_one_that_was_made_for_something_else_is_refused(self, changed: Any, says: str) -> None:
        with pytest.raises(Refused, match=says):
            check_body(self.body(**changed), self.signature, Content.of(ARTIFACT), self.signer.certificate)

    def test_a_digest_by_another_hash_leaves_it_undecided(self) -> None:
        with pytest.raises(Undecided, match="SHA384"):
            check_body(self.body(), self.signature, Content(sha256(ARTIFACT).digest()), self.signer.certificate)
