"""The shapes in which cosign and its kin store one signature, read into one value.

A bare signature (`cosign sign-blob`: base64, or the bytes themselves), the older bundle (`sign-blob --bundle`), the
annotations of a layer in the `.sig` layout, a DSSE envelope (`attest-blob`), and a Sigstore bundle
(`vnd.dev.sigstore.bundle`).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography import x509

from bot.verify.provenance.statement import LARGEST, DsseEnvelope, read_dsse
from bot.verify.signatures.certificates import read_certificate, read_pem
from bot.verify.signatures.cosign.log import LogEntry
from bot.verify.signatures.strictly import from_base64, member, read_object
from bot.verify.signatures.verdict import Refused

BUNDLE = "application/vnd.dev.sigstore.bundle"

_SIGNATURE = "dev.cosignproject.cosign/signature"
_CERTIFICATE = "dev.sigstore.cosign/certificate"
_CHAIN = "dev.sigstore.cosign/chain"
_LOGGED = "dev.sigstore.cosign/bundle"
_LARGEST_ANNOTATION = 1024 * 1024
_MESSAGE_DIGESTS = {"SHA2_256": "sha256", "SHA2_384": "sha384", "SHA2_512": "sha512"}
_MOST_LAYERS = 1000
_MOST_TIMESTAMPS = 32
_MOST_OF_ONE_PAYLOAD = 50
_VERSION = re.compile(re.escape(BUNDLE) + r"(?:\+json;version=0\.([123])|\.v0\.([123])(?:\.[0-9]+)?\+json)")


@dataclass(frozen=True, slots=True)
class SignatureFile:
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


def read_signature_file(content: bytes, payload: bytes | None = None) -> SignatureFile:
    """Reads any of the shapes; a manifest in the `.sig` layout has its layer chosen by the payload."""
    if not content.lstrip().startswith(b"{") or not _is_text(content):
        return SignatureFile(signature=_bare(content))
    document = read_object(content, "the signature file", limit=LARGEST)
    if str(document.get("mediaType", "")).startswith(BUNDLE):
        return _read_bundle(document, content)
    if "base64Signature" in document:
        return _read_older_bundle(document)
    if "payloadType" in document:
        envelope = read_dsse(document)
        return SignatureFile(signature=envelope.signatures[0], envelope=envelope)
    if "layers" in document:
        return read_sig_layer(_annotations(document, payload), _envelope_in(payload))
    if "verificationMaterial" in document or "mediaType" in document:
        raise Refused("the bundle is of a kind that is not known", advice=f"known: {BUNDLE}, 0.1 to 0.3")
    raise Refused("the file is in no shape that cosign writes")


def signatures_in(content: bytes, payload: bytes | None) -> Sequence[bytes]:
    """Each signature in a file as a file of its own: of a manifest in the `.sig` layout, layers with this payload.

    A file of any other shape, and one in which there is none, is given back as it is.
    """
    if payload is None or b'"layers"' not in content:
        return [content]
    try:
        layers = read_object(content, "the signature file", limit=LARGEST).get("layers")
    except Refused:
        return [content]
    wanted = f"sha256:{sha256(payload).hexdigest()}"
    listed = layers if isinstance(layers, list) else []
    alone = [{"layers": [each]} for each in listed if isinstance(each, dict) and each.get("digest") == wanted]
    return [json.dumps(each).encode() for each in alone[:_MOST_OF_ONE_PAYLOAD]] or [content]


def read_sig_layer(annotations: Mapping[str, Any], envelope: DsseEnvelope | None = None) -> SignatureFile:
    """The signature beside one layer of the older `.sig` layout; the layer itself is what was signed.

    In the `.att` layout the layer is an envelope that holds its signature itself.
    """
    if envelope is not None:
        signature = envelope.signatures[0]
    else:
        signature = from_base64(member(annotations, _SIGNATURE, str, "the layer"), "the signature")
    certificates = read_pem(annotations[_CERTIFICATE].encode()) if _is_there(annotations, _CERTIFICATE) else ()
    chain = read_pem(annotations[_CHAIN].encode(), "the chain") if _is_there(annotations, _CHAIN) else ()
    entry = None
    if _is_there(annotations, _LOGGED):
        entry = _read_logged(read_object(annotations[_LOGGED], "the log entry", limit=_LARGEST_ANNOTATION))
    return SignatureFile(
        signature=signature,
        envelope=envelope,
        certificate=certificates[0] if certificates else None,
        others=(*certificates[1:], *chain),
        entry=entry,
    )


def is_payload(content: bytes | None) -> bool:
    """Whether this is a layer of the `.att` layout, which is signed itself and names a digest."""
    try:
        return _envelope_in(content) is not None
    except Refused:
        return False


def _envelope_in(payload: bytes | None) -> DsseEnvelope | None:
    """What a layer of the `.att` layout is; a layer of the `.sig` layout is another document."""
    if payload is None or b'"payloadType"' not in payload:
        return None
    document = read_object(payload, "the layer", limit=LARGEST)
    return read_dsse(document) if "payloadType" in document else None


def _bare(content: bytes) -> bytes:
    """The signature that a file is, as text or as it is: whatever it is, a key must have made it."""
    if len(content) > 16 * 1024:
        raise Refused("the file is in no shape that cosign writes")
    if content.isascii():  # in lines, too, as openssl and base64 write it, and as cosign reads it
        return from_base64(content.translate(None, b"\r\n").strip().decode(), "the signature")
    return content


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _read_older_bundle(document: dict[str, Any]) -> SignatureFile:
    written = document.get("cert")
    certificates = read_pem(_pem(written)) if isinstance(written, str) and written else ()
    logged = document.get("rekorBundle")
    return SignatureFile(
        signature=from_base64(member(document, "base64Signature", str, "the bundle"), "the signature"),
        certificate=certificates[0] if certificates else None,
        others=tuple(certificates[1:]),
        entry=_read_logged(logged) if isinstance(logged, dict) else None,
    )


def _pem(written: str) -> bytes:
    """PEM as it is, or base64 of it: cosign has written both."""
    return written.encode() if written.startswith("-----") else from_base64(written, "the certificate")


def _read_logged(document: dict[str, Any]) -> LogEntry:
    payload = member(document, "Payload", dict, "the log entry")
    return LogEntry(
        body=from_base64(member(payload, "body", str, "the log entry"), "the body of the log entry"),
        integrated_at=member(payload, "integratedTime", int, "the log entry"),
        index=member(payload, "logIndex", int, "the log entry"),
        log=_from_hex(member(payload, "logID", str, "the log entry")),
        promise=from_base64(member(document, "SignedEntryTimestamp", str, "the log entry"), "the log's promise"),
    )


def _read_bundle(document: dict[str, Any], content: bytes) -> SignatureFile:
    material = member(document, "verificationMaterial", dict, "the bundle")
    listed = material.get("tlogEntries", [])
    entries = listed if isinstance(listed, list) else []
    version = _checked_version(str(document["mediaType"]), material, entries)
    chain = _bundled_certificates(material)
    found = entries[0] if len(entries) == 1 else None
    if isinstance(found, dict):
        _check_entry(found)
    envelope = read_dsse(document["dsseEnvelope"]) if isinstance(document.get("dsseEnvelope"), dict) else None
    message_digest = None
    is_beyond = _is_beyond_library(found)
    if envelope is not None:
        signature = envelope.signatures[0]
    else:
        message = member(document, "messageSignature", dict, "the bundle")
        signature = from_base64(member(message, "signature", str, "the bundle"), "the signature")
        message_digest = _message_digest(message)
    return SignatureFile(
        signature=signature,
        envelope=envelope,
        message_digest=message_digest,
        certificate=chain[0] if chain else None,
        others=chain[1:],
        entry=_read_promised(found) if isinstance(found, dict) else None,
        bundle=None if is_beyond else content,
        proved=content if is_beyond and _is_proved(found, version) else None,
        timestamps=_timestamps(material) if is_beyond else (),
    )


def _checked_version(media_type: str, material: dict[str, Any], entries: list[Any]) -> int:
    """The second figure of the version that a bundle says to be of; refuses what that does not allow.

    The oldest proves a log entry by the log's promise, the later ones by a proof that the log holds it: a bundle
    must not get by with less by the way it is written. Since 0.3 the certificate stands alone.
    """
    written = _VERSION.fullmatch(media_type)
    if written is None:
        raise Refused("the bundle is of a version that is not known", advice=f"known: {BUNDLE}, 0.1 to 0.3")
    version = int(written[1] or written[2])
    what = "inclusionPromise" if version == 1 else "inclusionProof"
    if any(not isinstance(entry, dict) or not isinstance(entry.get(what), dict) for entry in entries):
        raise Refused(f"a log entry of the bundle lacks the {what} that version 0.{version} asks for")
    if version >= 3 and material.get("x509CertificateChain") is not None:
        raise Refused("a bundle of version 0.3 must carry one certificate, not a chain")
    return version


def _check_entry(entry: dict[str, Any]) -> None:
    """Refuses an entry whose body is not of the kind that stands beside it, or that spells its bytes in other ways
    than the one: the library reads base64 with anything behind it."""
    log = member(member(entry, "logId", dict, "the log entry"), "keyId", str, "the log entry")
    body = from_base64(member(entry, "canonicalizedBody", str, "the log entry"), "the body of the log entry")
    proof = entry.get("inclusionProof")
    listed = proof.get("hashes", []) if isinstance(proof, dict) else []
    hashes = (
        [*(listed if isinstance(listed, list) else []), proof.get("rootHash")] if isinstance(proof, dict) else []
    )
    for written in (log, *hashes):
        from_base64(written if isinstance(written, str) else "!", "a hash in the log entry")
    kind = member(entry, "kindVersion", dict, "the log entry")
    document = read_object(body, "the log entry", limit=LARGEST)
    if (kind.get("kind"), kind.get("version")) != (document.get("kind"), document.get("apiVersion")):
        raise Refused("the log entry is not of the kind that the bundle says")


def _message_digest(message: dict[str, Any]) -> tuple[str, bytes] | None:
    found = message.get("messageDigest")
    algorithm = _MESSAGE_DIGESTS.get(str(found.get("algorithm"))) if isinstance(found, dict) else None
    if not isinstance(found, dict) or algorithm is None:
        return None
    return algorithm, from_base64(member(found, "digest", str, "the bundle"), "the bundle's digest")


def _bundled_certificates(material: dict[str, Any]) -> tuple[x509.Certificate, ...]:
    listed: list[Any] = []
    if isinstance(material.get("certificate"), dict):
        listed = [material["certificate"]]
    elif isinstance(material.get("x509CertificateChain"), dict):
        listed = member(material["x509CertificateChain"], "certificates", list, "the bundle's chain")
    return tuple(
        read_certificate(from_base64(member(one, "rawBytes", str, "a certificate"), "a certificate"))
        for one in listed[:10]
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
    listed = data.get("rfc3161Timestamps", []) if isinstance(data, dict) else []
    if not isinstance(listed, list) or len(listed) > _MOST_TIMESTAMPS:
        raise Refused(f"the bundle does not list at most {_MOST_TIMESTAMPS} timestamps")
    return tuple(
        from_base64(member(each, "signedTimestamp", str, "a timestamp of the bundle"), "a timestamp")
        for each in listed
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


def _number(written: object) -> int:
    """Protobuf's JSON writes numbers of 64 bits as texts."""
    if isinstance(written, str) and written.isascii() and written.isdecimal() and len(written) < 20:
        return int(written)
    if isinstance(written, int) and not isinstance(written, bool):
        return written
    raise Refused("a number in the log entry cannot be read")


def _annotations(manifest: dict[str, Any], payload: bytes | None) -> dict[str, Any]:
    layers = member(manifest, "layers", list, "the manifest")[:_MOST_LAYERS]
    wanted = f"sha256:{sha256(payload).hexdigest()}" if payload is not None else None
    for layer in layers:
        if isinstance(layer, dict) and layer.get("digest") == wanted:
            annotations = layer.get("annotations")
            return annotations if isinstance(annotations, dict) else {}
    raise Refused("no layer of the manifest has this payload", advice="give the layer's blob with --artifact")


def _is_there(annotations: Mapping[str, Any], name: str) -> bool:
    return isinstance(annotations.get(name), str) and bool(annotations[name])


def _from_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Refused("the log's id cannot be read") from None
