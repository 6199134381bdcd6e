"""Keyless signatures from a Sigstore of our own: what holds, and each part that must be looked at."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from bot.domain.failure import Failure
from bot.images.signatures.cosign.policy import (
    AllOf,
    Anybody,
    AnyOf,
    SignedBy,
    VouchedForBy,
    accepting,
    is_anchored,
)
from bot.images.signatures.cosign.trusted_root import read_trusted_root
from bot.images.signatures.cosign.verifying import SignedSubject, verify_keyless
from bot.images.signatures.verdict import Validity
from tests.unit.images.signatures.cosign.signing import (
    DIGEST,
    POLICY,
    ROOT,
    SIGNER,
    SIGSTORE,
    STATEMENT,
    bundle,
    every_layout,
    failed,
    judged,
    older,
    promise_only,
)
from tests.unit.images.signatures.making import Shape, Timestamper, issue, needs_openssl
from tests.unit.images.signatures.private_sigstore import (
    AT,
    IDENTITY,
    ISSUER,
    PrivateSigstore,
    b64,
    intoto_bundle,
    message_bundle,
)


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
        root = read_trusted_root(SIGSTORE.trusted_root(**dict[str, Any](more)))
        assert judged(make(SIGSTORE, SIGNER), root=root).outcome is Validity.INVALID


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
