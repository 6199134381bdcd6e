"""JSON and base64 read strictly, so that every text has one meaning and every meaning one text."""

import base64
import binascii
import json
from typing import Any

from bot.verify.signatures.verdict import Refused

_DEEPEST = 32


def read_json(text: bytes | str, what: str, *, limit: int) -> Any:
    """A JSON document; refuses one that is too large or too deep, or that names a member of an object twice.

    Parsers disagree about a member named twice, so that a signer and a verifier could see two documents. The same
    holds of UTF-16 and of a byte order mark, which Python's own reader takes (RFC 8259, 8.1: UTF-8 and no mark).
    """
    if len(text) > limit:
        raise Refused(f"{what} is larger than {limit} bytes")
    try:
        written = text if isinstance(text, str) else text.decode("utf-8")
        found = json.loads(written, object_pairs_hook=_members_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refused(f"{what} is not JSON: {_short(error)}") from None
    if _depth(found) > _DEEPEST:
        raise Refused(f"{what} is nested deeper than {_DEEPEST} levels")
    return found


def read_object(text: bytes | str, what: str, *, limit: int) -> dict[str, Any]:
    found = read_json(text, what, limit=limit)
    if not isinstance(found, dict):
        raise Refused(f"{what} is not a JSON object")
    return found


def member(found: Any, name: str, kind: type, what: str) -> Any:
    """Returns a member that must be there and of one kind."""
    value = found.get(name) if isinstance(found, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool) is not (kind is bool):
        raise Refused(f"{what} has no {name!r} as it should")
    return value


def from_base64(text: str, what: str) -> bytes:
    """Standard base64 with padding. Only the one spelling of the bytes is taken."""
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(f"{what} is not base64") from None
    if base64.b64encode(found).decode() != text:
        raise Refused(f"{what} is not canonical base64")
    return found


def from_base64url(text: str, what: str) -> bytes:
    """Base64 for URLs without padding, as in RFC 7515. Only the one spelling of the bytes is taken."""
    try:
        found = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise Refused(f"{what} is not base64url") from None
    if base64.urlsafe_b64encode(found).decode().rstrip("=") != text:
        raise Refused(f"{what} is not base64url")
    return found


def _members_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("a member is named twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _depth(found: Any) -> int:
    deepest = 0
    level = [found]
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
