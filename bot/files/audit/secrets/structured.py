"""Texts of several keys, such as `appsettings.json` in a Secret: what each key holds, not the text as a whole."""

import re
from collections.abc import Iterator

from bot.files.audit.secrets.names import holds_secret, is_placeholder, takes_a_password
from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.nodes import Mapping, Node, Scalar, Sequence
from bot.files.formats.source.yaml import read

_HAS_KEYS = re.compile(r"\s*[{\[]|[^\n]*:[ \t]*\S*[^\n]*\n", re.DOTALL)
_OF_SECRET = re.compile(
    r"(?:passw(?:or)?d|pwd|passphrase|secret|token|(?:api|access|account|private)[-_]?key)$", re.IGNORECASE
)
"""How a key ends that holds a secret itself, and does not tell of one."""
_LOGIN = re.compile(r"(?:ApiKey|Basic|Bearer|Token)\s+(?P<value>[\w.~+/=:-]{8,})", re.IGNORECASE)
_ENCRYPTED = "ENC["


def leaves(text: str) -> list[tuple[str, str]]:
    """The texts of a JSON or YAML text, each with the key that it stands under; none of a text of another kind.

    Never raises.
    """
    if _HAS_KEYS.match(text) is None:
        return []
    try:
        documents = read(text)
    except Unreadable:
        return []
    return [leaf for document in documents if not isinstance(document, Scalar) for leaf in _under("", document)]


def may_be_secrets(text: str) -> list[str]:
    """The keys of a text that are called as secrets are, and hold something that may be one.

    A text says what programs show as well (`"password": "Kennwort"`), and which Secret is meant: no fact.
    """
    if _ENCRYPTED in text:
        return []
    names = (name for name, value in leaves(text) if _logs_in(name, value) or _may_be_one(name, value))
    return list(dict.fromkeys(names))


def _may_be_one(name: str, value: str) -> bool:
    if _OF_SECRET.search(name) is None:
        return False
    is_open = value.startswith("$") or "{{" in value or " " in value
    return not is_open and holds_secret(name, value) and not takes_a_password(value)


def _logs_in(name: str, value: str) -> bool:
    """Whether a header that a program logs in with is written out."""
    login = _LOGIN.fullmatch(value.strip()) if name.lower().endswith("authorization") else None
    return login is not None and not is_placeholder(login["value"])


def _under(key: str, node: Node) -> Iterator[tuple[str, str]]:
    match node:
        case Scalar():
            yield from [] if node.is_null else [(key, node.value)]
        case Sequence():
            for item in node.items:
                yield from _under(key, item)
        case Mapping():
            for name, value in node.entries():
                yield from _under(name.value, value)
