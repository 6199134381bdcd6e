"""JWS envelopes: the flattened JSON serialization of RFC 7515, as "Signature Envelope JWS" narrows it."""

import re
from datetime import UTC, datetime
from typing import Any

from bot.images.signatures.certificates import read_chain
from bot.images.signatures.notation.envelope import (
    LARGEST,
    PLUGIN,
    SCHEME,
    SIGNING_AGENT,
    TIMESTAMP,
    UNDERSTOOD,
    Envelope,
    check_headers,
    signed_times,
)
from bot.images.signatures.strictly import from_base64, from_base64url, member, read_object
from bot.images.signatures.verdict import Refused

MEDIA_TYPE = "application/jose+json"

_OF_RFC7515 = frozenset({"alg", "cty", "crit"})
_ALGORITHMS = frozenset({"PS256", "PS384", "PS512", "ES256", "ES384", "ES512"})
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


def read_jws(encoded: bytes) -> Envelope:
    """Reads the envelope in a JSON document; nothing of it is proved yet."""
    document = read_object(encoded, "the envelope", limit=LARGEST)
    protected = member(document, "protected", str, "the envelope")
    payload = member(document, "payload", str, "the envelope")
    header = member(document, "header", dict, "the envelope")
    signature = from_base64url(member(document, "signature", str, "the envelope"), "the signature")
    signed = read_object(from_base64url(protected, "the protected header"), "the protected header", limit=LARGEST)
    check_headers(signed.keys(), header.keys(), "crit")
    critical = _critical(signed)
    scheme, signing_time, expiry = signed_times(
        member(signed, SCHEME, str, "the protected header"), signed, critical, _read_time
    )
    algorithm = member(signed, "alg", str, "the protected header")
    if algorithm not in _ALGORITHMS:
        raise Refused(f"the algorithm {algorithm[:20]!r} is not allowed")
    certificates = member(header, "x5c", list, "the unprotected header")
    if not all(isinstance(one, str) for one in certificates):
        raise Refused("the certificate chain is not a list of texts")
    for name in (TIMESTAMP, SIGNING_AGENT):
        if not isinstance(header.get(name), str | None):
            raise Refused(f"the unprotected header {name} is no text")
    token = header.get(TIMESTAMP)
    return Envelope(
        algorithm=algorithm,
        content_type=member(signed, "cty", str, "the protected header"),
        payload=from_base64url(payload, "the payload"),
        scheme=scheme,
        signing_time=signing_time,
        expiry=expiry,
        unknown_critical=tuple(name for name in critical if name not in UNDERSTOOD),
        asks_for_plugin=PLUGIN in signed,
        chain=read_chain([from_base64(one, "a certificate of the chain") for one in certificates]),
        signature=signature,
        signed=f"{protected}.{payload}".encode(),
        timestamp=from_base64(token, "the timestamp") if token else None,
    )


def _critical(signed: dict[str, Any]) -> tuple[str, ...]:
    names = member(signed, "crit", list, "the protected header")
    if not names or not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        raise Refused("the list of critical headers is empty or cannot be read")
    for name in names:
        if name in _OF_RFC7515 or name not in signed:
            raise Refused(f"{name[:80]!r} is marked as critical and must not be, or is not there")
    return tuple(names)


def _read_time(value: object, name: str) -> datetime:
    """RFC 3339, as the specification asks for. Python's own reader alone would take much more."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise Refused(f"the time in {name} cannot be read")
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused(f"the time in {name} cannot be read") from None
