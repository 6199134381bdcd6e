"""JSON in which each member of an object is named once, for documents that something is decided by.

Parsers disagree about a member that is named twice: some take the first, most the last, others refuse. A signer, a
scanner or a registry and the bot could then read two documents in the same bytes (RFC 8259, 4).
"""

import json
from typing import Any

_LONGEST = 60


class DoubledMember(ValueError):
    """Raised for an object that names a member twice; the text says which."""


def read_strict_json(text: bytes | str, *, takes_constants: bool = True) -> Any:
    """The value of a JSON text. Raises `DoubledMember`, or `ValueError` or `RecursionError` for what is no JSON.

    NaN and infinity, which are no JSON, are taken where `takes_constants`: some scanners write them.
    """
    constant = None if takes_constants else _no_constant
    return json.loads(text, object_pairs_hook=_members_once, parse_constant=constant)


def _members_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    by_name = dict(members)
    if len(by_name) != len(members):
        names = [name for name, _ in members]
        twice = next(name for name in by_name if names.count(name) > 1)
        raise DoubledMember(f"a member is named twice: {twice[:_LONGEST]!r}")
    return by_name


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")
