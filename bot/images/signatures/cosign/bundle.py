"""One signature as cosign and its kin store it, and Sigstore bundles (0.1 to 0.3), read into one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509

from bot.domain.images.stated import BUNDLE
from bot.images.provenance.statement import LARGEST, DsseEnvelope, read_dsse
from bot.images.signatures.certificates import read_certificate
from bot.images.signatures.cosign.log import LogEntry
from bot.images.signatures.strictly import from_base64, member, read_object
from bot.images.signatures.verdict import Refused


@dataclass(frozen=True, slots=True)
class CosignSignature:
    """One signature with what came along. Nothing of it is proved yet."""

    signature: bytes
    envelope: DsseEnvelope | None = None
    """Where the signature is over a DSSE envelope; else it is over the bytes of a file."""
    message_digest: tuple[str, bytes] | None = None
    """The digest that a bundle says was signed, with its algorithm, such as `sha256`."""
    certificate: x509.Certificate | None = None
    others: tuple[x509.Certificate, ...] = ()
    entry: LogEntry | None = None
    bundle: bytes | None = None
    """The document itself where it is a Sigstore bundle that the library can judge."""
    proved: bytes | None = None
    """A bundle that the library cannot judge as a whole, where it proves that the log has its entry."""
    timestamps: tuple[bytes, ...] = ()
    """Tokens of timestamp authorities that came with a bundle that the library cannot judge."""


_MESSAGE_DIGESTS = {"SHA2_256": "sha256", "SHA2_384": "sha384", "SHA2_512": "sha512"}
_MOST_TIMESTAMPS = 32
_VERSION = re.compile(re.escape(BUNDLE) + r"(?:\+json;version=0\.([123])|\.v0\.([123])(?:\.[0-9]+)?\+json)")


def read_bundle(document: dict[str, Any], content: bytes) -> CosignSignature:
    """Reads a bundle; `content` is its bytes. Raises `Refused` for one that does not keep to its version."""
    material = member(document, "verificationMaterial", dict, "the bundle")
    log_entries = material.get("tlogEntries", [])
    entries = log_entries if isinstance(log_entries, list) else []
    version = _checked_version(str(document["mediaType"]), material, entries)
    chain = _bundled_certificates(material)
    entry = entries[0] if len(entries) == 1 else None
    if isinstance(entry, dict):
        _check_entry(entry)
    envelope = read_dsse(document["dsseEnvelope"]) if isinstance(document.get("dsseEnvelope"), dict) else None
    message_digest = None
    is_beyond = _is_beyond_library(entry)
    if envelope is not None:
        signature = envelope.signatures[0]
    else:
        message = member(document, "messageSignature", dict, "the bundle")
        signature = from_base64(member(message, "signature", str, "the bundle"), "the signature")
        message_digest = _message_digest(message)
    return CosignSignature(
        signature=signature,
        envelope=envelope,
        message_digest=message_digest,
        certificate=chain[0] if chain else None,
        others=chain[1:],
        entry=_read_promised(entry) if isinstance(entry, dict) else None,
        bundle=None if is_beyond else content,
        proved=content if is_beyond and _is_proved(entry, version) else None,
        timestamps=_timestamps(material) if is_beyond else (),
    )


def _checked_version(media_type: str, material: dict[str, Any], entries: list[Any]) -> int:
    """The second figure of the version that a bundle says to be of; refuses what that does not allow.

    The oldest proves a log entry by the log's promise, the later ones by a proof that the log holds it: a bundle
    must not get by with less by the way it is written. Since 0.3 the certificate stands alone.
    """
    match = _VERSION.fullmatch(media_type)
    if match is None:
        raise Refused("the bundle is of a version that is not known", advice=f"known: {BUNDLE}, 0.1 to 0.3")
    version = int(match[1] or match[2])
    proof_key = "inclusionPromise" if version == 1 else "inclusionProof"
    if any(not isinstance(entry, dict) or not isinstance(entry.get(proof_key), dict) for entry in entries):
        raise Refused(f"a log entry of the bundle lacks the {proof_key} that version 0.{version} asks for")
    if version >= 3 and material.get("x509CertificateChain") is not None:
        raise Refused("a bundle of version 0.3 must carry one certificate, not a chain")
    return version


def _check_entry(entry: dict[str, Any]) -> None:
    """Refuses an entry whose body is not of the kind that stands beside it, or that spells its bytes in other ways
    than the one: the library reads base64 with anything behind it."""
    log = member(member(entry, "logId", dict, "the log entry"), "keyId", str, "the log entry")
    body = from_base64(member(entry, "canonicalizedBody", str, "the log entry"), "the body of the log entry")
    proof = entry.get("inclusionProof")
    proof_hashes = proof.get("hashes", []) if isinstance(proof, dict) else []
    hashes = (
        [*(proof_hashes if isinstance(proof_hashes, list) else []), proof.get("rootHash")]
        if isinstance(proof, dict)
        else []
    )
    for hash_text in (log, *hashes):
        from_base64(hash_text if isinstance(hash_text, str) else "!", "a hash in the log entry")
    kind = member(entry, "kindVersion", dict, "the log entry")
    document = read_object(body, "the log entry", limit=LARGEST)
    if (kind.get("kind"), kind.get("version")) != (document.get("kind"), document.get("apiVersion")):
        raise Refused("the log entry is not of the kind that the bundle says")


def _message_digest(message: dict[str, Any]) -> tuple[str, bytes] | None:
    digest = message.get("messageDigest")
    algorithm = _MESSAGE_DIGESTS.get(str(digest.get("algorithm"))) if isinstance(digest, dict) else None
    if not isinstance(digest, dict) or algorithm is None:
        return None
    return algorithm, from_base64(member(digest, "digest", str, "the bundle"), "the bundle's digest")


def _bundled_certificates(material: dict[str, Any]) -> tuple[x509.Certificate, ...]:
    certificates: list[Any] = []
    if isinstance(material.get("certificate"), dict):
        certificates = [material["certificate"]]
    elif isinstance(material.get("x509CertificateChain"), dict):
        certificates = member(material["x509CertificateChain"], "certificates", list, "the bundle's chain")
    return tuple(
        read_certificate(from_base64(member(one, "rawBytes", str, "a certificate"), "a certificate"))
        for one in certificates[:10]
    )


def _is_beyond_library(entry: object) -> bool:
    """Whether it is of 2022 or 2023: a promise without a proof, or of the kind intoto. `sigstore` reads neither."""
    if not isinstance(entry, dict) or not isinstance(entry.get("inclusionPromise"), dict):
        return False
    version = entry.get("kindVersion")
    return "inclusionProof" not in entry or (isinstance(version, dict) and version.get("kind") == "intoto")


def _is_proved(entry: object, version: int) -> bool:
    """Whether the log is proved to have the entry. The proofs of the oldest bundles may lack the log's checkpoint,
    without which they prove nothing."""
    proof = entry.get("inclusionProof") if isinstance(entry, dict) else None
    return isinstance(proof, dict) and (version > 1 or isinstance(proof.get("checkpoint"), dict))


def _timestamps(material: Mapping[str, Any]) -> tuple[bytes, ...]:
    data = material.get("timestampVerificationData")
    timestamps = data.get("rfc3161Timestamps", []) if isinstance(data, dict) else []
    if not isinstance(timestamps, list) or len(timestamps) > _MOST_TIMESTAMPS:
        raise Refused(f"the bundle does not list at most {_MOST_TIMESTAMPS} timestamps")
    return tuple(
        from_base64(member(timestamp, "signedTimestamp", str, "a timestamp of the bundle"), "a timestamp")
        for timestamp in timestamps
    )


def _read_promised(entry: dict[str, Any]) -> LogEntry | None:
    promise = entry.get("inclusionPromise")
    if not isinstance(promise, dict):
        return None
    log = member(member(entry, "logId", dict, "the log entry"), "keyId", str, "the log entry")
    return LogEntry(
        body=from_base64(member(entry, "canonicalizedBody", str, "the log entry"), "the body of the log entry"),
        integrated_at=_number(entry.get("integratedTime")),
        index=_number(entry.get("logIndex")),
        log=from_base64(log, "the log's id"),
        promise=from_base64(member(promise, "signedEntryTimestamp", str, "the log entry"), "the log's promise"),
    )


def _number(value: object) -> int:
    """Reads a number of 64 bits, which Protobuf's JSON writes as a text."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Refused("a number in the log entry cannot be read")
