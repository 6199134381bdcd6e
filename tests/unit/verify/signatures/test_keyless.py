"""Keyless signatures from a Sigstore of our own: what holds, and each part that must be looked at."""

import base64
import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.failure import Failure
from bot.verify.signatures.cosign.policy import (
    AllOf,
    Anybody,
    AnyOf,
    SignedBy,
    VouchedForBy,
    accepting,
    is_anchored,
)
from bot.verify.signatures.cosign.trusted_root import read_trusted_root
from bot.verify.signatures.cosign.verifying import SignedSubject, verify_keyless
from bot.verify.signatures.verdict import CheckState, SignatureVerdict, Validity
from tests.unit.verify.signatures.making import Shape, Timestamper, issue, needs_openssl
from tests.unit.verify.signatures.private_sigstore import (
    ARTIFACT,
    AT,
    IDENTITY,
    ISSUER,
    PrivateSigstore,
    b64,
    dsse_bundle,
    envelope_of,
    hashedrekord,
    intoto_bundle,
    message_bundle,
    older_bundle,
    pem,
    promised,
    sig_annotations,
    signed,
    simple_signing,
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


@every_layout
def test_what_the_expected_workflow_signed_holds(make: Any) -> None:
    verdict = judged(make(SIGSTORE, SIGNER))

    assert verdict.is_valid, verdict
    assert (verdict.signer, verdict.issuer) == (IDENTITY, ISSUER)
    assert verdict.signed_at == AT + timedelta(minutes=1)
    assert dict(verdict.facts)["source_repository"] == "https://github.com/contoso/app"


@every_layout
def test_a_digest_is_as_good_as_the_file(make: Any) -> None:
    assert verify_keyless(make(SIGSTORE, SIGNER), ROOT, POLICY, SignedSubject(digest=DIGEST)).is_valid


@every_layout
def test_another_file_is_refused(make: Any) -> None:
    assert judged(make(SIGSTORE, SIGNER), artifact=b"another").outcome is Validity.INVALID


@every_layout
@pytest.mark.parametrize(
    "policy",
    [
        accepting([IDENTITY.replace("main", "other")], [], ISSUER),
        accepting([IDENTITY], [], "https://accounts.example.com"),
        accepting([], ["^https://github.com/fabrikam/.*$"], ISSUER),
        AllOf((SignedBy(IDENTITY), VouchedForBy("https://accounts.example.com"))),
        AllOf(()),
        AnyOf(()),
    ],
)
def test_a_signer_that_is_not_accepted_is_refused(make: Any, policy: Any) -> None:
    assert failed(judged(make(SIGSTORE, SIGNER), policy=policy)) == ["identity"]


@pytest.mark.parametrize(
    "policy",
    [
        accepting(["somebody@example.com", IDENTITY], [], ISSUER),
        accepting(["somebody@example.com"], ["^https://github.com/contoso/app/.*@refs/heads/main$"], None),
        AllOf((SignedBy(IDENTITY), VouchedForBy(ISSUER))),
        AnyOf((SignedBy("somebody@example.com"), AllOf((Anybody(), SignedBy(IDENTITY))))),
    ],
)
def test_policies_compose(policy: Any) -> None:
    assert judged(bundle(SIGSTORE, SIGNER), policy=policy).is_valid


def test_an_open_identity_and_an_open_pattern_are_told() -> None:
    assert "not who" in judged(bundle(SIGSTORE, SIGNER), policy=Anybody()).notes[0]
    (note,) = judged(bundle(SIGSTORE, SIGNER), policy=accepting([], ["contoso/app"], None)).notes
    assert "not anchored" in note


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("^https://github.com/contoso/app/.*$", True),
        (r"\Ahttps://.*\Z", True),
        (r"^(a|b)$", True),
        (r"^[|]$", True),
        (r"^a\|b$", True),
        (r"(?i)^a$", True),
        ("^a|b$", False),
        ("a$", False),
        ("^a", False),
        (r"^a\$", False),
        (r"^a\\$", True),
        ("", False),
    ],
)
def test_a_pattern_is_anchored_where_it_matches_whole_identities_only(pattern: str, expected: bool) -> None:
    assert is_anchored(pattern) is expected


def test_what_is_no_pattern_is_told_at_once() -> None:
    with pytest.raises(Failure, match="no regular expression"):
        accepting([], ["("], None)


@every_layout
def test_another_trusted_root_refuses_it(make: Any) -> None:
    other = read_trusted_root(PrivateSigstore.open().trusted_root())

    assert judged(make(SIGSTORE, SIGNER), root=other).outcome is Validity.INVALID


REPLACED: dict[str, Callable[[], PrivateSigstore]] = {
    "certificate log": lambda: replace(SIGSTORE, certificate_log=ec.generate_private_key(ec.SECP256R1())),
    "signature log": lambda: replace(SIGSTORE, log=ec.generate_private_key(ec.SECP256R1())),
    "authority": lambda: replace(SIGSTORE, authority=PrivateSigstore.open().authority),
}


@every_layout
@pytest.mark.parametrize("part", list(REPLACED))
def test_each_part_of_the_root_counts(make: Any, part: str) -> None:
    """Signed by an instance of which one part is not the one that is trusted."""
    impostor = REPLACED[part]()

    assert judged(make(impostor, impostor.certificate())).outcome is Validity.INVALID


@every_layout
@pytest.mark.parametrize(
    "signer",
    [
        SIGSTORE.certificate(is_logged=False),
        SIGSTORE.certificate(at=AT - timedelta(minutes=30)),
        SIGSTORE.certificate(at=AT + timedelta(minutes=30)),
        SIGSTORE.certificate(purposes=(ExtendedKeyUsageOID.CLIENT_AUTH,)),
    ],
    ids=["not in the certificate log", "ended before the log took it", "began after", "not for signing code"],
)
def test_a_certificate_is_refused(make: Any, signer: Any) -> None:
    assert judged(make(SIGSTORE, signer)).outcome is Validity.INVALID


@pytest.mark.parametrize("make", [older, promise_only])
def test_a_root_that_was_not_to_be_believed_then_refuses_it(make: Any) -> None:
    for more in ({"start": AT + timedelta(days=1)}, {"end": AT - timedelta(days=1)}):
        root = read_trusted_root(SIGSTORE.trusted_root(**more))
        assert judged(make(SIGSTORE, SIGNER), root=root).outcome is Validity.INVALID


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
@pytest.mark.parametrize("make", [message_bundle, lambda *of: dsse_bundle(*of, STATEMENT)], ids=["file", "dsse"])
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


# altered

WHOLE = {make: make(SIGSTORE, SIGNER) for make in LAYOUTS.values()}
BUNDLE = message_bundle(SIGSTORE, SIGNER)


@every_layout
@settings(max_examples=40)
@given(data=st.data())
def test_no_flipped_byte_makes_another_thing_valid(make: Any, data: st.DataObject) -> None:
    """What a flip leaves valid binds the same artifact to the same signer: it fell on something nobody reads."""
    whole = WHOLE[make]
    place = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytearray(whole)
    flipped[place] ^= data.draw(st.integers(1, 255))

    verdict = judged(bytes(flipped))

    assert not verdict.is_valid or (verdict.signer, verdict.digest) == (IDENTITY, DIGEST)


@pytest.mark.parametrize("name", ["messageSignature", "certificate", "signedEntryTimestamp", "canonicalizedBody"])
@settings(max_examples=40)
@given(data=st.data())
def test_no_bit_of_what_is_signed_may_flip(name: str, data: st.DataObject) -> None:
    document = deepcopy(BUNDLE)
    material = document["verificationMaterial"]
    entry = material["tlogEntries"][0]
    holder, key = {
        "messageSignature": (document["messageSignature"], "signature"),
        "certificate": (material["certificate"], "rawBytes"),
        "signedEntryTimestamp": (entry["inclusionPromise"], "signedEntryTimestamp"),
        "canonicalizedBody": (entry, "canonicalizedBody"),
    }[name]
    content = bytearray(base64.b64decode(holder[key]))
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    holder[key] = b64(bytes(content))

    assert judged(json.dumps(document).encode()).outcome is Validity.INVALID


@given(content=st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode)))
def test_whatever_the_bytes_a_verdict_comes_of_them(content: bytes) -> None:
    assert judged(content).outcome is Validity.INVALID


NAMES = st.sampled_from(
    ["mediaType", "verificationMaterial", "certificate", "rawBytes", "tlogEntries", "messageSignature",
     "signature", "dsseEnvelope", "payload", "payloadType", "signatures", "sig", "base64Signature", "cert",
     "rekorBundle", "layers", "Payload", "body", "annotations", "digest", "kindVersion", "inclusionPromise"]
)  # fmt: skip
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from(["application/vnd.dev.sigstore.bundle.v0.3+json", "e30=", "AA==", "x", b64(pem(SIGNER))]),
)


@given(
    document=st.dictionaries(
        NAMES,
        st.recursive(
            VALUES,
            lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=5)),
            max_leaves=20,
        ),
        max_size=6,
    )
)
def test_whatever_the_document_a_verdict_comes_of_it(document: Any) -> None:
    encoded = json.dumps(document).encode()
    for asked in (
        SignedSubject(ARTIFACT),
        SignedSubject(digest=DIGEST),
        SignedSubject(),
        SignedSubject(digest="sha512:" + "0" * 128),
    ):
        assert not verify_keyless(encoded, ROOT, POLICY, asked).is_valid


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"\xff", b'{"mediaType": "x"}', SIGSTORE.trusted_root()[:-9]]
)
def test_what_is_no_trusted_root_is_told_with_what_to_give(content: bytes) -> None:
    with pytest.raises(Failure, match="trusted root cannot be read") as failure:
        read_trusted_root(content, where="root.json")

    assert str(failure.value).startswith("root.json: ")
    assert failure.value.advice


def test_a_root_whose_authorities_have_no_names_is_as_good() -> None:
    document = json.loads(SIGSTORE.trusted_root())
    for authority in document["certificateAuthorities"]:
        del authority["subject"], authority["uri"]
    root = read_trusted_root(json.dumps(document).encode())

    assert judged(bundle(SIGSTORE, SIGNER), root=root).is_valid


def test_a_root_with_a_key_of_an_unknown_kind_is_read_without_it() -> None:
    document = json.loads(SIGSTORE.trusted_root())
    document["tlogs"].append(
        {**document["tlogs"][0], "publicKey": {**document["tlogs"][0]["publicKey"], "rawBytes": "AA=="}}
    )
    document["tlogs"][-1]["logId"] = {"keyId": "AAAA"}

    assert len(read_trusted_root(json.dumps(document).encode()).logs) == 1


def test_a_stranger_with_a_certificate_of_its_own_is_refused() -> None:
    stranger = issue(Shape(start=AT - timedelta(days=1), purposes=(ExtendedKeyUsageOID.CODE_SIGNING,)))
    encoded = json.dumps(message_bundle(SIGSTORE, stranger)).encode()

    assert judged(encoded, policy=Anybody()).outcome is Validity.INVALID


class TestEntriesOfTheKindIntoto:
    """Bundles of 2023, which the library does not read: what came along with the log's promise is looked at too."""

    def bundle(self, version: str = "0.2") -> dict[str, Any]:
        return intoto_bundle(SIGSTORE, SIGNER, STATEMENT, version)

    @pytest.mark.parametrize("version", ["0.1", "0.2"])
    def test_one_with_promise_and_proof_holds(self, version: str) -> None:
        assert judged(json.dumps(self.bundle(version)).encode()).is_valid

    @pytest.mark.parametrize("version", ["0.1", "0.2"])
    @pytest.mark.parametrize("part", ["rootHash", "checkpoint"])
    def test_a_proof_that_does_not_hold_is_refused(self, version: str, part: str) -> None:
        document = self.bundle(version)
        proof = document["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]
        other = json.loads(bundle(PrivateSigstore.open(), SIGNER))
        proof[part] = other["verificationMaterial"]["tlogEntries"][0]["inclusionProof"][part]
        assert failed(judged(json.dumps(document).encode())) == ["log"]

    def test_a_proof_without_the_log_s_checkpoint_is_none_since_0_2(self) -> None:
        for version, outcome in (("0.1", Validity.VALID), ("0.2", Validity.INVALID)):
            document = self.bundle(version)
            del document["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["checkpoint"]
            assert judged(json.dumps(document).encode()).outcome is outcome

    @needs_openssl
    def test_a_timestamp_must_be_believed_and_from_the_days_of_the_certificate(self, tmp_path: Path) -> None:
        """The certificate is for ten minutes of 2026-11-20, the timestamp from now."""
        stamper = Timestamper.open(tmp_path / "tsa")
        [leaf] = x509.load_pem_x509_certificates((tmp_path / "tsa/tsa.pem").read_bytes())
        root = read_trusted_root(SIGSTORE.trusted_root(timestampers=[(leaf, stamper.root.certificate)]))
        document = self.bundle()
        signature = base64.b64decode(document["dsseEnvelope"]["signatures"][0]["sig"])
        reasons = []
        for content, believed in ((signature, root), (b"another", root), (signature, ROOT)):
            token = stamper.stamp(content)
            body = bytes.fromhex("3003020100") + token
            answer = b"\x30\x82" + len(body).to_bytes(2) + body
            data = {"rfc3161Timestamps": [{"signedTimestamp": b64(answer)}]}
            document["verificationMaterial"]["timestampVerificationData"] = data
            verdict = judged(json.dumps(document).encode(), root=believed)
            assert failed(verdict) == ["log"]
            reasons.append(verdict.reason)
        assert "the certificate was not valid at the timestamp" in reasons[0]
        assert all("by no authority of the trusted root" in reason for reason in reasons[1:])

    @pytest.mark.parametrize(
        "listed", ["x", [{}], [{"signedTimestamp": "AAAA"}], [{"signedTimestamp": "AAAA"}] * 33]
    )
    def test_a_timestamp_that_cannot_be_read_is_refused(self, listed: Any) -> None:
        document = self.bundle()
        document["verificationMaterial"]["timestampVerificationData"] = {"rfc3161Timestamps": listed}
        assert judged(json.dumps(document).encode()).outcome is Validity.INVALID
