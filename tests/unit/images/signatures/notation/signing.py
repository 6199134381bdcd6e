"""Notation signatures that tests make, and what is asked about them."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import cbor2
import pytest
from cryptography import x509

from bot.images.signatures.notation.names import read_identity
from bot.images.signatures.notation.trust_store import TrustStore
from bot.images.signatures.notation.verifying import NotationPolicy, verify_notation
from bot.images.signatures.verdict import CheckState, SignatureVerdict
from tests.unit.images.signatures.making import (
    DIGEST,
    IDENTITY,
    MAKERS,
    NOW,
    Draft,
    Holder,
    Shape,
    chain_of_three,
)

SIGNER = chain_of_three()

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


def short_lived() -> Holder:
    """A signer that is valid now by the machine's clock, as openssl stamps with that, and for a day only."""
    now = datetime.now(UTC).replace(microsecond=0)
    return chain_of_three(Shape(start=now - timedelta(hours=1), end=now + timedelta(days=1)))


def replace_token(encoded: bytes, token: bytes) -> bytes:
    name = "io.cncf.notary.timestampSignature"
    if encoded.startswith(b"{"):
        document = json.loads(encoded)
        document["header"][name] = base64.b64encode(token).decode()
        return json.dumps(document).encode()
    protected, unprotected, payload, signature = cbor2.loads(encoded).value
    return cbor2.dumps(cbor2.CBORTag(18, [protected, {**unprotected, name: token}, payload, signature]))


WHOLE = {media_type: make(Draft(SIGNER)) for media_type, make in MAKERS.items()}
