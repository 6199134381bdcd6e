"""A Makefile or a justfile → the shell text of its recipes, with the places of the file.

Sources: GNU make's manual (recipes stand behind a tab, `@`, `-` and `+` before a command are make's own, `$$` is a
dollar) and just's (recipes are indented, `{{ name }}` is put in). A variable counts where it is set once, to a text
that is written out.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from bot.files.formats.shell.commands import UNKNOWN
from bot.files.formats.source.spanned import Spanned, joined

_SET_IN_MAKE = re.compile(
    r"^(?:export[ ]+|override[ ]+)*(?P<name>[A-Za-z_][\w.-]*)[ \t]*(?:[:?]{0,3}=)[ \t]*(?P<value>[^\r\n]*)",
    re.MULTILINE,
)
_SET_IN_JUST = re.compile(
    r"^(?:export[ ]+)?(?P<name>[A-Za-z_][\w-]*)[ \t]*:=[ \t]*"
    r"(?P<quote>[\"'])(?P<value>[^\"'\r\n\\]*)(?P=quote)[ \t]*\r?$",
    re.MULTILINE,
)
_ADDED = re.compile(
    r"^(?:export[ ]+)?(?P<name>[A-Za-z_][\w.-]*)[ \t]*(?:\+=|!=)|^define[ ]+(?P<defined>\S+)", re.MULTILINE
)
_IN_MAKE = re.compile(
    r"\$(?:(?P<dollar>\$)|\((?P<round>[^()\s]+)\)|\{(?P<brace>[^{}\s]+)\}|\([^()]*(?:\([^()]*\)[^()]*)*\)|(?P<sign>.))"
)
_IN_JUST = re.compile(r"\{\{[ \t]*(?P<name>[A-Za-z_][\w-]*)[ \t]*\}\}|\{\{[^{}\n]*\}\}")
_MAKES_OWN = re.compile(r"[ \t]*[@+-]*[ \t]*")
_DEEPEST = 5
_MOST_PUT_IN = 1024 * 1024
"""Characters that variables may add to one file."""


def is_justfile(path: str) -> bool:
    """Whether a path is that of a justfile; others of this kind are Makefiles."""
    name = path.rpartition("/")[2].lower()
    return name.endswith(("justfile", ".just"))


def recipes(path: str, text: str) -> Spanned:
    """The lines of all recipes, one below the other, as the shell gets them. Never raises."""
    filling = _Filling(text, is_just=is_justfile(path))
    parts: list[Spanned] = []
    for start, end in _recipe_lines(text, is_just=is_justfile(path)):
        parts.append(filling.filled(start, end))
    return joined(parts) if parts else Spanned("", ())


def _recipe_lines(text: str, *, is_just: bool) -> Iterator[tuple[int, int]]:
    """Where each line of a recipe stands, without what is make's own before its first command."""
    start, goes_on = 0, False
    indents = ("\t", " ") if is_just else ("\t",)
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        if goes_on or (text.startswith(indents, start) and text[start:end].strip()):
            begin = start
            if not goes_on and (own := _MAKES_OWN.match(text, start, end)) is not None:
                begin = own.end()
            yield begin, end
            goes_on = text[start:end].rstrip("\r\n").endswith("\\")
        else:
            goes_on = False
        start = end


class _Filling:
    """Puts the variables of one file into its lines."""

    def __init__(self, text: str, *, is_just: bool) -> None:
        self._text = Spanned(text, range(len(text)))
        self._pattern = _IN_JUST if is_just else _IN_MAKE
        self._variables = self._read_variables(text, _SET_IN_JUST if is_just else _SET_IN_MAKE)
        self._room = _MOST_PUT_IN

    def _read_variables(self, text: str, pattern: re.Pattern[str]) -> Mapping[str, Spanned]:
        """Those that are set once, to one line."""
        assignments = list(pattern.finditer(text))
        times = Counter(assignment["name"] for assignment in assignments)
        times.update(added["name"] or added["defined"] for added in _ADDED.finditer(text))
        values: dict[str, Spanned] = {}
        for assignment in assignments:
            value = self._text.part(*assignment.span("value"))
            comment = value.text.find(" #")
            value = (value if comment < 0 else value.part(0, comment)).strip()
            if times[assignment["name"]] == 1 and not value.text.endswith("\\"):
                values[assignment["name"]] = value
        return values

    def filled(self, start: int, end: int) -> Spanned:
        """The text from `start` to `end` with variables put in, `UNKNOWN` for those that only a run knows."""
        return self._filled(self._text.part(start, end), 0)

    def _filled(self, text: Spanned, depth: int) -> Spanned:
        parts: list[Spanned] = []
        done = 0
        for match in self._pattern.finditer(text.text):
            parts.append(text.part(done, match.start()))
            parts.append(self._value(text, match, depth))
            done = match.end()
        return joined([*parts, text.part(done, len(text))])

    def _value(self, text: Spanned, match: re.Match[str], depth: int) -> Spanned:
        groups = match.groupdict()
        if groups.get("dollar"):
            return text.part(match.start(), match.start() + 1)
        value = self._variables.get(groups.get("round") or groups.get("brace") or groups.get("name") or "")
        self._room -= len(value) if value is not None else 0
        if value is None or depth >= _DEEPEST or self._room < 0:
            return Spanned(UNKNOWN, (~text.place(match.start()),))
        return self._filled(value, depth + 1)
