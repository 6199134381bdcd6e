"""Which workflows run on pushes to a branch.

Source of the rules: GitHub's workflow syntax, `on.push.<branches|branches-ignore|tags|tags-ignore>` and its filter
pattern cheat sheet.
"""

import re
from collections.abc import Iterable

from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.nodes import Mapping, Node, Scalar, Sequence
from bot.files.formats.source.yaml import read
from bot.files.formats.workflows.triggers import triggers_of

_PUSH = "push"
_PIECES = re.compile(r"\*\*|\*|\?|\+|\[[^\]]*\]|\\.|.", re.S)


def runs_on_push(texts: Iterable[str | None], branch: str) -> bool:
    """Whether one of these workflow files runs on pushes to `branch`; None stands for a file that was not shown.

    Filters of paths are not looked at: a new branch may pass any of them. What cannot be read may run.
    """
    return any(text is None or (_PUSH in text and _runs(text, branch)) for text in texts)


def _runs(text: str, branch: str) -> bool:
    try:
        roots = read(text)
    except Unreadable:
        return True
    triggers = triggers_of(roots[0] if roots else None)
    push = triggers.get(_PUSH)
    return _takes(push, branch) if isinstance(push, Mapping) else _PUSH in triggers


def _takes(push: Mapping, branch: str) -> bool:
    if (branches := push.get("branches")) is not None:
        return _is_among(_patterns(branches), branch)
    if (ignored := push.get("branches-ignore")) is not None:
        return not _is_among(_patterns(ignored), branch)
    return push.get("tags") is None and push.get("tags-ignore") is None


def _patterns(node: Node) -> list[str]:
    items = node.items if isinstance(node, Sequence) else (node,)
    return [item.value for item in items if isinstance(item, Scalar)]


def _is_among(patterns: Iterable[str], branch: str) -> bool:
    """The last pattern that fits decides: those with `!` before them take away again."""
    is_in = False
    for pattern in patterns:
        if _fits(pattern.removeprefix("!"), branch):
            is_in = not pattern.startswith("!")
    return is_in


def _fits(pattern: str, branch: str) -> bool:
    expression = ""
    for piece in _PIECES.findall(pattern):
        match piece:
            case "**":
                expression += ".*"
            case "*":
                expression += "[^/]*"
            case "?" | "+":
                expression += piece
            case _ if piece.startswith("["):
                expression += piece
            case _:
                expression += re.escape(piece.removeprefix("\\") or piece)
    try:
        return re.fullmatch(expression, branch, re.S) is not None
    except re.error:
        return True
