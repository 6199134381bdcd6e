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
    matches = (_HEREDOC.fullmatch(word) for word in words if "<<" in word)
    return [heredoc for match in matches if match and (heredoc := _heredoc(match.group(2), match.group(3)))]


def _heredoc(dash: str, word: str) -> Heredoc | None:
    try:
        name = expand(Spanned(word, range(len(word))), {}).text if "$" not in word else word
    except BadWord:
        return None
    return Heredoc(name, bool(dash)) if name else None


def _words(line: str) -> list[str]:
    """The words of the line as written; raises `BadWord` where BuildKit finds none."""
    words: list[str] = []
    start, position = -1, 0
    while position < len(line):
        char = line[position]
        if char in BLANK:
            if start >= 0:
                words.append(line[start:position])
            start = -1
            position += 1
            continue
        start = position if start < 0 else start
        position = _after(line, position, 0)
    if start >= 0:
        words.append(line[start:])
    return words


def _after(line: str, position: int, depth: int) -> int:
    """The position behind the character, quotation or substitution at `position`."""
    char = line[position]
    if char == "\\":
        return position + 2
    if char == "'":
        return _behind(line.find("'", position + 1))
    if char == '"':
        position += 1
        while position < len(line) and line[position] != '"':
            position = position + 2 if line[position] == "\\" else _after_dollar(line, position, depth)
        return _behind(position if position < len(line) else -1)
    if sign := _BEFORE_NAME.match(line, position):
        return sign.end()
    return _after_dollar(line, position, depth)


def _after_dollar(line: str, position: int, depth: int) -> int:
    if not line.startswith("${", position):
        return position + 1
    if depth >= _DEEPEST or line[position + 2 : position + 3] in ("", "{", "}", ":"):
        raise BadWord("bad substitution")
    position += 2
    while position < len(line) and (line[position].isalnum() or line[position] == "_"):
        position += 1
    if line[position : position + 1] not in tuple("}:+-?#%/"):
        raise BadWord("no substitution that Docker knows")
    while position < len(line) and line[position] != "}":
        position = _after(line, position, depth + 1)
    return _behind(position if position < len(line) else -1)


def _behind(position: int) -> int:
    if position < 0:
        raise BadWord("not closed")
    return position + 1
