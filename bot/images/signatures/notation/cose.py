"""COSE envelopes: COSE_Sign1 of RFC 9052, as "Signature Envelope COSE" narrows it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from bot.images.cbor import EXTRA, NEEDS, is_installed
from bot.images.signatures.certificates import read_chain
from bot.images.signatures.notation.envelope import (
    LARGEST,
    PLUGIN,
    SCHEME,
    TIMESTAMP,
    UNDERSTOOD,
    Envelope,
    check_headers,
    signed_times,
)
from bot.images.signatures.verdict import Refused, Undecided

MEDIA_TYPE = "application/cose"

_SIGN1 = 18
_HEAD = b"\xd2\x84"
"""The tag and the list of four, each in the one spelling that is the shortest."""
_DEEPEST = 32
_ALGORITHM, _CRITICAL, _CONTENT_TYPE, _CHAIN = 1, 2, 3, 33
_KEY_ID, _NONCE, _PARTIAL_NONCE = 4, 5, 6
_OF_RFC9052 = frozenset({_ALGORITHM, _CRITICAL, _CONTENT_TYPE})
_ALGORITHMS = {-37: "PS256", -38: "PS384", -39: "PS512", -7: "ES256", -35: "ES384", -36: "ES512"}


def read_cose(encoded: bytes) -> Envelope:
    """Reads the envelope in a tagged COSE_Sign1 message; nothing of it is proved yet."""
    if len(encoded) > LARGEST:
        raise Refused(f"the envelope is larger than {LARGEST} bytes")
    if not is_installed():
        raise Undecided(NEEDS, advice=EXTRA)
    import cbor2

    message = _decode(encoded, "the envelope")
    if not encoded.startswith(_HEAD) or not isinstance(message, cbor2.CBORTag) or message.tag != _SIGN1:
        raise Refused("the envelope is not a COSE_Sign1 message")
    protected, header, payload, signature = _four_parts(message.value)
    signed = _decode(protected, "the protected header")
    if not isinstance(signed, Mapping):
        raise Refused("the protected header is not a map")
    _check_parameters(signed)
    _check_parameters(header)
    if any(_is_tagged(value) for value in header.values()):
        raise Refused("the unprotected header holds a tag, which has no place there")
    check_headers(signed.keys(), header.keys(), _CRITICAL)
    critical = _critical(signed)
    text_headers = {name: value for name, value in signed.items() if isinstance(name, str)}
    scheme, signing_time, expiry = signed_times(_text(signed, SCHEME), text_headers, critical, _read_time)
    algorithm = signed.get(_ALGORITHM)
    if not isinstance(algorithm, int) or algorithm not in _ALGORITHMS:
        raise Refused("the signature's algorithm is not allowed")
    token = header.get(TIMESTAMP)
    return Envelope(
        algorithm=_ALGORITHMS[algorithm],
        content_type=_text(signed, _CONTENT_TYPE),
        payload=payload,
        scheme=scheme,
        signing_time=signing_time,
        expiry=expiry,
        unknown_critical=tuple(str(name) for name in critical if name not in UNDERSTOOD | _OF_RFC9052),
        asks_for_plugin=PLUGIN in signed,
        chain=read_chain(_certificates(header)),
        signature=signature,
        signed=cbor2.dumps(["Signature1", protected, b"", payload]),
        timestamp=token if isinstance(token, bytes) and token else None,
    )


def _decode(encoded: bytes, label: str) -> Any:
    """One CBOR item, and nothing after it. Maps that name a label twice and texts of open length are refused."""
    import cbor2

    stream = BytesIO(encoded)
    decoder = cbor2.CBORDecoder(
        stream,
        semantic_decoders=_DECODERS,
        max_depth=_DEEPEST,
        allow_indefinite=False,
        allow_duplicate_keys=False,
    )
    try:
        item = decoder.decode(immutable=True)
    except Exception:  # the decoder lets through what hashing and building values raise
        raise Refused(f"{label} is not CBOR as it should be") from None
    try:
        decoder.read(1)
    except (EOFError, cbor2.CBORDecodeError):
        return item
    raise Refused(f"something follows {label}")


class _Epoch:
    """A time as CBOR's tag 1 holds it; apart from all other values, as only this tag means something here."""

    def __init__(self, seconds: object) -> None:
        self.seconds = seconds


class _Opaque:
    """A value under any other tag: nothing that is read here, and never one of what is."""


def _epoch(value: Any, _immutable: bool) -> _Epoch:
    return _Epoch(value)


def _opaque(_value: Any, _immutable: bool) -> _Opaque:
    return _Opaque()


_DECODERS = {
    1: _epoch,
    # built into the decoder: times as text, numbers of any size, references, patterns, addresses and more
    **dict.fromkeys(
        (0, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799), _opaque
    ),
}


def _check_parameters(header: Mapping[Any, Any]) -> None:
    """Refuses labels and common parameters that are not of the kinds that RFC 9052 (1.5 and 3.1) has for them."""
    if not all(isinstance(label, int | str) and not isinstance(label, bool) for label in header):
        raise Refused("a header's label is neither a number nor a text")
    if not all(isinstance(header.get(label, b""), bytes) for label in (_KEY_ID, _NONCE, _PARTIAL_NONCE)):
        raise Refused("a key id or nonce in a header is not a string of bytes")
    if _NONCE in header and _PARTIAL_NONCE in header:
        raise Refused("a header has a nonce and a part of one")


def _is_tagged(value: object) -> bool:
    """Whether there is a tag in a value, however deep."""
    import cbor2

    level = [value]
    while level:
        part = level.pop()
        if isinstance(part, _Epoch | _Opaque | cbor2.CBORTag):
            return True
        if isinstance(part, Mapping):
            level += [*part.keys(), *part.values()]
        elif isinstance(part, list | tuple | frozenset | set):
            level += part
    return False


def _four_parts(value: object) -> tuple[bytes, Mapping[Any, Any], bytes, bytes]:
    match value:
        case (bytes() as protected, Mapping() as header, bytes() as payload, bytes() as signature):
            return protected, header, payload, signature
        case _:
            raise Refused("the envelope does not have the four parts of a COSE_Sign1 message")


def _certificates(header: Mapping[Any, Any]) -> list[bytes]:
    """Reads one certificate from a byte string, or several from a list (RFC 9360)."""
    chain = header.get(_CHAIN)
    certificates = list(chain) if isinstance(chain, list | tuple) else [chain]
    byte_strings = [one for one in certificates if isinstance(one, bytes)]
    if len(byte_strings) != len(certificates):
        raise Refused("the signature carries no certificate chain")
    return byte_strings


def _critical(signed: Mapping[Any, Any]) -> tuple[object, ...]:
    names = signed.get(_CRITICAL)
    if not isinstance(names, list | tuple) or not names:
        raise Refused("the list of critical headers is empty or missing")
    for name in names:
        if not isinstance(name, str | int) or name not in signed:
            raise Refused(f"{str(name)[:80]!r} is marked as critical and is not there")
    return tuple(names)


def _text(signed: Mapping[Any, Any], name: str | int) -> str:
    value = signed.get(name)
    if not isinstance(value, str):
        raise Refused(f"the protected header has no {name!r} as it should")
    return value


def _read_time(value: object, name: str) -> datetime:
    seconds = value.seconds if isinstance(value, _Epoch) else None
    try:
        if not isinstance(seconds, int | float) or isinstance(seconds, bool):
            raise ValueError
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise Refused(f"the time in {name} cannot be read") from None
