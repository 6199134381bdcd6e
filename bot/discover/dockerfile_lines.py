"""A Dockerfile's instructions: continued lines joined, comments and here-documents left out.

The rules are those of BuildKit's `frontend/dockerfile/parser` (`parser.go`, `directives.go`).
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bot.discover.dockerfile_heredocs import Heredoc, heredocs_of
from bot.discover.dockerfile_words import BLANK, split_flags
from bot.discover.text import BOM
from bot.discover.traced import Traced

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
        return self.joints[0][1]

    @property
    def end(self) -> int:
        """The file offset behind its last character (here-documents not counted)."""
        at, origin = self.joints[-1]
        return origin + len(self.text) - at

    @property
    def arguments(self) -> Traced:
        """What follows the keyword."""
        text = self.text[self.at :].rstrip(BLANK)
        if len(self.joints) == 1:
            begin = self.joints[0][1] + self.at
            return Traced(text, range(begin, begin + len(text)))
        origins: list[int] = []
        ends = [at for at, _ in self.joints[1:]] + [len(self.text)]
        for (at, origin), end in zip(self.joints, ends, strict=True):
            origins.extend(range(origin, origin + end - at))
        return Traced(text, origins[self.at : self.at + len(text)])

    def nested(self) -> "Instruction | None":
        """The instruction that an ONBUILD holds back for a later build."""
        match = _KEYWORD.match(self.text, self.at, len(self.text.rstrip(BLANK)))
        return self._replace(keyword=match.group(1).lower(), at=match.end()) if match else None


@dataclass(frozen=True, slots=True)
class Script:
    """All instructions of a Dockerfile; `syntax` is the frontend image that the first lines ask for."""

    instructions: Sequence[Instruction]
    escape: str = "\\"
    syntax: Traced | None = None
    syntax_line: int = 0
    faults: tuple[Fault, ...] = ()


def read(text: str) -> Script:
    """Never raises; what Docker would refuse is a fault, and the rest is read as far as it makes sense."""
    head = _directives(text)
    instructions: list[Instruction] = []
    faults = list(head.faults)
    escape = head.escape
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    offset = number = 0
    if text.startswith(BOM):
        lines[0], offset = lines[0][1:], 1
    count = len(lines)
    while number < count:
        line = lines[number]
        begin = offset
        offset += len(line) + 1
        number += 1
        body = line.rstrip("\r").lstrip(BLANK)
        if not body or body[0] == "#":
            continue
        first_line = number
        indent = line.find(body[0])
        joints: tuple[tuple[int, int], ...] = ((0, begin + indent),)
        continued = _continued(body, escape)
        if continued is not None:
            parts, places, length = [continued], [joints[0]], len(continued)
            while number < count and continued is not None:
                line = lines[number].rstrip("\r")
                begin = offset
                offset += len(lines[number]) + 1
                number += 1
                bare = line.lstrip(BLANK)
                if not bare or bare[0] == "#":
                    continue
                continued = _continued(line, escape)
                part = line if continued is None else continued
                parts.append(part)
                places.append((length, begin))
                length += len(part)
            body, joints = "".join(parts), tuple(places)
        keyword = _KEYWORD.match(body, len(body) - len(body.lstrip(BLANK)), len(body.rstrip(BLANK)))
        if keyword is None:
            continue
        instruction = Instruction(keyword.group(1).lower(), body, keyword.end(), first_line, number, joints)
        if "<<" in body:
            for heredoc in _heredocs(instruction, escape):
                ended = _end_of(heredoc, lines, number)
                if ended is None:
                    faults.append(Fault(first_line, f"the here-document {heredoc.name} has no end"))
                stop = count if ended is None else ended
                offset += sum(len(skipped) + 1 for skipped in lines[number:stop])
                number = stop
            instruction = instruction._replace(last_line=number)
        instructions.append(instruction)
    return Script(instructions, escape, head.syntax, head.syntax_line, tuple(faults))


def _continued(line: str, escape: str) -> str | None:
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
    seen: set[str] = set()
    at = 1 if text.startswith(BOM) else 0
    shebang = text.startswith("#!", at)
    number = 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        number += 1
        if not (number == 1 and shebang):
            match = _DIRECTIVE.match(text[at:end])
            name = match.group(1).lower() if match else ""
            if match is None or name not in _DIRECTIVES:
                break
            value, begin = match.group(2), at + match.start(2)
            if name in seen:
                faults.append(Fault(number, f"the directive {name} may stand only once"))
            elif name == "escape" and not shebang:
                if value in ("\\", "`"):
                    escape = value
                else:
                    faults.append(Fault(number, f"escape={value} is neither \\ nor `"))
            elif name == "syntax" and text[at] == "#":
                image = value.partition(" ")[0]
                syntax, syntax_line = Traced(image, range(begin, begin + len(image))), number
            seen.add(name)
        at = end + 1
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


def _end_of(heredoc: Heredoc, lines: Sequence[str], number: int) -> int | None:
    """The count of lines up to and with the terminator."""
    for at in range(number, len(lines)):
        line = lines[at].rstrip("\r")
        if (line.lstrip("\t") if heredoc.chomp else line) == heredoc.name:
            return at + 1
    return None
