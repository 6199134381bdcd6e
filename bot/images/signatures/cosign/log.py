"""Entries of a transparency log (Rekor): what they were made for, and what the log's promise of them proves.

The log signs an entry's body together with the time at which it took it (the signed entry timestamp). That time is
what short-lived certificates are judged at.
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from bot.images.provenance.statement import DsseEnvelope
from bot.images.signatures.certificates import read_pem
from bot.images.signatures.cosign.keys import Content, check_signature
from bot.images.signatures.cosign.trusted_root import LogKey
from bot.images.signatures.strictly import from_base64, member, read_object
from bot.images.signatures.verdict import Refused, Undecided

_LARGEST = 8 * 1024 * 1024
_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry with the log's promise. Nothing of it is proved yet."""

    body: bytes
    integrated_at: int
    """Seconds since 1970."""
    index: int
    log: bytes
    """The id of the log that took it."""
    promise: bytes


def check_promise(entry: LogEntry, logs: Mapping[bytes, LogKey]) -> datetime:
    """Returns when a believed log took the entry; refuses a promise that no such log made."""
    log = logs.get(entry.log)
    if log is None:
        raise Refused("the log that took the signature is not in the trusted root")
    try:
        integrated_at = datetime.fromtimestamp(entry.integrated_at, UTC)
    except (ValueError, OverflowError, OSError):
        raise Refused("the time of the log entry cannot be read") from None
    if integrated_at not in log.period:
        raise Refused(f"the log was not to be believed at {integrated_at:%Y-%m-%dT%H:%M:%SZ}")
    promised = {
        "body": b64encode(entry.body).decode(),
        "integratedTime": entry.integrated_at,
        "logID": entry.log.hex(),
        "logIndex": entry.index,
    }
    signed = json.dumps(promised, sort_keys=True, separators=(",", ":")).encode()
    try:
        check_signature(log.key, entry.promise, Content.of(signed))
    except Refused:
        raise Refused("the log's promise does not fit its key", advice="the log entry was altered") from None
    return integrated_at


def check_body(
    body: bytes, signature: bytes, signed: Content | DsseEnvelope, signer: x509.Certificate | PublicKeyTypes
) -> None:
    """Refuses an entry whose body was made for another signature, signer or content (as in CVE-2022-36056)."""
    document = read_object(body, "the log entry", limit=_LARGEST)
    spec = member(document, "spec", dict, "the log entry")
    match (document.get("kind"), document.get("apiVersion"), signed):
        case ("hashedrekord", "0.0.1", Content() as content):
            _check_hashed(spec, signature, content, signer)
        case ("hashedrekord", "0.0.2", Content() as content):
            _check_hashed_again(spec, signature, content, signer)
        case ("hashedrekord", "0.0.2", DsseEnvelope() as envelope):
            _check_hashed_again(spec, signature, Content.of(envelope.signed), signer)
        case ("dsse", "0.0.1", DsseEnvelope() as envelope):
            _check_payload(spec, envelope)
            _check_signers(
                member(spec, "signatures", list, "the log entry"), "verifier", "signature", signature, signer
            )
        case ("intoto", "0.0.2", DsseEnvelope() as envelope):
            content = member(spec, "content", dict, "the log entry")
            _check_payload(content, envelope)
            inner = member(content, "envelope", dict, "the log entry")
            # here signatures are base64 of what the envelope has as base64
            twice = b64encode(signature)
            _check_signers(member(inner, "signatures", list, "the log entry"), "publicKey", "sig", twice, signer)
        case (kind, version, _):
            raise Refused(
                f"a log entry of the kind {str(kind)[:40]!r} {str(version)[:20]} is not one for this signature"
            )


def _check_hashed(
    spec: dict[str, Any], signature: bytes, content: Content, signer: x509.Certificate | PublicKeyTypes
) -> None:
    hashed = member(member(spec, "data", dict, "the log entry"), "hash", dict, "the log entry")
    hash_text = hashed.get("value")
    _check_digest(str(hashed.get("algorithm")), hash_text.encode() if isinstance(hash_text, str) else b"", content)
    made = member(spec, "signature", dict, "the log entry")
    if from_base64(member(made, "content", str, "the log entry"), "its signature") != signature:
        raise _other("signature")
    _check_signer(member(member(made, "publicKey", dict, "the log entry"), "content", str, "the log entry"), signer)


def _check_hashed_again(
    spec: dict[str, Any], signature: bytes, content: Content, signer: x509.Certificate | PublicKeyTypes
) -> None:
    """The same of Rekor v2, which knows no other kind: an envelope is hashed as it is signed."""
    inner = member(spec, "hashedRekordV002", dict, "the log entry")
    data = member(inner, "data", dict, "the log entry")
    digest = from_base64(member(data, "digest", str, "the log entry"), "its digest")
    algorithm = str(data.get("algorithm"))
    _check_digest(algorithm.lower().replace("sha2_", "sha"), digest.hex().encode(), content)
    made = member(inner, "signature", dict, "the log entry")
    if from_base64(member(made, "content", str, "the log entry"), "its signature") != signature:
        raise _other("signature")
    verifier = member(made, "verifier", dict, "the log entry")
    name = "x509Certificate" if isinstance(signer, x509.Certificate) else "publicKey"
    signer_bytes = member(member(verifier, name, dict, "the log entry"), "rawBytes", str, "the log entry")
    if from_base64(signer_bytes, "the signer of the log entry") != _der(signer):
        raise _other("signer")


def _check_digest(algorithm: str, hex_digest: bytes, content: Content) -> None:
    digest = content.hashed(algorithm)
    if digest is None and content.whole is None and algorithm in ("sha384", "sha512"):
        raise Undecided(f"the log entry names the file by its {algorithm.upper()}", advice="use --artifact")
    if digest is None or digest.hex().encode() != hex_digest:
        raise _other("content")


def _check_payload(spec: dict[str, Any], envelope: DsseEnvelope) -> None:
    hashed = member(spec, "payloadHash", dict, "the log entry")
    if hashed.get("algorithm") != "sha256" or hashed.get("value") != sha256(envelope.payload).hexdigest():
        raise _other("content")


def _check_signers(
    signatures: list[Any],
    key_member: str,
    signature_member: str,
    signature: bytes,
    signer: x509.Certificate | PublicKeyTypes,
) -> None:
    if len(signatures) != 1:
        raise Refused("the log entry has not exactly one signature")
    if from_base64(member(signatures[0], signature_member, str, "the log entry"), "its signature") != signature:
        raise _other("signature")
    _check_signer(member(signatures[0], key_member, str, "the log entry"), signer)


def _check_signer(encoded: str, signer: x509.Certificate | PublicKeyTypes) -> None:
    """Compares what the entry names, a certificate or a key as base64 of PEM, with who signed."""
    pem = from_base64(encoded, "the signer of the log entry")
    try:
        if isinstance(signer, x509.Certificate):
            signer_bytes = read_pem(pem)[0].public_bytes(Encoding.DER) if _CERTIFICATE in pem else b""
        else:
            signer_bytes = load_pem_public_key(pem).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except Refused:
        raise
    except Exception:  # ValueError, UnsupportedAlgorithm, and what OpenSSL raises of its own
        raise Refused("the signer of the log entry cannot be read") from None
    if signer_bytes != _der(signer):
        raise _other("signer")


def _der(signer: x509.Certificate | PublicKeyTypes) -> bytes:
    if isinstance(signer, x509.Certificate):
        return signer.public_bytes(Encoding.DER)
    return signer.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _other(part: str) -> Refused:
    return Refused(
        f"the log entry was made for another {part}", advice="the signature was put together from several"
    )
