"""The shapes in which cosign and its kin store one signature, read into one value.

A bare signature (`cosign sign-blob`: base64, or the bytes themselves), the older bundle (`sign-blob --bundle`), the
annotations of a layer in the `.sig` layout, a DSSE envelope (`attest-blob`), and a Sigstore bundle
(`vnd.dev.sigstore.bundle`).
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from bot.domain.images.stated import BUNDLE
from bot.images.provenance.statement import LARGEST, DsseEnvelope, read_dsse
from bot.images.signatures.certificates import read_pem
from bot.images.signatures.cosign.bundle import CosignSignature, read_bundle
from bot.images.signatures.cosign.log import LogEntry
from bot.images.signatures.strictly import from_base64, member, read_object
from bot.images.signatures.verdict import Refused

_SIGNATURE = "dev.cosignproject.cosign/signature"
_CERTIFICATE = "dev.sigstore.cosign/certificate"
_CHAIN = "dev.sigstore.cosign/chain"
_LOGGED = "dev.sigstore.cosign/bundle"
_LARGEST_ANNOTATION = 1024 * 1024
_MOST_LAYERS = 1000
_MOST_OF_ONE_PAYLOAD = 50


def read_signature_file(content: bytes, payload: bytes | None = None) -> CosignSignature:
    """Reads any of the shapes; a manifest in the `.sig` layout has its layer chosen by the payload."""
    if not content.lstrip().startswith(b"{") or not _is_text(content):
        return CosignSignature(signature=_bare(content))
    document = read_object(content, "the signature file", limit=LARGEST)
    if str(document.get("mediaType", "")).startswith(BUNDLE):
        return read_bundle(document, content)
    if "base64Signature" in document:
        return _read_older_bundle(document)
    if "payloadType" in document:
        envelope = read_dsse(document)
        return CosignSignature(signature=envelope.signatures[0], envelope=envelope)
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
    payload_digest = f"sha256:{sha256(payload).hexdigest()}"
    layer_list = layers if isinstance(layers, list) else []
    alone = [
        {"layers": [layer]}
        for layer in layer_list
        if isinstance(layer, dict) and layer.get("digest") == payload_digest
    ]
    return [json.dumps(each).encode() for each in alone[:_MOST_OF_ONE_PAYLOAD]] or [content]


def read_sig_layer(annotations: Mapping[str, Any], envelope: DsseEnvelope | None = None) -> CosignSignature:
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
    return CosignSignature(
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


def _read_older_bundle(document: dict[str, Any]) -> CosignSignature:
    certificate_text = document.get("cert")
    certificates = (
        read_pem(_pem(certificate_text)) if isinstance(certificate_text, str) and certificate_text else ()
    )
    logged = document.get("rekorBundle")
    return CosignSignature(
        signature=from_base64(member(document, "base64Signature", str, "the bundle"), "the signature"),
        certificate=certificates[0] if certificates else None,
        others=tuple(certificates[1:]),
        entry=_read_logged(logged) if isinstance(logged, dict) else None,
    )


def _pem(text: str) -> bytes:
    """Gives PEM as it is, or decodes it from base64: cosign has written both."""
    return text.encode() if text.startswith("-----") else from_base64(text, "the certificate")


def _read_logged(document: dict[str, Any]) -> LogEntry:
    payload = member(document, "Payload", dict, "the log entry")
    return LogEntry(
        body=from_base64(member(payload, "body", str, "the log entry"), "the body of the log entry"),
        integrated_at=member(payload, "integratedTime", int, "the log entry"),
        index=member(payload, "logIndex", int, "the log entry"),
        log=_from_hex(member(payload, "logID", str, "the log entry")),
        promise=from_base64(member(document, "SignedEntryTimestamp", str, "the log entry"), "the log's promise"),
    )


def _annotations(manifest: dict[str, Any], payload: bytes | None) -> dict[str, Any]:
    layers = member(manifest, "layers", list, "the manifest")[:_MOST_LAYERS]
    payload_digest = f"sha256:{sha256(payload).hexdigest()}" if payload is not None else None
    for layer in layers:
        if isinstance(layer, dict) and layer.get("digest") == payload_digest:
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
