"""Shell text → the syntax tree that tree-sitter's grammar for bash makes of it, with the offsets of the text."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from bot.files.formats.shell.powershell import as_bash

if TYPE_CHECKING:
    import tree_sitter

LONGEST_SCRIPT = 128 * 1024
"""Characters."""
MOST_HEREDOCS = 100
"""What they cost tree-sitter grows faster than their number: 16,000 that nobody ends take it 11 s."""
_AT_ONCE = 1024
_MOST_READS, _MOST_READS_OF_EACH = 10_000, 500
"""Of a script, and more of each `_AT_ONCE` characters of it, which are read two or three times as a rule.

What costs more than the length tells looks through the rest again for each word; ten thousand take some 0.05 s.
"""
_NO_ASCII = re.compile(r"[^\x00-\x7f]")


def is_readable(text: str) -> bool:
    """Whether a text is short and plain enough to be parsed at all."""
    return len(text) <= LONGEST_SCRIPT and text.count("<<") <= MOST_HEREDOCS


def tree(text: str) -> "tree_sitter.Node | None":
    """The root of the syntax tree; None for a text that is too long or too odd to be read."""
    return _parse_source(_source(text)) if is_readable(text) else None


def nodes(text: str) -> "list[tree_sitter.Node]":
    """All nodes of the tree in the order of the text; none where there is no tree."""
    root = tree(text)
    return [] if root is None else list(_below(root))


def _parse_source(source: bytes) -> "tree_sitter.Node | None":
    """The tree's root; None where the text is looked through far oftener than what people write is.

    That is counted, not timed, so that a script is read on each machine or on none. The grammar is loaded with the
    first script, since most commands need none.
    """
    import tree_sitter

    parser = tree_sitter.Parser(_language())
    left = _MOST_READS + len(source) * _MOST_READS_OF_EACH // _AT_ONCE

    def part(offset: int, _: object) -> bytes:
        nonlocal left
        left -= 1
        return source[offset : offset + _AT_ONCE] if left > 0 else b""

    try:
        # Asked after each hundred steps only, so that there must be nothing more to read until then.
        read = parser.parse(part, progress_callback=lambda _, __: left <= 0)
    except ValueError:
        return None
    return read.root_node if left > 0 else None


@lru_cache(maxsize=1)
def _language() -> "tree_sitter.Language":
    import tree_sitter
    import tree_sitter_bash

    return tree_sitter.Language(tree_sitter_bash.language())


def _source(text: str) -> bytes:
    """One byte for each character, so that tree-sitter's offsets are those of the text."""
    plain = (
        _NO_ASCII.sub("_", as_bash(text))
        .replace("\\\r\n", " \\\n")
        .replace("`\r\n", " \\\n")
        .replace("`\n", "\\\n")
    )
    return plain.replace("\r", " ").replace("\0", " ").encode("ascii")


def _below(root: "tree_sitter.Node") -> "Iterator[tree_sitter.Node]":
    """Goes through a tree without recursion."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(node.children))
