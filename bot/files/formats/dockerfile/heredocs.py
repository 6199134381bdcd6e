"""Which here-documents a Dockerfile line opens.

BuildKit reads the whole line as shell words with quotes and escapes kept (`heredocsFromLine`): where that
fails, at an open quote or a substitution it does not know, the line opens none. Blanks right behind `<<` belong to
the word (`processPossibleHeredoc`), those behind `<<-` end it.
"""

import re
from typing import NamedTuple

from bot.files.formats.dockerfile.words import BLANK, BadWord, expand
from bot.files.formats.source.spanned import Spanned

_HEREDOC = re.compile(r"([0-9]*)<<(-?)\s*([^<]*)", re.ASCII)
_BEFORE_NAME = re.compile(r"<<[\t\r ]*")
_DEEPEST = 24


class Heredoc(NamedTuple):
    """`name` ends it; with `chomp` (`<<-`), tabs may stand before the name."""

    name: str
    chomp: bool


def heredocs_of(line: str) -> list[Heredoc]:
    try:
        words = _words(line)
    except BadWord:
        return []
    found = (_HEREDOC.fullmatch(word) for word in words if "<<" in word)
    return [heredoc for match in found if match and (heredoc := _heredoc(match.group(2), match.group(3)))]


def _heredoc(dash: str, rest: str) -> Heredoc | None:
    try:
        name = expand(Spanned(rest, range(len(rest))), {}).text if "$" not in rest else rest
    except BadWord:
        return None
    return Heredoc(name, bool(dash)) if name else None


def _words(line: str) -> list[str]:
    """The words of the line as written; raises `BadWord` where BuildKit finds none."""
    words: list[str] = []
    start, at = -1, 0
    while at < len(line):
        char = line[at]
        if char in BLANK:
            if start >= 0:
                words.append(line[start:at])
            start = -1
            at += 1
            continue
        start = at if start < 0 else start
        at = _after(line, at, 0)
    if start >= 0:
        words.append(line[start:])
    return words


def _after(line: str, at: int, depth: int) -> int:
    """The position behind the character, quotation or substitution at `at`."""
    char = line[at]
    if char == "\\":
        return at + 2
    if char == "'":
        return _behind(line.find("'", at + 1))
    if char == '"':
        at += 1
        while at < len(line) and line[at] != '"':
            at = at + 2 if line[at] == "\\" else _after_dollar(line, at, depth)
        return _behind(at if at < len(line) else -1)
    if sign := _BEFORE_NAME.match(line, at):
        return sign.end()
    return _after_dollar(line, at, depth)


def _after_dollar(line: str, at: int, depth: int) -> int:
    if not line.startswith("${", at):
        return at + 1
    if depth >= _DEEPEST or line[at + 2 : at + 3] in ("", "{", "}", ":"):
        raise BadWord("bad substitution")
    at += 2
    while at < len(line) and (line[at].isalnum() or line[at] == "_"):
        at += 1
    if line[at : at + 1] not in tuple("}:+-?#%/"):
        raise BadWord("no substitution that Docker knows")
    while at < len(line) and line[at] != "}":
        at = _after(line, at, depth + 1)
    return _behind(at if at < len(line) else -1)


def _behind(at: int) -> int:
    if at < 0:
        raise BadWord("not closed")
    return at + 1
