"""Envelopes made here: what holds, and each way in which one must not."""

import base64
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from bot.images.signatures.notation.names import read_identity
from bot.images.signatures.notation.trust_store import TrustStore
from bot.images.signatures.notation.verifying import NotationPolicy, verify_notation
from bot.images.signatures.verdict import CheckState, Validity
from tests.unit.images.signatures.making import (
    DIGEST,
    IDENTITY,
    NOW,
    ROOT,
    SUBJECT,
    Draft,
    Shape,
    chain_of_three,
    cose,
    issue,
    jws,
    sign,
)
from tests.unit.images.signatures.notation.signing import SIGNER, WHOLE, every_envelope, failed, judged, trusting

SIGNING_AUTHORITY = "notary.x509.signingAuthority"


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


def test_a_member_named_twice_is_refused() -> None:
    doubled = WHOLE["application/jose+json"].replace(b'{"payload":', b'{"payload":"e30","payload":', 1)

    assert failed(verify_notation(doubled, "application/jose+json", trusting(SIGNER.chain[-1]), NOW)) == [
        "integrity"
    ]


def test_an_envelope_of_another_type_is_refused_with_the_types_that_are_known() -> None:
    verdict = verify_notation(b"{}", "application/json", trusting(SIGNER.chain[-1]), NOW)

    assert failed(verdict) == ["integrity"]
    assert "application/cose" in verdict.advice


def test_where_no_library_reads_cbor_nobody_can_tell_and_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    envelope = cose(Draft(SIGNER))
    monkeypatch.setitem(sys.modules, "cbor2", None)
    verdict = verify_notation(envelope, "application/cose", trusting(SIGNER.chain[-1]), NOW)

    assert verdict.outcome is Validity.CANNOT_TELL
    assert "freshness-bot[cbor]" in verdict.advice
