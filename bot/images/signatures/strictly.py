"""JSON and base64 read strictly, so that every text has one meaning and every meaning one text."""

import base64
import binascii
from typing import Any

from bot.domain.strict_json import read_strict_json
from bot.images.signatures.verdict import Refused

_DEEPEST = 32


def read_json(text: bytes | str, label: str, *, limit: int) -> Any:
    """A JSON document; refuses one that is too large or too deep, or that names a member of an object twice.

    Nor is UTF-16, a byte order mark, NaN or infinity taken, which Python's own reader takes (RFC 8259, 6 and 8.1).
    """
    if len(text) > limit:
        raise Refused(f"{label} is larger than {limit} bytes")
    try:
        decoded_text = text if isinstance(text, str) else text.decode("utf-8")
        document = read_strict_json(decoded_text, takes_constants=False)
    except (ValueError, RecursionError) as error:
        raise Refused(f"{label} is not JSON: {_short(error)}") from None
    if _depth(document) > _DEEPEST:
        raise Refused(f"{label} is nested deeper than {_DEEPEST} levels")
    return document


def read_object(text: bytes | str, label: str, *, limit: int) -> dict[str, Any]:
    document = read_json(text, label, limit=limit)
    if not isinstance(document, dict):
        raise Refused(f"{label} is not a JSON object")
    return document


def member(document: Any, name: str, kind: type, label: str) -> Any:
    """Returns a member that must be there and of one kind."""
    value = document.get(name) if isinstance(document, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool) is not (kind is bool):
        raise Refused(f"{label} has no {name!r} as it should")
    return value


def from_base64(text: str, label: str) -> bytes:
    """Decodes standard base64 with padding. Only the one spelling of the bytes is taken."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(f"{label} is not base64") from None
    if base64.b64encode(content).decode() != text:
        raise Refused(f"{label} is not canonical base64")
    return content


def from_base64url(text: str, label: str) -> bytes:
    """Base64 for URLs without padding, as in RFC 7515. Only the one spelling of the bytes is taken."""
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise Refused(f"{label} is not base64url") from None
    if base64.urlsafe_b64encode(content).decode().rstrip("=") != text:
        raise Refused(f"{label} is not base64url")
    return content


def _depth(document: Any) -> int:
    deepest = 0
    level = [document]
    while level:
        deepest += 1
        if deepest > _DEEPEST:
            break
        level = [
            child
            for value in level
            if isinstance(value, dict | list)
            for child in (value.values() if isinstance(value, dict) else value)
        ]
    return deepest


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__
