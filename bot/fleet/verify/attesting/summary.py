"""What the bot states of a fresh image, signed: a SLSA verification summary in a DSSE envelope.

Sources: SLSA 1.0, "Verification Summary Attestation (VSA)"; in-toto Statement v1; DSSE 1.0.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bot.domain.images.standing import ImageStanding
from bot.domain.images.stated import IN_TOTO, SUMMARY_V1
from bot.domain.reference import Base
from bot.images.provenance.statement import DsseEnvelope

PREDICATE = SUMMARY_V1
LEVEL = "FRESHNESS_BASE_CURRENT"
"""What was verified: every platform is proved to stand on what its base showed then. SLSA leaves names without its
own prefix to verifiers."""


class NoSigningKey(ValueError):
    """The file holds no key of the kind that signs; the text says which it must be."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """Who states, and with which key. `id` is the URI that the statement names."""

    id: str
    key: ec.EllipticCurvePrivateKey = field(repr=False)


def signing_key(text: str) -> ec.EllipticCurvePrivateKey:
    """Reads a private key on the curve P-256 from PEM. Raises `NoSigningKey`."""
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise NoSigningKey("must be a private key in PEM without a password") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise NoSigningKey("must be a private key on the curve P-256")
    return key


def summary(
    place: Base, digest: str, standings: Sequence[ImageStanding], verifier: Verifier, verified_at: datetime
) -> bytes:
    """The statement that the image `digest` was fresh at `verified_at`, as JSON."""
    algorithm, _, encoded = digest.partition(":")
    bases = sorted({str(each.base) for each in standings if each.base is not None})
    return json.dumps(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": place.name, "digest": {algorithm: encoded}}],
            "predicateType": PREDICATE,
            "predicate": {
                "verifier": {"id": verifier.id},
                "timeVerified": verified_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
                "resourceUri": f"{place.name}@{digest}",
                "policy": {"uri": f"{verifier.id}#{','.join(bases)}"},
                "verificationResult": "PASSED",
                "verifiedLevels": [LEVEL],
                "slsaVersion": "1.0",
            },
        },
        separators=(",", ":"),
    ).encode()


def signed(statement: bytes, verifier: Verifier) -> bytes:
    """Puts a statement into an envelope with one signature, as JSON."""
    envelope = DsseEnvelope(IN_TOTO, statement, ())
    signature = verifier.key.sign(envelope.signed, ec.ECDSA(hashes.SHA256()))
    return json.dumps(
        {
            "payloadType": IN_TOTO,
            "payload": base64.b64encode(statement).decode(),
            "signatures": [{"sig": base64.b64encode(signature).decode()}],
        },
        separators=(",", ":"),
    ).encode()
