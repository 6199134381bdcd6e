"""The certificates and timestamps that a Notation signature stands on."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from bot.images.signatures.certificates import is_self_signed, read_certificate
from bot.images.signatures.notation.verifying import WhenTimestamped, verify_notation
from tests.unit.images.signatures.making import (
    AUTHORITY,
    DIGEST,
    MAKERS,
    NOW,
    ROOT,
    TSA,
    Draft,
    Holder,
    Shape,
    Timestamper,
    chain_of_three,
    cose,
    issue,
    jws,
    needs_openssl,
    usage,
)
from tests.unit.images.signatures.notation.signing import (
    SIGNER,
    every_envelope,
    failed,
    judged,
    replace_token,
    short_lived,
    trusting,
)


@every_envelope
def test_a_signer_that_signed_its_own_certificate_holds_where_that_is_trusted(media_type: str) -> None:
    assert judged(Draft(issue(Shape())), media_type).is_valid


@every_envelope
def test_a_root_of_the_same_name_with_another_key_is_not_trusted(media_type: str) -> None:
    assert failed(judged(Draft(SIGNER), media_type, trusting(issue(ROOT).certificate))) == ["authenticity"]


@every_envelope
def test_a_trusted_intermediate_is_enough(media_type: str) -> None:
    assert judged(Draft(SIGNER), media_type, trusting(SIGNER.chain[1])).is_valid


@every_envelope
def test_without_a_timestamp_the_chain_must_be_valid_now(media_type: str) -> None:
    assert failed(judged(Draft(SIGNER), media_type, at=NOW + timedelta(days=366))) == ["authenticTimestamp"]
    assert failed(judged(Draft(SIGNER), media_type, at=NOW - timedelta(days=2))) == ["authenticTimestamp"]


def signed_by(leaf: Shape = Shape(), authority: Shape = AUTHORITY, root: Shape = ROOT, **more: Any) -> Holder:  # noqa: B008
    return issue(leaf, issue(authority, issue(root)), **more)


BAD_CHAINS: dict[str, Callable[[], Holder]] = {
    "a leaf that is an authority": lambda: signed_by(Shape(authority=True)),
    "a leaf without key usage": lambda: signed_by(Shape(usage=None)),
    "a leaf whose key usage is not critical": lambda: signed_by(Shape(is_usage_critical=False)),
    "a leaf that may also sign certificates": lambda: signed_by(
        Shape(usage=usage("digital_signature", "key_cert_sign"))
    ),
    "a leaf for something else than signatures": lambda: signed_by(Shape(usage=usage("key_agreement"))),
    "a leaf for servers": lambda: signed_by(Shape(purposes=(ExtendedKeyUsageOID.SERVER_AUTH,))),
    "a leaf for any purpose": lambda: signed_by(Shape(purposes=(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,))),
    "a leaf for timestamps": lambda: signed_by(Shape(purposes=(ExtendedKeyUsageOID.TIME_STAMPING,))),
    "an authority that is none": lambda: signed_by(authority=replace(AUTHORITY, authority=False)),
    "an authority that may not sign certificates": lambda: signed_by(
        authority=replace(AUTHORITY, usage=usage("crl_sign"))
    ),
    "an authority with a key usage that is not critical": lambda: signed_by(
        authority=replace(AUTHORITY, is_usage_critical=False)
    ),
    "a root that allows no authority below it": lambda: signed_by(root=replace(ROOT, path_length=0)),
}


@pytest.mark.parametrize("what", list(BAD_CHAINS))
def test_a_chain_is_refused_for(what: str) -> None:
    assert failed(judged(Draft(BAD_CHAINS[what]()), "application/cose")) == ["integrity"]


@needs_openssl
def test_a_certificate_made_by_sha1_counts_as_issued_by_nobody(tmp_path: Path) -> None:
    arguments = (
        "req -x509 -newkey rsa:2048 -sha1 -nodes -subj /CN=old -days 9 -outform DER -out old.der -keyout old.pem"
    )
    subprocess.run(["openssl", *arguments.split()], cwd=tmp_path, check=True, capture_output=True)

    assert not is_self_signed(read_certificate((tmp_path / "old.der").read_bytes()))


def test_a_purpose_of_signing_code_is_fine() -> None:
    assert judged(
        Draft(signed_by(Shape(purposes=(ExtendedKeyUsageOID.CODE_SIGNING,)))), "application/cose"
    ).is_valid


def test_a_small_key_is_refused() -> None:
    key = rsa.generate_private_key(65537, 2304)
    signer = signed_by(key=key)

    assert failed(judged(Draft(signer, algorithm="PS256"), "application/cose")) == ["integrity"]


@needs_openssl
@every_envelope
@pytest.mark.parametrize("hashed", ["sha256", "sha384", "sha512"])
def test_a_timestamp_lets_a_signature_outlive_its_certificate(
    media_type: str, hashed: str, timestamper: Timestamper
) -> None:
    signer = short_lived()
    encoded = MAKERS[media_type](Draft(signer), timestamper=replace(timestamper, digest=hashed))
    later = datetime.now(UTC) + timedelta(days=300)
    stamped = trusting(signer.chain[-1], tsa=(timestamper.root.certificate,))

    verdict = verify_notation(encoded, media_type, stamped, later, digests=(DIGEST,))

    assert verdict.is_valid, verdict
    assert verdict.signed_at is not None
    assert abs(verdict.signed_at - datetime.now(UTC)) < timedelta(minutes=5)
    without = trusting(signer.chain[-1])
    assert failed(verify_notation(encoded, media_type, without, later)) == ["authenticTimestamp"]
    stranger = trusting(signer.chain[-1], tsa=(issue(ROOT).certificate,))
    assert failed(verify_notation(encoded, media_type, stranger, later)) == ["authenticTimestamp"]


@needs_openssl
@every_envelope
def test_a_timestamp_of_another_signature_is_refused(media_type: str, timestamper: Timestamper) -> None:
    signer = short_lived()
    token = timestamper.stamp(b"something else")
    swapped = replace_token(MAKERS[media_type](Draft(signer), timestamper=timestamper), token)
    policy = trusting(signer.chain[-1], tsa=(timestamper.root.certificate,))

    assert failed(verify_notation(swapped, media_type, policy, datetime.now(UTC))) == ["authenticTimestamp"]


@needs_openssl
def test_a_signer_that_was_not_valid_when_stamped_is_refused(timestamper: Timestamper) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    for shape in (
        Shape(start=now - timedelta(days=9), end=now - timedelta(days=1)),
        Shape(start=now + timedelta(days=1), end=now + timedelta(days=9)),
    ):
        signer = chain_of_three(shape)
        policy = trusting(signer.chain[-1], tsa=(timestamper.root.certificate,))
        encoded = cose(Draft(signer, signed_at=now), timestamper=timestamper)
        assert failed(verify_notation(encoded, "application/cose", policy, now)) == ["authenticTimestamp"]


@needs_openssl
def test_after_certificate_expiry_asks_for_a_timestamp_only_then() -> None:
    signer = short_lived()
    now = datetime.now(UTC)
    policy = trusting(signer.chain[-1], tsa=(issue(ROOT).certificate,), timestamp=WhenTimestamped.AFTER_CERT_EXPIRY)
    encoded = jws(Draft(signer))

    assert verify_notation(encoded, "application/jose+json", policy, now).is_valid
    expired = verify_notation(encoded, "application/jose+json", policy, now + timedelta(days=2))
    assert failed(expired) == ["authenticTimestamp"]


@needs_openssl
@pytest.mark.parametrize(
    ("shape", "attribute"),
    [
        (replace(TSA, purposes=(ExtendedKeyUsageOID.TIME_STAMPING,), is_purpose_critical=True), "sha1"),
    ],
    ids=["only the older attribute that names its certificate by SHA-1"],
)
def test_a_timestamp_is_refused_for(tmp_path: Path, shape: Shape, attribute: str) -> None:
    timestamper = Timestamper.open(tmp_path / "tsa", shape, attribute=attribute)
    signer = short_lived()
    policy = trusting(signer.chain[-1], tsa=(timestamper.root.certificate,))
    encoded = cose(Draft(signer), timestamper=timestamper)

    assert failed(verify_notation(encoded, "application/cose", policy, datetime.now(UTC))) == ["authenticTimestamp"]


def test_a_chain_of_one_certificate_may_be_a_single_byte_string() -> None:
    signer = issue(Shape())
    protected, unprotected, payload, signature = cbor2.loads(cose(Draft(signer))).value
    single = cbor2.dumps(cbor2.CBORTag(18, [protected, {33: unprotected[33][0]}, payload, signature]))

    assert verify_notation(single, "application/cose", trusting(signer.certificate), NOW).is_valid
