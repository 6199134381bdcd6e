"""Envelopes made here: what holds, and each way in which one must not."""

import base64
import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from bot.verify.signatures.certificates import is_self_signed, read_certificate
from bot.verify.signatures.notation.names import read_identity
from bot.verify.signatures.notation.trust_store import TrustStore
from bot.verify.signatures.notation.verifying import NotationPolicy, WhenTimestamped, verify_notation
from bot.verify.signatures.verdict import CheckState, SignatureVerdict, Validity
from tests.unit.verify.signatures.making import (
    AUTHORITY,
    DIGEST,
    IDENTITY,
    MAKERS,
    NOW,
    ROOT,
    SUBJECT,
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
    sign,
    usage,
)

SIGNER = chain_of_three()
SIGNING_AUTHORITY = "notary.x509.signingAuthority"

every_envelope = pytest.mark.parametrize("media_type", list(MAKERS))


def trusting(
    *roots: x509.Certificate, identity: str = IDENTITY, tsa: tuple[x509.Certificate, ...] | None = None, **more: Any
) -> NotationPolicy:
    store = TrustStore(ca=roots, signing_authority=roots, tsa=tsa or (), has_tsa=tsa is not None)
    return NotationPolicy(store, (read_identity(identity),), **more)


def judged(
    draft: Draft, media_type: str, policy: NotationPolicy | None = None, at: datetime = NOW
) -> SignatureVerdict:
    policy = policy or trusting(draft.signer.chain[-1])
    return verify_notation(MAKERS[media_type](draft), media_type, policy, at, digests=(DIGEST,))


def failed(verdict: SignatureVerdict) -> list[str]:
    assert verdict.reason or verdict.is_valid
    return [check.name for check in verdict.checks if check.state is CheckState.FAILED]


@every_envelope
@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP521R1()),
        rsa.generate_private_key(65537, 2048),
        rsa.generate_private_key(65537, 3072),
    ],
    ids=["p256", "p384", "p521", "rsa2048", "rsa3072"],
)
def test_a_signature_by_a_trusted_signer_holds(media_type: str, key: Any) -> None:
    verdict = judged(Draft(chain_of_three(key=key)), media_type)

    assert verdict.outcome is Validity.VALID, verdict
    assert (verdict.digest, verdict.signer.split(",")[0]) == (DIGEST, "CN=Contoso Signing")


@every_envelope
def test_a_signer_that_signed_its_own_certificate_holds_where_that_is_trusted(media_type: str) -> None:
    assert judged(Draft(issue(Shape())), media_type).is_valid


@every_envelope
def test_a_signing_authority_answers_for_the_time_itself(media_type: str) -> None:
    draft = Draft(SIGNER, scheme=SIGNING_AUTHORITY)

    assert judged(draft, media_type, at=NOW + timedelta(days=3000)).is_valid
    assert failed(judged(replace(draft, signed_at=NOW - timedelta(days=30)), media_type)) == ["authenticTimestamp"]


@every_envelope
def test_each_scheme_has_its_own_trust_stores(media_type: str) -> None:
    root = SIGNER.chain[-1]
    only_ca = NotationPolicy(TrustStore(ca=(root,)), (read_identity("*"),))

    assert failed(judged(Draft(SIGNER, scheme=SIGNING_AUTHORITY), media_type, only_ca)) == ["authenticity"]


@every_envelope
def test_a_root_of_the_same_name_with_another_key_is_not_trusted(media_type: str) -> None:
    assert failed(judged(Draft(SIGNER), media_type, trusting(issue(ROOT).certificate))) == ["authenticity"]


@every_envelope
def test_a_trusted_intermediate_is_enough(media_type: str) -> None:
    assert judged(Draft(SIGNER), media_type, trusting(SIGNER.chain[1])).is_valid


@every_envelope
@pytest.mark.parametrize(
    ("identity", "holds"),
    [
        ("*", True),
        (IDENTITY, True),
        (r"x509.subject:C=US,S=Washington,O=Contoso\, Ltd", True),
        ('x509.subject: C=US, ST=Washington, O="Contoso, Ltd"', True),
        (r"x509.subject:C=US,ST=Washington,O=Contoso\2C Ltd", True),
        (r"x509.subject:CN=contoso signing,C=US,ST=Washington,O=Contoso\, Ltd", False),
        (r"x509.subject:C=US,ST=Washington,O=Contoso\, Ltd,OU=Images", False),
        ("x509.subject:C=US,ST=Washington,O=Contoso", False),
    ],
)
def test_the_signer_must_have_what_an_identity_names(media_type: str, identity: str, holds: bool) -> None:
    verdict = judged(Draft(SIGNER), media_type, trusting(SIGNER.chain[-1], identity=identity))

    assert failed(verdict) == ([] if holds else ["authenticity"])


@every_envelope
def test_a_subject_that_names_an_attribute_twice_matches_no_identity(media_type: str) -> None:
    signer = chain_of_three(Shape(subject=(*SUBJECT, ("O", "Fabrikam"))))

    assert failed(judged(Draft(signer), media_type)) == ["authenticity"]


@every_envelope
def test_a_signature_for_another_digest_is_refused(media_type: str) -> None:
    assert failed(judged(Draft(SIGNER, digest="sha256:" + "0" * 64), media_type)) == ["subject"]


@every_envelope
def test_a_signature_expires_at_its_expiry(media_type: str) -> None:
    draft = Draft(SIGNER, expiry=NOW + timedelta(hours=1))

    assert judged(draft, media_type, at=NOW + timedelta(minutes=59)).is_valid
    assert failed(judged(draft, media_type, at=NOW + timedelta(hours=1))) == ["expiry"]
    assert judged(draft, media_type).holds_until == NOW + timedelta(hours=1)


@every_envelope
def test_without_a_timestamp_the_chain_must_be_valid_now(media_type: str) -> None:
    assert failed(judged(Draft(SIGNER), media_type, at=NOW + timedelta(days=366))) == ["authenticTimestamp"]
    assert failed(judged(Draft(SIGNER), media_type, at=NOW - timedelta(days=2))) == ["authenticTimestamp"]


@every_envelope
@pytest.mark.parametrize("name", ["io.cncf.notary.verificationPlugin", "com.example.unheard"])
def test_a_critical_header_that_is_not_understood_is_refused(media_type: str, name: str) -> None:
    critical = ("io.cncf.notary.signingScheme", name)
    verdict = judged(Draft(SIGNER, extra=((name, "value"),), critical=critical), media_type)

    assert failed(verdict) == ["critical"]
    assert [check.name for check in verdict.checks if check.state is CheckState.NOT_REACHED] == [
        "authenticity",
        "expiry",
        "authenticTimestamp",
        "subject",
    ]


@every_envelope
def test_a_plugin_that_is_named_without_being_critical_is_not_run_either(media_type: str) -> None:
    verdict = judged(Draft(SIGNER, extra=(("io.cncf.notary.verificationPlugin", "name"),)), media_type)

    assert failed(verdict) == ["critical"]


@every_envelope
def test_a_header_that_is_not_understood_and_not_critical_is_ignored(media_type: str) -> None:
    assert judged(Draft(SIGNER, extra=(("com.example.unheard", "value"),)), media_type).is_valid


BAD_ENVELOPES: dict[str, Callable[[Draft], Draft]] = {
    "nothing critical": lambda draft: replace(draft, critical=()),
    "a critical header that is not there": lambda draft: replace(
        draft, critical=("io.cncf.notary.signingScheme", "absent")
    ),
    "the scheme not critical": lambda draft: replace(draft, critical=("io.cncf.notary.signingTime",)),
    "the expiry not critical": lambda draft: replace(
        draft, expiry=NOW + timedelta(days=1), critical=("io.cncf.notary.signingScheme",)
    ),
    "an expiry before the signing": lambda draft: replace(draft, expiry=draft.signed_at),
    "another scheme": lambda draft: replace(draft, scheme="notary.x509.other"),
    "another payload": lambda draft: replace(draft, content_type="application/octet-stream"),
    "another algorithm": lambda draft: replace(draft, algorithm="ES384"),
    "another signer's certificate": lambda draft: replace(draft, chain=chain_of_three().chain),
    "a chain without its root": lambda draft: replace(draft, chain=draft.signer.chain[:2]),
    "a chain out of order": lambda draft: replace(draft, chain=(draft.signer.chain[0], *draft.signer.chain[:0:-1])),
    "a chain with a stranger": lambda draft: replace(draft, chain=(*draft.signer.chain, issue(ROOT).certificate)),
    "both times of signing": lambda draft: replace(draft, extra=(("io.cncf.notary.authenticSigningTime", "x"),)),
}


@every_envelope
@pytest.mark.parametrize("what", list(BAD_ENVELOPES))
def test_an_envelope_is_refused_for(media_type: str, what: str) -> None:
    assert failed(judged(BAD_ENVELOPES[what](Draft(SIGNER)), media_type, trusting(SIGNER.chain[-1]))) == [
        "integrity"
    ]


def as_jws(**headers: Any) -> bytes:
    """A signed JWS whose protected header has these members; None takes one away."""
    document = json.loads(jws(Draft(SIGNER)))
    protected = json.loads(base64.urlsafe_b64decode(document["protected"] + "=="))
    kept = {name: value for name, value in (protected | headers).items() if value is not None}
    document["protected"] = base64.urlsafe_b64encode(json.dumps(kept).encode()).decode().rstrip("=")
    content = f"{document['protected']}.{document['payload']}".encode()
    signature = sign(SIGNER, content, SIGNER.algorithm)
    document["signature"] = base64.urlsafe_b64encode(signature).decode().rstrip("=")
    return json.dumps(document).encode()


SCHEME, TIME = "io.cncf.notary.signingScheme", "io.cncf.notary.signingTime"


@pytest.mark.parametrize(
    "headers",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "RS256"},
        {"alg": "ES384"},
        {"alg": "PS256"},
        {"alg": None},
        {"alg": ["ES256"]},
        {"cty": None},
        {"crit": None},
        {"crit": []},
        {"crit": "io.cncf.notary.signingScheme"},
        {"crit": [SCHEME, SCHEME]},
        {"crit": [SCHEME, "alg"]},
        {"crit": [SCHEME, "b64"], "b64": False},
        {TIME: 1764000000},
        {TIME: "yesterday"},
        {TIME: None},
    ],
    ids=str,
)
def test_a_jws_is_refused_for_its_protected_header(headers: dict[str, Any]) -> None:
    policy = trusting(SIGNER.chain[-1])

    assert verify_notation(as_jws(), "application/jose+json", policy, NOW, digests=(DIGEST,)).is_valid
    assert not verify_notation(as_jws(**headers), "application/jose+json", policy, NOW, digests=(DIGEST,)).is_valid


def test_a_jws_that_is_signed_in_der_is_refused() -> None:
    document = json.loads(jws(Draft(SIGNER)))
    key: Any = SIGNER.key
    signature = key.sign(f"{document['protected']}.{document['payload']}".encode(), ec.ECDSA(hashes.SHA256()))
    document["signature"] = base64.urlsafe_b64encode(signature).decode().rstrip("=")

    verdict = verify_notation(
        json.dumps(document).encode(), "application/jose+json", trusting(SIGNER.chain[-1]), NOW
    )
    assert failed(verdict) == ["integrity"]


def as_cose(change: Callable[[list[Any]], object]) -> bytes:
    """A COSE envelope whose four parts were changed after it was signed."""
    parts = list(cbor2.loads(cose(Draft(SIGNER))).value)
    parts[1] = dict(parts[1])
    change(parts)
    return cbor2.dumps(cbor2.CBORTag(18, parts))


@pytest.mark.parametrize(
    "change",
    [
        lambda parts: parts[1].update({1: -7}),
        lambda parts: parts[1].update({2: ["io.cncf.notary.signingScheme"]}),
        lambda parts: parts[1].update({3: "application/octet-stream"}),
        lambda parts: parts[1].update({"io.cncf.notary.signingScheme": "notary.x509"}),
    ],
    ids=["algorithm", "critical", "content type", "scheme"],
)
def test_what_must_be_signed_may_not_stand_in_the_header_that_is_not(change: Any) -> None:
    policy = trusting(SIGNER.chain[-1])

    assert verify_notation(as_cose(lambda parts: None), "application/cose", policy, NOW).is_valid
    assert failed(verify_notation(as_cose(change), "application/cose", policy, NOW)) == ["integrity"]


@pytest.mark.parametrize("name", ["alg", "crit", "io.cncf.notary.signingScheme"])
def test_the_same_holds_in_a_jws(name: str) -> None:
    document = json.loads(jws(Draft(SIGNER)))
    document["header"][name] = ["io.cncf.notary.signingScheme"]
    verdict = verify_notation(
        json.dumps(document).encode(), "application/jose+json", trusting(SIGNER.chain[-1]), NOW
    )

    assert failed(verdict) == ["integrity"]


@pytest.mark.parametrize(
    "change",
    [
        lambda parts: parts.__setitem__(2, None),
        lambda parts: parts.append(b""),
        lambda parts: parts.__setitem__(3, parts[3][:-1]),
        lambda parts: parts[1].pop(33),
        lambda parts: parts[1].update({33: []}),
        lambda parts: parts[1].update({33: list(reversed(parts[1][33]))}),
        lambda parts: parts[1].update({33: [*parts[1][33][:1], *parts[1][33]]}),
    ],
    ids=["detached", "five parts", "cut", "no chain", "empty chain", "root first", "leaf twice"],
)
def test_a_cose_envelope_is_refused_for_its_parts(change: Any) -> None:
    assert failed(verify_notation(as_cose(change), "application/cose", trusting(SIGNER.chain[-1]), NOW)) == [
        "integrity"
    ]


def test_a_salt_of_another_length_than_the_hash_is_refused() -> None:
    signer = chain_of_three(key=rsa.generate_private_key(65537, 2048))
    key: Any = signer.key
    document = json.loads(jws(Draft(signer)))
    content = f"{document['protected']}.{document['payload']}".encode()
    for pad in (padding.PSS(padding.MGF1(hashes.SHA256()), 20), padding.PKCS1v15()):
        document["signature"] = (
            base64.urlsafe_b64encode(key.sign(content, pad, hashes.SHA256())).decode().rstrip("=")
        )
        verdict = verify_notation(
            json.dumps(document).encode(), "application/jose+json", trusting(signer.chain[-1]), NOW
        )
        assert failed(verdict) == ["integrity"]


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


# timestamps


@pytest.fixture(scope="module")
def timestamper(tmp_path_factory: pytest.TempPathFactory) -> Timestamper:
    return Timestamper.open(tmp_path_factory.mktemp("tsa"))


def short_lived() -> Holder:
    """A signer that is valid now by the machine's clock, as openssl stamps with that, and for a day only."""
    now = datetime.now(UTC).replace(microsecond=0)
    return chain_of_three(Shape(start=now - timedelta(hours=1), end=now + timedelta(days=1)))


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


def replace_token(encoded: bytes, token: bytes) -> bytes:
    name = "io.cncf.notary.timestampSignature"
    if encoded.startswith(b"{"):
        document = json.loads(encoded)
        document["header"][name] = base64.b64encode(token).decode()
        return json.dumps(document).encode()
    protected, unprotected, payload, signature = cbor2.loads(encoded).value
    return cbor2.dumps(cbor2.CBORTag(18, [protected, {**unprotected, name: token}, payload, signature]))


@needs_openssl
def test_a_signer_that_was_not_valid_when_stamped_is_refused(timestamper: Timestamper) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    policy_of = lambda signer: trusting(signer.chain[-1], tsa=(timestamper.root.certificate,))  # noqa: E731
    for shape in (
        Shape(start=now - timedelta(days=9), end=now - timedelta(days=1)),
        Shape(start=now + timedelta(days=1), end=now + timedelta(days=9)),
    ):
        signer = chain_of_three(shape)
        encoded = cose(Draft(signer, signed_at=now), timestamper=timestamper)
        assert failed(verify_notation(encoded, "application/cose", policy_of(signer), now)) == [
            "authenticTimestamp"
        ]


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


@lru_cache(maxsize=1)
def stamped_by(timestamper: Timestamper) -> tuple[bytes, NotationPolicy]:
    signer = short_lived()
    policy = trusting(signer.chain[-1], tsa=(timestamper.root.certificate,))
    return cose(Draft(signer), timestamper=timestamper), policy


@needs_openssl
@given(data=st.data())
def test_no_flipped_byte_of_a_timestamp_moves_the_time(data: st.DataObject, timestamper: Timestamper) -> None:
    """Parts of a token are signed by nobody, such as further certificates; they may differ and decide nothing."""
    whole, policy = stamped_by(timestamper)
    now = datetime.now(UTC)
    token = cbor2.loads(whole).value[1]["io.cncf.notary.timestampSignature"]
    flipped = bytearray(token)
    flipped[data.draw(st.integers(0, len(token) - 1))] ^= data.draw(st.integers(1, 255))

    verdict = verify_notation(replace_token(whole, bytes(flipped)), "application/cose", policy, now)

    assert verdict.outcome is not Validity.CANNOT_TELL
    if verdict.is_valid:
        assert verdict.signed_at == verify_notation(whole, "application/cose", policy, now).signed_at
    else:
        assert failed(verdict) == ["authenticTimestamp"]


# altered envelopes

WHOLE = {media_type: make(Draft(SIGNER)) for media_type, make in MAKERS.items()}


@every_envelope
@given(data=st.data())
def test_no_envelope_with_a_byte_flipped_holds(media_type: str, data: st.DataObject) -> None:
    whole = WHOLE[media_type]
    place = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytearray(whole)
    flipped[place] ^= data.draw(st.integers(1, 255))

    verdict = verify_notation(bytes(flipped), media_type, trusting(SIGNER.chain[-1]), NOW, digests=(DIGEST,))

    assert verdict.outcome is Validity.INVALID


@every_envelope
@given(data=st.data())
def test_no_envelope_cut_short_or_made_longer_holds(media_type: str, data: st.DataObject) -> None:
    whole = WHOLE[media_type]
    altered = data.draw(
        st.one_of(
            st.integers(0, len(whole) - 1).map(lambda end: whole[:end]),
            st.binary(min_size=1, max_size=20).filter(bytes.strip).map(lambda more: whole + more),
        )
    )

    verdict = verify_notation(altered, media_type, trusting(SIGNER.chain[-1]), NOW)

    assert verdict.outcome is Validity.INVALID


@every_envelope
@given(content=st.one_of(st.binary(max_size=400), st.text(max_size=200).map(str.encode)))
def test_whatever_the_bytes_a_verdict_comes_of_them(media_type: str, content: bytes) -> None:
    verdict = verify_notation(content, media_type, trusting(SIGNER.chain[-1]), NOW)

    assert verdict.outcome is Validity.INVALID
    assert verdict.reason


@given(
    value=st.recursive(
        st.one_of(
            st.integers(-(2**64), 2**64 - 1), st.binary(max_size=9), st.text(max_size=9), st.none(), st.floats()
        ),
        lambda inner: st.one_of(
            st.lists(inner, max_size=5),
            st.dictionaries(st.one_of(st.integers(0, 40), st.text(max_size=9)), inner, max_size=5),
            inner.map(lambda one: cbor2.CBORTag(7, one)),
        ),
        max_leaves=20,
    )
)
def test_whatever_the_cbor_a_verdict_comes_of_it(value: Any) -> None:
    headers = cbor2.dumps(value)
    for content in (headers, cbor2.dumps(cbor2.CBORTag(18, [headers, {33: value}, b"x", b"y"]))):
        assert not verify_notation(content, "application/cose", trusting(SIGNER.chain[-1]), NOW).is_valid


@every_envelope
def test_the_parts_of_two_signatures_make_no_third(media_type: str) -> None:
    other = "sha256:" + "1" * 64
    ours, theirs = (MAKERS[media_type](Draft(SIGNER, digest=digest)) for digest in (DIGEST, other))
    for mixed in _mixtures(ours, theirs):
        assert failed(verify_notation(mixed, media_type, trusting(SIGNER.chain[-1]), NOW)) == ["integrity"]


def _mixtures(ours: bytes, theirs: bytes) -> list[bytes]:
    if ours.startswith(b"{"):
        documents = json.loads(ours), json.loads(theirs)
        return [
            json.dumps({**documents[0], name: documents[1][name]}).encode() for name in ("payload", "signature")
        ]
    parts = [list(cbor2.loads(one).value) for one in (ours, theirs)]
    return [
        cbor2.dumps(cbor2.CBORTag(18, [*parts[0][:place], parts[1][place], *parts[0][place + 1 :]]))
        for place in (2, 3)
    ]


def test_a_member_named_twice_is_refused() -> None:
    doubled = WHOLE["application/jose+json"].replace(b'{"payload":', b'{"payload":"e30","payload":', 1)

    assert failed(verify_notation(doubled, "application/jose+json", trusting(SIGNER.chain[-1]), NOW)) == [
        "integrity"
    ]


def test_an_envelope_of_another_type_is_refused_with_the_types_that_are_known() -> None:
    verdict = verify_notation(b"{}", "application/json", trusting(SIGNER.chain[-1]), NOW)

    assert failed(verdict) == ["integrity"]
    assert "application/cose" in verdict.advice


def test_a_chain_of_one_certificate_may_be_a_single_byte_string() -> None:
    signer = issue(Shape())
    protected, unprotected, payload, signature = cbor2.loads(cose(Draft(signer))).value
    single = cbor2.dumps(cbor2.CBORTag(18, [protected, {33: unprotected[33][0]}, payload, signature]))

    assert verify_notation(single, "application/cose", trusting(signer.certificate), NOW).is_valid
