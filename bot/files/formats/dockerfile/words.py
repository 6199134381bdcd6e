"""Dockerfile words: quotes, escapes and variables, expanded without losing where each character stands.

The rules are those of BuildKit's `frontend/dockerfile/shell/lex.go`, and `split_command.go` and `line_parsers.go`
of its parser.
"""

import re
from collections.abc import Mapping

from bot.files.formats.dockerfile.patterns import BadPattern, replaced, without_prefix, without_suffix
from bot.files.formats.source.spanned import Spanned, joined

LONGEST_EXPANSION = 4096
DEEPEST_SUBSTITUTION = 24

BLANK = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""What Go's `unicode.IsSpace` takes for white space."""

_NAME = re.compile(r"[0-9]+|[@*#?\-$!]|[^\W\d]\w*")
_PLAIN = {"\\": re.compile(r"[^$'\"\\]*"), "`": re.compile(r"[^$'\"`]*")}
_PLAIN_FLAG = re.compile(r"--[^\t\n\v\f\r '\"\\`]+(?=[\t\v\f\r ]|\Z)")
_WORD = re.compile(r"[^\t\v\f\r ]+")


class BadWord(ValueError):
    """Docker would refuse the word; the message says why."""


NOTHING = Spanned("", ())


def split_blanks(line: Spanned) -> list[Spanned]:
    """The words between white space; quotes do not matter (FROM is read like that)."""
    return [line.part(word.start(), word.end()) for word in _WORD.finditer(line.text)]


def split_quoted(line: Spanned, escape: str) -> list[Spanned]:
    """The words between white space that is neither quoted nor escaped; quotes stay (ARG is read like that)."""
    text = line.text
    if text.isascii() and not ("'" in text or '"' in text or escape in text):
        return split_blanks(line)
    words: list[Spanned] = []
    start, quote, position = -1, "", 0
    while position < len(text):
        char = text[position]
        if start < 0 and char not in BLANK:
            start = position
        if quote:
            quote = "" if char == quote else quote
            position += char == escape and quote == '"'
        elif char in BLANK:
            if start >= 0:
                words.append(line.part(start, position))
            start = -1
        elif char in "'\"":
            quote = char
        elif char == escape:
            position += 1
        position += 1
    if start >= 0:
        words.append(line.part(start, len(line)))
    return words


def split_flags(line: Spanned, escape: str) -> tuple[list[Spanned], int]:
    """The leading `--flag=value` words without their quotes, and where the other words begin."""
    text, position = line.text, 0
    flags: list[Spanned] = []
    while True:
        while position < len(text) and text[position] in BLANK:
            position += 1
        if not text.startswith("--", position):
            return flags, position
        if plain := _PLAIN_FLAG.match(text, position):
            flags.append(line.part(position, plain.end()))
            position = plain.end()
            continue
        positions, position = _unquote_flag(text, position, escape)
        word = Spanned("".join(text[i] for i in positions), [line.places[i] for i in positions])
        if word.text == "--":
            return flags, position
        flags.append(word)


def _unquote_flag(text: str, position: int, escape: str) -> tuple[list[int], int]:
    """The positions of a flag's characters, from `position` to the next bare white space, and where that is."""
    positions: list[int] = []
    quote = ""
    while position < len(text):
        char = text[position]
        if char == escape:
            position += 1
            if position < len(text):
                positions.append(position)
        elif quote:
            if char == quote:
                quote = ""
            else:
                positions.append(position)
        elif char in BLANK:
            break
        elif char in "'\"":
            quote = char
        else:
            positions.append(position)
        position += 1
    return positions, position


def expand(word: Spanned, variables: Mapping[str, Spanned], escape: str = "\\") -> Spanned:
    """The word without quotes and escapes, its variables replaced; unset ones are empty, as in BuildKit.

    Raises `BadWord` where BuildKit refuses the word, and for expansions beyond `LONGEST_EXPANSION` characters or
    `DEEPEST_SUBSTITUTION` levels.
    """
    plain = _PLAIN[escape].match(word.text)
    if plain and plain.end() == len(word.text):
        return word
    return _Expansion(word, variables, escape).until("")


class _Expansion:
    """One pass over a word; each method reads from `at` on and leaves it behind what it read."""

    def __init__(self, word: Spanned, variables: Mapping[str, Spanned], escape: str) -> None:
        self.word, self.text, self.at = word, word.text, 0
        self.variables, self.escape = variables, escape
        self.raw = False
        self.depth = 0

    def until(self, stop: str, raw: bool = False) -> Spanned:
        """Expands up to the bare `stop` character (or the end); `raw` keeps escape characters, for patterns."""
        before, self.raw = self.raw, raw
        out = _Parts()
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == stop:
                self.at += 1
                self.raw = before
                return out.whole()
            if char == "'":
                self._single_quoted(out)
            elif char == '"':
                self._double_quoted(out)
            elif char == "$":
                out.add(self._dollar())
            elif char == self.escape:
                self._read_escape(out)
            else:
                self._plain(out, stop)
        if stop:
            raise BadWord(f"'{stop}' is missing")
        return out.whole()

    def _plain(self, out: "_Parts", stop: str) -> None:
        match = _PLAIN[self.escape].match(self.text, self.at)
        end = match.end() if match else self.at + 1
        stop_place = self.text.find(stop, self.at, end) if stop else -1
        end = stop_place if stop_place >= 0 else end
        out.add(self.word.part(self.at, end))
        self.at = end

    def _read_escape(self, out: "_Parts") -> None:
        if self.raw:
            out.add(self.word.part(self.at, self.at + 1))
        self.at += 1
        out.add(self.word.part(self.at, self.at + 1))
        self.at += 1

    def _single_quoted(self, out: "_Parts") -> None:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise BadWord("a single quote is not closed")
        out.add(self.word.part(self.at + 1, end))
        self.at = end + 1

    def _double_quoted(self, out: "_Parts") -> None:
        self.at += 1
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == '"':
                self.at += 1
                return
            if char == "$":
                out.add(self._dollar())
                continue
            if char == self.escape:
                following = self.text[self.at + 1 : self.at + 2]
                if self.raw:
                    out.add(self.word.part(self.at, self.at + 1))
                if following and following in f'"${self.escape}':
                    self.at += 1
                elif not following:
                    break
            out.add(self.word.part(self.at, self.at + 1))
            self.at += 1
        raise BadWord("a double quote is not closed")

    def _dollar(self) -> Spanned:
        sign = self.word.part(self.at, self.at + 1)
        self.at += 1
        if self.text[self.at : self.at + 1] != "{":
            name = self._name()
            return self.variables.get(name) or NOTHING if name else sign
        self.at += 1
        if self.text[self.at : self.at + 1] in ("", "{", "}", ":"):
            raise BadWord("bad substitution")
        if self.depth >= DEEPEST_SUBSTITUTION:
            raise BadWord(f"substitutions nest deeper than {DEEPEST_SUBSTITUTION} levels")
        self.depth += 1
        try:
            value = self._substitution(self._name())
        except BadPattern as error:
            raise BadWord(str(error)) from error
        self.depth -= 1
        return value

    def _name(self) -> str:
        match = _NAME.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return match.group() if match else ""

    def _substitution(self, name: str) -> Spanned:
        sign = self._take()
        if sign == "}":
            return self.variables.get(name) or NOTHING
        if sign == "/":
            return self._read_replacement(name)
        empty_is_unset = sign == ":"
        if empty_is_unset:
            sign = self._take()
        elif sign not in tuple("+-?#%"):
            raise BadWord(f"${{{name}{sign}…}} is no substitution that Docker knows")
        argument = self.until("}", raw=sign in ("#", "%"))
        value = self.variables.get(name)
        unset = value is None or (empty_is_unset and not value.text)
        text = NOTHING if value is None else value
        if sign == "-":
            return argument if unset else text
        if sign == "+":
            return NOTHING if unset else argument
        if sign == "?":
            if unset:
                raise BadWord(f"{name}: {argument.text or 'has no value'}")
            return text
        if sign == "#":
            return without_prefix(text, argument.text)
        if sign == "%":
            return without_suffix(text, argument.text)
        raise BadWord(f"${{{name}:{sign}…}} is no substitution that Docker knows")

    def _read_replacement(self, name: str) -> Spanned:
        everywhere = self.text[self.at : self.at + 1] == "/"
        self.at += everywhere
        pattern = self.until("/", raw=True).text
        replacement = self.until("}", raw=True)
        value = self.variables.get(name) or NOTHING
        out = _Parts()
        for part in replaced(value, pattern, replacement, everywhere):
            out.add(part)
        return out.whole()

    def _take(self) -> str:
        if self.at >= len(self.text):
            raise BadWord("'}' is missing")
        self.at += 1
        return self.text[self.at - 1]


class _Parts:
    """What an expansion has read so far, bounded."""

    def __init__(self) -> None:
        self._parts: list[Spanned] = []
        self._size = 0

    def add(self, part: Spanned) -> None:
        self._size += len(part.text)
        if self._size > LONGEST_EXPANSION:
            raise BadWord(f"expands to more than {LONGEST_EXPANSION} characters")
        if part.text:
            self._parts.append(part)

    def whole(self) -> Spanned:
        return joined(self._parts)
