"""A Dockerfile's instructions: continued lines joined, comments and here-documents left out.

The rules are those of BuildKit's `frontend/dockerfile/parser` (`parser.go`, `directives.go`).
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bot.files.formats.dockerfile.heredocs import Heredoc, heredocs_of
from bot.files.formats.dockerfile.words import BLANK, split_flags
from bot.files.formats.source.spanned import Spanned
from bot.files.formats.source.text import BOM

_DIRECTIVE = re.compile(r"\s*#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$", re.ASCII)
_DIRECTIVES = ("syntax", "escape", "check")
_KEYWORD = re.compile(r"([^\t\v\f\r ]+)[\t\v\f\r ]*")
_HOLDS_HEREDOCS = ("add", "copy", "run")


class Fault(NamedTuple):
    """Why Docker would refuse the file, with the 1-based line."""

    line: int
    message: str


class Instruction(NamedTuple):
    """One logical line: `text` is what remains when its physical lines are joined.

    `joints` holds pairs of offsets, in `text` and in the file, one for each physical line that takes part.
    `at` is where the arguments begin in `text`; `keyword` is in lower case; lines count from 1.
    """

    keyword: str
    text: str
    at: int
    line: int
    last_line: int
    joints: tuple[tuple[int, int], ...]

    @property
    def start(self) -> int:
        """The file offset of its first character."""
        return self.joints[0][1]

    @property
    def arguments(self) -> Spanned:
        """What follows the keyword."""
        text = self.text[self.at :].rstrip(BLANK)
        if len(self.joints) == 1:
            begin = self.joints[0][1] + self.at
            return Spanned(text, range(begin, begin + len(text)))
        origins: list[int] = []
        ends = [position for position, _ in self.joints[1:]] + [len(self.text)]
        for (position, origin), end in zip(self.joints, ends, strict=True):
            origins.extend(range(origin, origin + end - position))
        return Spanned(text, origins[self.at : self.at + len(text)])

    def nested(self) -> "Instruction | None":
        """The instruction that an ONBUILD holds back for a later build."""
        match = _KEYWORD.match(self.text, self.at, len(self.text.rstrip(BLANK)))
        return self._replace(keyword=match.group(1).lower(), at=match.end()) if match else None


@dataclass(frozen=True, slots=True)
class Script:
    """All instructions of a Dockerfile; `syntax` is the frontend image that the first lines ask for."""

    instructions: Sequence[Instruction]
    escape: str = "\\"
    syntax: Spanned | None = None
    syntax_line: int = 0
    faults: tuple[Fault, ...] = ()


def read(text: str) -> Script:
    """Reads the lines of a Dockerfile. Never raises: what Docker would refuse is a fault, the rest is read on."""
    head = _directives(text)
    instructions: list[Instruction] = []
    faults = list(head.faults)
    lines = _Physical(text)
    while lines.number < lines.count:
        begin = lines.offset
        line = lines.take()
        body = line.lstrip(BLANK)
        if not body or body[0] == "#":
            continue
        first = lines.number
        joints: tuple[tuple[int, int], ...] = ((0, begin + len(line) - len(body)),)
        if (continued := _strip_continuation(body, head.escape)) is not None:
            body, joints = _join_lines(continued, joints[0], lines, head.escape)
        keyword = _KEYWORD.match(body, len(body) - len(body.lstrip(BLANK)), len(body.rstrip(BLANK)))
        if keyword is None:
            continue
        instruction = Instruction(keyword.group(1).lower(), body, keyword.end(), first, lines.number, joints)
        if "<<" in body:
            endless = [it for it in _heredocs(instruction, head.escape) if not lines.skip_through(it)]
            faults += [Fault(first, f"the here-document {heredoc.name} has no end") for heredoc in endless]
            instruction = instruction._replace(last_line=lines.number)
        instructions.append(instruction)
    return Script(instructions, head.escape, head.syntax, head.syntax_line, tuple(faults))


class _Physical:
    """The lines of the file without their endings, taken one by one; `offset` is where the next one begins."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        if not self._lines[-1]:
            self._lines.pop()
        self.number = self.offset = 0
        if text.startswith(BOM):
            self._lines[0], self.offset = self._lines[0][1:], 1
        self.count = len(self._lines)

    def take(self) -> str:
        line = self._lines[self.number]
        self.number += 1
        self.offset += len(line) + 1
        return line.rstrip("\r")

    def skip_through(self, heredoc: Heredoc) -> bool:
        """Goes past the end of a here-document; returns whether there was one."""
        while self.number < self.count:
            line = self.take()
            if (line.lstrip("\t") if heredoc.chomp else line) == heredoc.name:
                return True
        return False


def _join_lines(
    body: str, joint: tuple[int, int], lines: _Physical, escape: str
) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The logical line that goes on behind `body`: comments and empty lines between do not count."""
    parts, joints, length = [body], [joint], len(body)
    while lines.number < lines.count:
        begin = lines.offset
        line = lines.take()
        bare = line.lstrip(BLANK)
        if not bare or bare[0] == "#":
            continue
        continued = _strip_continuation(line, escape)
        part = line if continued is None else continued
        parts.append(part)
        joints.append((length, begin))
        length += len(part)
        if continued is None:
            break
    return "".join(parts), tuple(joints)


def _strip_continuation(line: str, escape: str) -> str | None:
    """The line without its continuation character; None where it does not go on.

    A doubled escape character at the end does not continue the line.
    """
    if escape not in line[-1:] and line[-1:] not in (" ", "\t"):
        return None
    tail = line.rstrip(" \t")
    if not tail.endswith(escape) or tail.endswith(2 * escape):
        return None
    return tail[:-1]


def _directives(text: str) -> Script:
    """The parser directives of the first lines; the first line that is none ends them.

    A `#!` line before `syntax` is passed over, but not before `escape`; an indented `syntax` does not count.
    """
    escape, syntax, syntax_line = "\\", None, 0
    faults: list[Fault] = []
    names: set[str] = set()
    position = 1 if text.startswith(BOM) else 0
    shebang = text.startswith("#!", position)
    number = 0
    while position < len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        number += 1
        if not (number == 1 and shebang):
            match = _DIRECTIVE.match(text[position:end])
            name = match.group(1).lower() if match else ""
            if match is None or name not in _DIRECTIVES:
                break
            value, begin = match.group(2), position + match.start(2)
            if name in names:
                faults.append(Fault(number, f"the directive {name} may stand only once"))
            elif name == "escape" and not shebang:
                if value in ("\\", "`"):
                    escape = value
                else:
                    faults.append(Fault(number, f"escape={value} is neither \\ nor `"))
            elif name == "syntax" and text[position] == "#":
                image = value.partition(" ")[0]
                syntax, syntax_line = Spanned(image, range(begin, begin + len(image))), number
            names.add(name)
        position = end + 1
    return Script((), escape, syntax, syntax_line, tuple(faults))


def _heredocs(instruction: Instruction, escape: str) -> list[Heredoc]:
    """The here-documents that follow the instruction; the JSON form has none."""
    inner = instruction.nested() if instruction.keyword == "onbuild" else instruction
    if inner is None or inner.keyword not in _HOLDS_HEREDOCS:
        return []
    arguments = inner.arguments
    _, begin = split_flags(arguments, escape)
    if _is_json_list(arguments.text[begin:].strip(BLANK)):
        return []
    return heredocs_of(instruction.text)


def _is_json_list(text: str) -> bool:
    if not text.startswith("["):
        return False
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
