"""Envelopes whose signature holds, and what their encoding, headers and payload may be and may not."""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import cbor2
import pytest

from bot.images.signatures.notation.names import TrustedIdentity
from bot.images.signatures.notation.trust_store import TrustStore
from bot.images.signatures.notation.verifying import NotationPolicy, verify_notation
from bot.images.signatures.verdict import CheckState, SignatureVerdict
from tests.unit.images.signatures.making import (
    AUTHORITY,
    MAKERS,
    NOW,
    ROOT,
    Draft,
    Holder,
    Shape,
    chain_of_three,
    issue,
    sign,
)

SIGNER = chain_of_three()
COSE, JWS = "application/cose", "application/jose+json"
SCHEME, TIME = "io.cncf.notary.signingScheme", "io.cncf.notary.signingTime"
EXPIRY, TIMESTAMP = "io.cncf.notary.expiry", "io.cncf.notary.timestampSignature"
SIGNED_AT = int((NOW - timedelta(hours=1)).timestamp())
PAYLOAD = Draft(SIGNER).payload
DESCRIPTOR = json.loads(PAYLOAD)["targetArtifact"]


def judged(encoded: bytes, media_type: str) -> SignatureVerdict:
    roots = SIGNER.chain[-1:]
    return verify_notation(encoded, media_type, NotationPolicy(TrustStore(ca=roots), (TrustedIdentity(),)), NOW)


def failed(verdict: SignatureVerdict) -> list[str]:
    return [check.name for check in verdict.checks if check.state is CheckState.FAILED]


def signed_cose(
    protected: Mapping[Any, Any] | None = None,
    unprotected: Mapping[Any, Any] | None = None,
    payload: bytes = PAYLOAD,
    encode: Callable[[dict[Any, Any]], bytes] = cbor2.dumps,
    head: bytes = b"\xd2\x84",
) -> bytes:
    """A COSE envelope that is signed as it stands, with these headers beside or in place of the usual ones."""
    headers = {1: -7, 2: [SCHEME], 3: Draft(SIGNER).content_type, SCHEME: "notary.x509"}
    signed = encode({**headers, TIME: cbor2.CBORTag(1, SIGNED_AT), **(protected or {})})
    signature = sign(SIGNER, cbor2.dumps(["Signature1", signed, b"", payload]), "ES256")
    parts = (signed, {33: Draft(SIGNER).certificates, **(unprotected or {})}, payload, signature)
    return head + b"".join(cbor2.dumps(part) for part in parts)


def signed_jws(
    protected: Mapping[str, Any] | None = None,
    header: Mapping[str, Any] | None = None,
    payload: bytes = PAYLOAD,
    encoding: str = "utf-8",
) -> bytes:
    """The same as a JWS."""
    time = datetime.fromtimestamp(SIGNED_AT, UTC).isoformat().replace("+00:00", "Z")
    headers = {
        "alg": "ES256",
        "cty": Draft(SIGNER).content_type,
        "crit": [SCHEME],
        SCHEME: "notary.x509",
        TIME: time,
    }
    kept = [
        base64.urlsafe_b64encode(part).decode().rstrip("=")
        for part in (json.dumps(headers | dict(protected or {})).encode(), payload)
    ]
    signature = base64.urlsafe_b64encode(sign(SIGNER, ".".join(kept).encode(), "ES256")).decode().rstrip("=")
    chain = [base64.b64encode(one).decode() for one in Draft(SIGNER).certificates]
    document = {"protected": kept[0], "payload": kept[1], "header": {"x5c": chain, **(header or {})}}
    return json.dumps({**document, "signature": signature}).encode(encoding)


MAKE: dict[str, Callable[..., bytes]] = {COSE: signed_cose, JWS: signed_jws}
every_envelope = pytest.mark.parametrize("media_type", list(MAKE))


@pytest.mark.parametrize(
    "protected",
    [
        {4: b"a key"},
        {5: b"a nonce"},
        {1000: 1},
        {-70000: 1},
        {"x": None},
        {"x": 2**80},
        {"x": cbor2.CBORTag(0, "2026-11-25T00:00:00Z")},
        {"x": cbor2.CBORTag(37, bytes(16))},
        {"x": cbor2.CBORTag(4711, 1)},
        {"x": {"a": [1, {"b": [[[[[[b"c"]]]]]]}]}},
        {TIME: cbor2.CBORTag(1, SIGNED_AT + 0.5)},
        {EXPIRY: cbor2.CBORTag(1, SIGNED_AT + 90_000), 2: [SCHEME, EXPIRY]},
        {2: [1, 3, SCHEME]},
        {2: [SCHEME, TIME]},
    ],
    ids=str,
)
def test_a_cose_envelope_may_say_more_than_is_understood_and_in_other_words(protected: dict[Any, Any]) -> None:
    assert judged(signed_cose(protected), COSE).is_valid


@pytest.mark.parametrize(
    "protected",
    [
        {4: "a key"},
        {5: b"a nonce", 6: b"a part"},
        {6: "a part"},
        {b"x": 1},
        {1.5: 1},
        {1: "ES256"},
        {3: 50},
        {2: SCHEME},
        {2: [SCHEME, b"x"]},
        {2: [SCHEME, 99]},
        {SCHEME: 1},
        {TIME: SIGNED_AT},
        {TIME: cbor2.CBORTag(0, "2026-11-24T23:00:00Z")},
        {TIME: cbor2.CBORTag(1, "2026")},
        {TIME: cbor2.CBORTag(1, float("nan"))},
        {TIME: cbor2.CBORTag(1001, SIGNED_AT)},
        {TIME: None},
        {EXPIRY: None},
        {EXPIRY: None, 2: [SCHEME, EXPIRY]},
        {2: [SCHEME, EXPIRY]},
    ],
    ids=str,
)
def test_a_cose_envelope_is_refused_for_its_signed_header(protected: dict[Any, Any]) -> None:
    assert failed(judged(signed_cose(protected), COSE)) == ["integrity"]


@pytest.mark.parametrize(
    "unprotected",
    [
        {"io.cncf.notary.signingAgent": "notation"},
        {"x": {"y": [1, b"z"]}},
        {4: b"a key"},
        {34: [-16, bytes(32)]},
        {7: [b"", {}, b"a countersignature"]},
        {11: [b"", {}, b"a countersignature"]},
    ],
    ids=str,
)
def test_a_cose_envelope_may_carry_beside_what_nobody_signed(unprotected: dict[Any, Any]) -> None:
    assert judged(signed_cose(unprotected=unprotected), COSE).is_valid


@pytest.mark.parametrize(
    "unprotected",
    [
        {4: "a key"},
        {5: b"a nonce", 6: b"a part"},
        {b"x": 1},
        {1.5: 1},
        {EXPIRY: cbor2.CBORTag(1, SIGNED_AT)},
        {"x": cbor2.CBORTag(4711, 1)},
        {"x": {"y": [2**80]}},
        {33: "a chain"},
        {33: [b"a certificate"]},
        {33: [*Draft(SIGNER).certificates, "a certificate"]},
        {33: [Draft(SIGNER).certificates[0] + b"\0", *Draft(SIGNER).certificates[1:]]},
    ],
    ids=[
        "a key id in text",
        "two nonces",
        "a label in bytes",
        "a label that is a fraction",
        "an expiry",
        "a tag",
        "a number of any size",
        "a chain in text",
        "no certificate",
        "a text among certificates",
        "a byte behind a certificate",
    ],
)
def test_a_cose_envelope_is_refused_for_what_nobody_signed(unprotected: dict[Any, Any]) -> None:
    assert failed(judged(signed_cose(unprotected=unprotected), COSE)) == ["integrity"]


@pytest.mark.parametrize(
    "head",
    [b"\x84", b"\xd8\x12\x84", b"\xd2\x98\x04", b"\xd1\x84", b"\xd8\x62\x84", b"\xd9\xd9\xf7\xd2\x84"],
    ids=["no tag", "a long tag", "a long list", "COSE_Mac0", "COSE_Sign", "a tag around"],
)
def test_a_cose_envelope_begins_as_a_tagged_message_of_four_parts_does(head: bytes) -> None:
    assert judged(signed_cose(), COSE).is_valid
    assert failed(judged(signed_cose(head=head), COSE)) == ["integrity"]


@pytest.mark.parametrize(
    "encode",
    [
        lambda headers: b"\xbf" + cbor2.dumps(headers)[1:] + b"\xff",
        lambda headers: bytes([0xA0 + len(headers) + 1]) + cbor2.dumps(headers)[1:] + b"\x01\x26",
        lambda headers: cbor2.dumps(headers) + b"\0",
        lambda headers: cbor2.dumps([headers]),
        lambda headers: b"",
    ],
    ids=["of open length", "a label twice", "something behind", "a list", "empty"],
)
def test_a_signed_header_is_one_map_with_each_label_once(encode: Callable[[dict[Any, Any]], bytes]) -> None:
    assert failed(judged(signed_cose(encode=encode), COSE)) == ["integrity"]


@every_envelope
@pytest.mark.parametrize(
    "more",
    [
        {"annotations": {"org.example": "x"}},
        {"annotations": None},
        {"urls": ["https://example.com"]},
        {"artifactType": "application/x", "platform": {"os": "linux"}, "data": "aGk="},
        {"digest": f"sha512:{'a' * 128}"},
    ],
    ids=str,
)
def test_a_descriptor_may_say_more(media_type: str, more: dict[str, Any]) -> None:
    payload = json.dumps({"targetArtifact": DESCRIPTOR | more, "more": [1]}, indent=1).encode()

    assert judged(MAKE[media_type](payload=payload), media_type).is_valid


@every_envelope
@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"[]",
        b"x",
        PAYLOAD + b"x",
        b"\xef\xbb\xbf" + PAYLOAD,
        PAYLOAD.decode().encode("utf-16"),
        PAYLOAD.replace(b"image", b"\xff"),
        b'{"targetArtifact":{},' + PAYLOAD[1:],
        PAYLOAD.replace(b"targetArtifact", b"TargetArtifact"),
        *(
            json.dumps({"targetArtifact": DESCRIPTOR | change}).encode()
            for change in (
                {"size": 1.5},
                {"size": "17"},
                {"size": -1},
                {"size": 2**63},
                {"size": True},
                {"size": None},
                {"digest": None},
                {"mediaType": None},
                {"annotations": {"x": 1}},
                {"annotations": ["x"]},
                {"urls": "https://example.com"},
                {"urls": [1]},
            )
        ),
    ],
    ids=lambda payload: str(payload[-40:]),
)
def test_a_payload_that_is_no_descriptor_binds_nothing(media_type: str, payload: bytes) -> None:
    assert failed(judged(MAKE[media_type](payload=payload), media_type)) == ["integrity"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig"])
def test_a_jws_is_utf_8_without_a_mark(encoding: str) -> None:
    assert judged(signed_jws(), JWS).is_valid
    assert failed(judged(signed_jws(encoding=encoding), JWS)) == ["integrity"]


@pytest.mark.parametrize("time", ["2026-11-24T23:00:00.123456789Z", "2026-11-25T01:00:00+02:00"])
def test_a_jws_has_its_times_by_rfc_3339(time: str) -> None:
    assert judged(signed_jws({TIME: time}), JWS).is_valid


@pytest.mark.parametrize(
    ("protected", "header"),
    [
        ({EXPIRY: None}, {}),
        ({EXPIRY: None, "crit": [SCHEME, EXPIRY]}, {}),
        ({TIME: "2026-11-24 23:00:00Z"}, {}),
        ({TIME: "2026-11-24t23:00:00z"}, {}),
        ({TIME: "2026-11-24T23:00:00"}, {}),
        ({TIME: "2026-11-24T23:00:60Z"}, {}),
        ({}, {TIMESTAMP: 1}),
        ({}, {TIMESTAMP: ["x"]}),
        ({}, {TIMESTAMP: "!"}),
        ({}, {"io.cncf.notary.signingAgent": 1}),
        ({}, {"x5c": None}),
        ({}, {"x5c": "x"}),
    ],
    ids=str,
)
def test_a_jws_is_refused_for_headers_of_another_kind(protected: dict[str, Any], header: dict[str, Any]) -> None:
    assert failed(judged(signed_jws(protected, header), JWS)) == ["integrity"]


@every_envelope
@pytest.mark.parametrize(("authorities", "holds"), [(9, True), (30, True), (31, False)])
def test_a_chain_may_be_long_and_not_without_end(media_type: str, authorities: int, holds: bool) -> None:
    root = issue(ROOT)
    holder: Holder = root
    for _ in range(authorities):
        holder = issue(AUTHORITY, holder)
    encoded = MAKERS[media_type](Draft(issue(Shape(), holder)))
    policy = NotationPolicy(TrustStore(ca=(root.certificate,)), (TrustedIdentity(),))

    assert verify_notation(encoded, media_type, policy, NOW).is_valid is holds
