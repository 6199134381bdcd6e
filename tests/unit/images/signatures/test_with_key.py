"""Signatures with a key, in every shape that cosign writes."""

import base64
import json
from hashlib import sha256, sha512
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.failure import Failure
from bot.images.signatures.cosign.keys import read_public_key
from bot.images.signatures.cosign.trusted_root import read_trusted_root
from bot.images.signatures.cosign.verifying import SignedSubject, verify_keyless, verify_with_key
from bot.images.signatures.verdict import SignatureVerdict, Validity
from tests.unit.images.signatures.evidence import EVIDENCE, needs_evidence
from tests.unit.images.signatures.keys import CONTENT, DIGEST, KEY, WHOLE, bare, public, sign
from tests.unit.images.signatures.private_sigstore import PrivateSigstore, simple_signing


def judged(encoded: bytes, asked: SignedSubject = SignedSubject(CONTENT), key: Any = KEY) -> SignatureVerdict:  # noqa: B008 - frozen
    return verify_with_key(encoded, read_public_key(public(key)), asked)


def envelope(digest: str = DIGEST, key: Any = KEY, named: tuple[str, str] | None = None) -> bytes:
    algorithm, value = named or ("sha256", digest.removeprefix("sha256:"))
    statement = {
        "_type": "https://in-toto.io/Statement/v0.1",
        "subject": [{"name": "x", "digest": {algorithm: value}}],
        "predicateType": "https://slsa.dev/provenance/v0.2",
        "predicate": {},
    }
    payload = json.dumps(statement).encode()
    kind = b"application/vnd.in-toto+json"
    signature = sign(key, b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload))
    signatures = [{"keyid": "", "sig": base64.b64encode(signature).decode()}]
    return json.dumps(
        {"payloadType": kind.decode(), "payload": base64.b64encode(payload).decode(), "signatures": signatures}
    ).encode()


@pytest.mark.parametrize(
    ("key", "digest"),
    [
        (KEY, None),
        (ec.generate_private_key(ec.SECP384R1()), None),
        (ec.generate_private_key(ec.SECP384R1()), hashes.SHA384()),
        (ec.generate_private_key(ec.SECP521R1()), hashes.SHA512()),
        (rsa.generate_private_key(65537, 2048), None),
        (ed25519.Ed25519PrivateKey.generate(), None),
    ],
    ids=["p256", "p384 by sha256", "p384 by sha384", "p521 by sha512", "rsa", "ed25519"],
)
def test_a_signature_by_the_key_holds_for_its_file_only(key: Any, digest: Any) -> None:
    encoded = bare(sign(key, CONTENT, digest))

    assert judged(encoded, key=key).is_valid
    assert judged(encoded, SignedSubject(b"another"), key).outcome is Validity.INVALID
    assert judged(encoded).is_valid is (key is KEY)


@pytest.mark.parametrize(
    "key",
    [KEY, rsa.generate_private_key(65537, 2048), ed25519.Ed25519PrivateKey.generate()],
    ids=["p256", "rsa", "ed25519"],
)
def test_a_signature_is_taken_as_bytes_too_as_cosign_takes_it(key: Any) -> None:
    for _ in range(20):  # with whatever bytes at its ends
        assert judged(sign(key, CONTENT), key=key).is_valid
    assert judged(sign(key, b"another"), key=key).outcome is Validity.INVALID
    assert judged(bare(sign(key, CONTENT))[1:], key=key).outcome is Validity.INVALID


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_signature_may_be_wrapped_into_lines_as_base64_and_openssl_write_it(ending: str) -> None:
    encoded = bare(sign(KEY, CONTENT)).decode()
    lines = [encoded[:64], encoded[64:], ""]

    assert judged(ending.join(lines).encode()).is_valid
    assert judged(" ".join(lines).encode()).outcome is Validity.INVALID


@pytest.mark.parametrize("size", [256, 384])
def test_two_plain_numbers_are_no_signature_of_cosigns(size: int) -> None:
    key: Any = ec.generate_private_key(ec.SECP256R1() if size == 256 else ec.SECP384R1())
    r, s = decode_dss_signature(sign(key, CONTENT))
    plain = r.to_bytes(size // 8) + s.to_bytes(size // 8)

    assert judged(bare(plain), key=key).outcome is Validity.INVALID
    assert judged(plain, key=key).outcome is Validity.INVALID


def test_a_key_of_one_kind_takes_no_signature_of_another() -> None:
    keys: list[Any] = [
        KEY,
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65537, 2048),
        ed25519.Ed25519PrivateKey.generate(),
    ]
    for signer in keys:
        for key in keys:
            assert judged(bare(sign(signer, CONTENT)), key=key).is_valid is (signer is key)


def test_a_public_key_is_read_as_pem_and_as_der_and_from_rsas_own_form() -> None:
    key = rsa.generate_private_key(65537, 2048)
    forms = [
        (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        (Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        (Encoding.PEM, PublicFormat.PKCS1),
    ]
    for encoding, form in forms:
        read = read_public_key(key.public_key().public_bytes(encoding, form))
        assert verify_with_key(bare(sign(key, CONTENT)), read, SignedSubject(CONTENT)).is_valid


@pytest.mark.parametrize("version", [".v0.4+json", "+json;version=0.9", ""])
def test_a_bundle_of_an_unknown_version_is_refused_whoever_signed(version: str) -> None:
    message = {
        "messageDigest": {"algorithm": "SHA2_256", "digest": base64.b64encode(sha256(CONTENT).digest()).decode()},
        "signature": base64.b64encode(sign(KEY, CONTENT)).decode(),
    }
    document = {"verificationMaterial": {"publicKey": {"hint": "x"}}, "messageSignature": message}
    kind = "application/vnd.dev.sigstore.bundle"

    assert judged(json.dumps({**document, "mediaType": f"{kind}.v0.3+json"}).encode()).is_valid
    assert judged(json.dumps({**document, "mediaType": f"{kind}{version}"}).encode()).outcome is Validity.INVALID


def test_a_digest_is_enough_where_the_key_signs_digests() -> None:
    assert judged(bare(sign(KEY, CONTENT)), SignedSubject(digest=DIGEST)).is_valid
    assert judged(bare(sign(KEY, CONTENT)), SignedSubject(digest="sha256:" + "0" * 64)).outcome is Validity.INVALID


def test_a_digest_alone_leaves_some_undecided() -> None:
    key = ed25519.Ed25519PrivateKey.generate()

    assert judged(bare(sign(key, CONTENT)), SignedSubject(digest=DIGEST), key).outcome is Validity.CANNOT_TELL
    assert (
        judged(bare(sign(KEY, CONTENT)), SignedSubject(digest="sha512:" + "0" * 128)).outcome
        is Validity.CANNOT_TELL
    )


def test_an_image_is_bound_through_the_payload_that_names_it() -> None:
    image = "sha256:" + "7" * 64
    payload = simple_signing(image)
    encoded = bare(sign(KEY, payload))

    assert judged(encoded, SignedSubject(payload, image)).is_valid
    assert judged(encoded, SignedSubject(payload, "sha256:" + "8" * 64)).reason.startswith(
        "the signature is for sha256:777"
    )
    assert judged(bare(sign(KEY, CONTENT)), SignedSubject(CONTENT, image)).outcome is Validity.INVALID


def test_of_several_signatures_of_one_payload_each_is_found_in_the_sig_layout() -> None:
    image, other = "sha256:" + "7" * 64, ec.generate_private_key(ec.SECP256R1())
    payload = simple_signing(image)
    digest = f"sha256:{sha256(payload).hexdigest()}"
    layers = [
        {
            "digest": digest,
            "annotations": {"dev.cosignproject.cosign/signature": bare(sign(key, payload)).decode().strip()},
        }
        for key in (KEY, other)
    ]
    manifest = json.dumps({"layers": [{"digest": "sha256:" + "0" * 64}, *layers]}).encode()

    for key in (KEY, other):
        assert judged(manifest, SignedSubject(payload, image), key).is_valid
    assert (
        judged(manifest, SignedSubject(payload, image), ec.generate_private_key(ec.SECP256R1())).outcome
        is Validity.INVALID
    )
    assert judged(manifest, SignedSubject(payload, "sha256:" + "8" * 64), other).outcome is Validity.INVALID
    assert judged(manifest, SignedSubject(b"another", image), other).outcome is Validity.INVALID


def test_an_attestation_holds_for_what_it_is_about() -> None:
    assert judged(envelope(), SignedSubject(digest=DIGEST)).is_valid
    assert judged(envelope()).is_valid
    assert judged(envelope("sha256:" + "0" * 64)).outcome is Validity.INVALID
    other: Any = ec.generate_private_key(ec.SECP256R1())
    assert judged(envelope(key=other)).outcome is Validity.INVALID


def test_an_attestation_may_name_the_file_by_another_digest() -> None:
    """As npm's provenance does, which knows a package by its SHA-512 only."""
    named = sha512(CONTENT).hexdigest()
    encoded = envelope(named=("sha512", named))

    assert judged(encoded).is_valid
    assert judged(encoded, SignedSubject(digest=f"sha512:{named}")).is_valid
    assert judged(encoded, SignedSubject(b"another")).outcome is Validity.INVALID
    assert judged(encoded, SignedSubject(digest=DIGEST)).outcome is Validity.INVALID


def test_a_file_and_a_digest_that_is_not_its_own_are_both_asked_for() -> None:
    """Of a statement about a digest nobody learns that it is about another file too."""
    long = f"sha512:{sha512(CONTENT).hexdigest()}"

    assert judged(envelope(), SignedSubject(CONTENT, DIGEST)).is_valid
    assert judged(envelope(), SignedSubject(b"another", DIGEST)).outcome is Validity.INVALID
    assert judged(envelope(), SignedSubject(CONTENT, long)).reason.startswith(
        "the signed statement is not about sha512"
    )


def test_any_of_several_signatures_may_be_the_key_s() -> None:
    mine, other = json.loads(envelope()), json.loads(envelope(key=ec.generate_private_key(ec.SECP256R1())))
    both = {**mine, "signatures": [*other["signatures"], *mine["signatures"]]}

    assert judged(json.dumps(both).encode()).is_valid


@needs_evidence
def test_a_recorded_bundle_by_a_key_holds_for_its_text() -> None:
    folder = EVIDENCE / "sigstore"
    key = read_public_key((folder / "public-key-validity.pem").read_bytes())
    encoded = (folder / "public-key-validity.sigstore.json").read_bytes()

    assert verify_with_key(encoded, key, SignedSubject(b"test content")).is_valid
    assert not verify_with_key(encoded, key, SignedSubject(b"other content")).is_valid


def test_a_signature_by_a_key_is_not_keyless() -> None:
    root = read_trusted_root(PrivateSigstore.open().trusted_root())
    from bot.images.signatures.cosign.policy import Anybody

    verdict = verify_keyless(bare(sign(KEY, CONTENT)), root, Anybody(), SignedSubject(CONTENT))

    assert verdict.outcome is Validity.INVALID
    assert "cosign-key" in verdict.advice


@pytest.mark.parametrize(
    ("pem", "says"),
    [
        (b"", "cannot be read"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "cannot be read"),
        (KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), "private key"),
        (b"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n", "private key"),
        (public(rsa.generate_private_key(65537, 1024)), "kind or size"),
        (public(ec.generate_private_key(ec.SECP256K1())), "kind or size"),
    ],
)
def test_what_is_no_key_to_trust_is_told(pem: bytes, says: str) -> None:
    with pytest.raises(Failure, match=says) as failure:
        read_public_key(pem, where="cosign.pub")

    assert failure.value.advice


@given(data=st.data())
def test_no_flipped_byte_of_a_bare_signature_holds(data: st.DataObject) -> None:
    flipped = bytearray(WHOLE.strip())
    flipped[data.draw(st.integers(0, len(flipped) - 1))] ^= data.draw(st.integers(1, 255))

    assert judged(bytes(flipped)).outcome is Validity.INVALID


@given(content=st.binary(max_size=200))
def test_whatever_the_bytes_a_verdict_comes_of_them(content: bytes) -> None:
    assert judged(content).outcome is Validity.INVALID
