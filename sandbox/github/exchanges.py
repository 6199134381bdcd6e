"""Holds every answer of GitHub's API, forwarded ones too, to its published description."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

from sandbox.github.openapi import description

Json = Any
_FITTING: set[str] = set()
"""What no world of this process need hold to a description again."""
WORD = re.compile(r"[a-z_]{1,24}|[A-Z_]{1,24}")
"""A text that may be one of those that a description lists."""


@dataclass(slots=True)
class Exchanges:
    """Answers of one shape to one operation are held to the description once, which takes time: what fits in one
    world fits in all, and what does not is told in each."""

    server: str
    complaints: list[str] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    def note(self, method: str, path: str, status: int, content: bytes) -> None:
        """An answer; refusals that the description does not list are GitHub's everywhere, and have a message."""
        described = description(self.server)
        operation = described.operation(method, path)
        if operation is None or status in (301, 304, 307):
            return
        try:
            body: Json = json.loads(content) if content else None
        except ValueError:
            return
        is_described = described.describes(operation, status)
        shape = f"{self.server} {method} {operation.template} {status} {_shape(body)}"
        key = hashlib.sha256(shape.encode()).hexdigest()
        if key in _FITTING or key in self._seen:
            return
        self._seen.add(key)
        if status >= 400 and not is_described:
            has_message = isinstance(body, dict) and isinstance(body.get("message"), str)
            refusal = f"{method} {operation.template} {status}: a refusal without a message"
            complaints = [] if has_message else [refusal]
        else:
            complaints = described.complaints(method, operation.template, status, body)
        if not complaints:
            _FITTING.add(key)
        self.complaints += complaints


def _shape(node: Json) -> str:
    """What a schema can tell apart: types, keys, and short words, which may be one of a list."""
    if isinstance(node, dict):
        return "{" + ",".join(f"{key}:{_shape(value)}" for key, value in sorted(node.items())) + "}"
    if isinstance(node, list):
        return "[" + ",".join(sorted({_shape(item) for item in node})) + "]"
    if isinstance(node, str):
        return f"'{node}'" if WORD.fullmatch(node) else "text"
    return type(node).__name__
