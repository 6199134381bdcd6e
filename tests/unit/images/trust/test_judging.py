"""Whether an image is signed: what a document states decides, whoever signed it and wherever it is kept."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.evidence import Strength
from bot.domain.images.trust import Trust
from bot.images.signatures.notation.names import TrustedIdentity
from bot.images.signatures.notation.trust_store import TrustStore
from bot.images.signatures.notation.verifying import NotationPolicy
from bot.images.signatures.verdict import Remembered
from bot.images.trust.collecting import AttachedDocument
from bot.images.trust.judging import Trusted, judge_trust
from tests.unit.images.provenance.attested import DIGEST, LAYOUTS
from tests.unit.images.signatures.making import NOW, Draft, chain_of_three, cose
from tests.unit.images.signatures.private_sigstore import AT

Make = Callable[[dict[str, Any]], AttachedDocument]
COSIGN_SIGN = "https://sigstore.dev/cosign/sign/v1"
STATED: dict[str, tuple[str, dict[str, Any]]] = {
    "a summary that failed": ("https://slsa.dev/verification_summary/v1", {"verificationResult": "FAILED"}),
    "a summary that passed": ("https://slsa.dev/verification_summary/v1", {"verificationResult": "PASSED"}),
    "a vulnerability report": ("https://cosign.sigstore.dev/attestation/vuln/v1", {"scanner": {}}),
    "an SBOM": ("https://spdx.dev/Document", {"spdxVersion": "SPDX-2.3"}),
    "VEX": ("https://openvex.dev/ns/v0.2.0", {}),
    "GitHub's provenance": ("https://slsa.dev/provenance/v1", {}),
    "a type that nobody knows": ("https://contoso.example/looked-at/v1", {}),
}


def statement(kind: str, predicate: dict[str, Any] | None = None, digest: str = DIGEST) -> dict[str, Any]:
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "shop", "digest": {"sha256": digest.removeprefix("sha256:")}}],
        "predicateType": kind,
        "predicate": predicate or {},
    }


def judged(trusted: Trusted, *found: AttachedDocument, after: timedelta = timedelta()) -> Trust:
    return judge_trust(found, trusted, DIGEST, AT + after, Remembered())


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("stated", STATED)
def test_what_somebody_trusted_states_of_an_image_does_not_sign_it(layout: str, stated: str) -> None:
    make, trusted = LAYOUTS[layout]
    found = judged(trusted, make(statement(*STATED[stated])))
    assert (found.strength, found.is_there) == (Strength.UNKNOWN, False)
    assert found.text.startswith("no signature of a kind that is trusted is there; what is there states ")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_statement_of_cosign_that_it_signs_the_image_is_its_signature(layout: str) -> None:
    make, trusted = LAYOUTS[layout]
    assert judged(trusted, make(statement(COSIGN_SIGN))).holds


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_signature_counts_beside_statements_that_are_none(layout: str) -> None:
    make, trusted = LAYOUTS[layout]
    others = [make(statement(*each)) for each in STATED.values()]
    assert judged(trusted, *others, make(statement(COSIGN_SIGN))).holds


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_signature_of_another_image_is_there_and_does_not_hold(layout: str) -> None:
    make, trusted = LAYOUTS[layout]
    other = make(statement(COSIGN_SIGN, digest="sha256:" + "0" * 64))
    found = judged(trusted, other)
    assert (found.strength, found.is_there) == (Strength.CONTRADICTED, True)


def test_a_statement_that_names_its_type_twice_signs_nothing() -> None:
    make, trusted = LAYOUTS["key"]
    found = make(statement(COSIGN_SIGN))
    assert found.payload is not None
    envelope = json.loads(found.payload)
    doubled = replace(found, payload=json.dumps(envelope)[:-1].encode() + b', "payloadType": "x"}')
    assert judged(trusted, doubled).strength is Strength.CONTRADICTED


def notation(draft: Draft) -> AttachedDocument:
    return AttachedDocument("notation", cose(draft), "application/cose")


def test_a_verdict_says_until_when_it_holds_and_of_several_the_longest_counts() -> None:
    signer = chain_of_three()
    trusted = Trusted("us", NotationPolicy(TrustStore(ca=(signer.chain[-1],)), (TrustedIdentity(),)))
    short = notation(Draft(signer, digest=DIGEST, expiry=NOW + timedelta(hours=1)))
    longer = notation(Draft(signer, digest=DIGEST, expiry=NOW + timedelta(hours=2)))
    kept = Remembered()
    assert judge_trust([short], trusted, DIGEST, NOW, kept).until == NOW + timedelta(hours=1)
    assert judge_trust([short, longer], trusted, DIGEST, NOW, kept).until == NOW + timedelta(hours=2)
    assert judge_trust([short], trusted, DIGEST, NOW + timedelta(hours=1), kept).strength is Strength.CONTRADICTED


@pytest.mark.parametrize("layout", ["bundle", "tag"])
def test_a_signature_that_a_log_took_in_the_future_cannot_be_told(layout: str) -> None:
    make, trusted = LAYOUTS[layout]
    found = judged(trusted, make(statement(COSIGN_SIGN)), after=timedelta(minutes=-5))
    assert (found.strength, "is yet to come" in found.text) == (Strength.CONTRADICTED, True), found.text
    assert judged(trusted, make(statement(COSIGN_SIGN)), after=timedelta(minutes=-3)).holds
