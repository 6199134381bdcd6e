"""Shell text → its commands, each word with the places of its characters.

tree-sitter's grammar for bash reads it. It also makes sense of the plain command lines of PowerShell, once their
line continuations are those of bash. Nothing is run: a variable counts where it is set once, to a text that is
written out; everything else that only a shell could tell becomes `UNKNOWN`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from bot.formats.source.spanned import Spanned, joined

if TYPE_CHECKING:
    import tree_sitter

UNKNOWN = "\N{REPLACEMENT CHARACTER}"
"""Stands in a word for what only a running shell knows."""
SCRIPT_FOLDER = "\N{SYMBOL FOR START OF HEADING}"
"""Stands for the folder of the script itself: `$(dirname "$0")`, `$PSScriptRoot`."""
LONGEST_SCRIPT = 128 * 1024
MOST_PUT_IN = 1024 * 1024
"""Characters that variables may add to one script: a few lines that double one another would fill memory."""
"""Characters."""
MOST_HEREDOCS = 100
"""What they cost tree-sitter grows faster than their number: 16,000 that nobody ends take it 11 s."""
_AT_ONCE = 1024
_MOST_READS, _MOST_READS_OF_EACH = 10_000, 500
"""Of a script, and more of each `_AT_ONCE` characters of it, which are read two or three times as a rule.

What costs more than the length tells looks through the rest again for each word; ten thousand take some 0.05 s.
"""
MOST_COMMANDS = 5_000
DEEPEST_WORD = 8
_BEFORE_COMMAND = frozenset({"do", "then", "else", "sudo", "exec", "time", "command", "env", "&", "call"})
_ESCAPED_IN_QUOTES = frozenset('"\\$`\n')
_WORDS = frozenset(
    {"word", "number", "string", "raw_string", "concatenation", "simple_expansion", "expansion", "ansi_c_string"}
    | {
        "command_substitution",
        "process_substitution",
        "translated_string",
        "arithmetic_expansion",
        "brace_expression",
    }
)
_OWN_FOLDER = re.compile(r"\A\$\(.*\bdirname\b.*(?:\$0|BASH_SOURCE)|\A\$\{?PSScriptRoot\}?\Z", re.DOTALL)
_POWERSHELL_SET = re.compile(r"\$(?P<name>[A-Za-z_]\w*)[ \t]*[-+*/]?=(?!=)")
_POWERSHELL_TEXT = re.compile(
    r"^[ \t]*\$(?P<name>[A-Za-z_]\w*)[ \t]*=[ \t]*"
    r"(?P<quote>[\"'])(?P<value>[^\"'$`\r\n]*)(?P=quote)[ \t]*(?:;[ \t]*)?\r?$",
    re.MULTILINE,
)
_POWERSHELL_ENVIRONMENT = re.compile(
    r"^[ \t]*\$(?i:env):(?P<name>[A-Za-z_]\w*)[ \t]*=[ \t]*"
    r"(?:'(?P<single>[^'\r\n]*)'|\"(?P<double>[^\"$`\r\n]*)\"|(?P<bare>[^\s$`()\"';]+))?",
    re.MULTILINE,
)
_POWERSHELL_VARIABLE = re.compile(r"(\$\{?)(?i:env):(?=[A-Za-z_])")
_NAME_OF_POWERSHELL = re.compile(r"^env:", re.IGNORECASE)
_BASH_ENV = re.compile(r"(?:^|[\s;])env=", re.MULTILINE)
"""A variable of bash called `env`, so that `$env:1` is that and a colon."""
_EXPORTS_ALL = (["set", "-a"], ["set", "-o", "allexport"])
ALL = "*"
"""Stands for every variable of a script, after `set -a`."""
_POWERSHELL_PARAMETERS = re.compile(r"^[ \t]*param\s*\(", re.MULTILINE | re.IGNORECASE)
_POWERSHELL_DEFAULT = re.compile(
    r"\$(?P<name>[A-Za-z_]\w*)[ \t]*=[ \t]*(?P<quote>[\"'])(?P<value>[^\"'$`\r\n]*)(?P=quote)[ \t]*(?=[,)#\r\n])"
)
_BEFORE_PARAMETERS = re.compile(
    r"(?:\s|<\#(?:[^\#]|\#(?!>))*+\#>|\#[^\n]*+|\[[^\]\n]*+\]|using[ \t][^\n]*+)*+", re.IGNORECASE
)
_QUOTED_OR_BRACKET = re.compile(
    r"\"(?:`.|[^\"`])*(?:\"|\Z)|'[^']*(?:'|\Z)|<\#(?:[^\#]|\#(?!>))*(?:\#>|\Z)|\#[^\n]*|[()]", re.DOTALL
)
"""What is never closed goes on to the end, so that a text is gone through once."""
_NO_ASCII = re.compile(r"[^\x00-\x7f]")


class Command(NamedTuple):
    """The words of one command; `name` is the last part of the first one's path, `start` its offset in the text.

    `assigned` are the variables that are set for it alone: `TAG=1 docker build`.
    """

    words: tuple[Spanned, ...]
    start: int = 0
    assigned: tuple[tuple[str, Spanned], ...] = ()

    @property
    def name(self) -> str:
        return self.words[0].text.replace("\\", "/").rpartition("/")[2].removesuffix(".exe")


def is_literal(word: Spanned) -> bool:
    return UNKNOWN not in word.text and SCRIPT_FOLDER not in word.text


def commands(text: Spanned, known: Mapping[str, Spanned] | None = None) -> list[Command]:
    """Finds the commands of a script in its order; `known` are variables of the environment. Never raises."""
    if len(text) > LONGEST_SCRIPT or text.text.count("<<") > MOST_HEREDOCS:
        return []
    root = _parsed(_source(_without_parameters(text.text)))
    nodes = list(_nodes(root)) if root is not None else []
    words = _Words(text, dict(known or {}))
    words.assign(nodes)
    found: list[Command] = []
    for node in nodes:
        if node.type == "command" and len(found) < MOST_COMMANDS:
            named = [words.of(child) for child in _word_nodes(node)]
            while named and named[0].text in _BEFORE_COMMAND:
                named.pop(0)
            if named:
                found.append(Command(tuple(named), node.start_byte, tuple(words.assigned_for(node))))
    return found


def exported(text: Spanned, known: Mapping[str, Spanned] | None = None) -> dict[str, Spanned]:
    """The variables that a script sets and hands on to the programs that it runs; `known` are those of its own
    environment, which it hands on as well where it sets them anew. Never raises.

    `UNKNOWN` stands for what only a running shell knows, and for a variable that gets several values.
    """
    if len(text) > LONGEST_SCRIPT or text.text.count("<<") > MOST_HEREDOCS:
        return {}
    root = _parsed(_source(_without_parameters(text.text)))
    nodes = list(_nodes(root)) if root is not None else []
    words = _Words(text, dict(known or {}))
    words.assign(nodes)
    handed = {*(known or {}), *words.handed_on(nodes)}
    own = {name: value for name, value in words.values(nodes) if name in handed or ALL in handed}
    return own | dict(_powershell_environment(text))


def _powershell_environment(text: Spanned) -> Iterator[tuple[str, Spanned]]:
    """What `$env:NAME = …` sets, with `UNKNOWN` where it is no text that is written out, or set several times."""
    found = list(_POWERSHELL_ENVIRONMENT.finditer(text.text)) if ":" in text.text else []
    times = Counter(each["name"] for each in found)
    for each in found:
        group = next((name for name in ("single", "double", "bare") if each[name] is not None), None)
        if group is not None and times[each["name"]] == 1:
            yield each["name"], text.part(*each.span(group))
        else:
            yield each["name"], Spanned(UNKNOWN, (~text.place(each.start()),))


def _parsed(source: bytes) -> "tree_sitter.Node | None":
    """The tree's root; None where the text is looked through far oftener than what people write is.

    That is counted, not timed, so that a script is read on each machine or on none. The grammar is loaded with the
    first script, since most commands need none.
    """
    import tree_sitter

    parser = tree_sitter.Parser(_language())
    left = _MOST_READS + len(source) * _MOST_READS_OF_EACH // _AT_ONCE

    def part(at: int, _: object) -> bytes:
        nonlocal left
        left -= 1
        return source[at : at + _AT_ONCE] if left > 0 else b""

    try:
        # Asked after each hundred steps only, so that there must be nothing more to read until then.
        read = parser.parse(part, progress_callback=lambda _, __: left <= 0)
    except ValueError:
        return None
    return read.root_node if left > 0 else None


def tree(text: str) -> "tree_sitter.Node | None":
    """The syntax tree, whose offsets are those of the text; None for one that is too long or too odd to be read."""
    if len(text) > LONGEST_SCRIPT or text.count("<<") > MOST_HEREDOCS:
        return None
    return _parsed(_source(text))


@lru_cache(maxsize=1)
def _language() -> "tree_sitter.Language":
    import tree_sitter
    import tree_sitter_bash

    return tree_sitter.Language(tree_sitter_bash.language())


def _source(text: str) -> bytes:
    """One byte for each character, so that tree-sitter's offsets are those of the text."""
    if ":" in text and not _BASH_ENV.search(text):
        text = _POWERSHELL_VARIABLE.sub(r"\1env_", text)
    plain = _NO_ASCII.sub("_", text).replace("\\\r\n", " \\\n").replace("`\r\n", " \\\n").replace("`\n", "\\\n")
    return plain.replace("\r", " ").replace("\0", " ").encode("ascii")


def _parameters(text: str) -> tuple[int, int]:
    """Where the parameters of a PowerShell script stand, with the brackets around them; nowhere if it has none."""
    found = _POWERSHELL_PARAMETERS.search(text)
    if found is None:
        return 0, 0
    depth = 0
    for each in _QUOTED_OR_BRACKET.finditer(text, found.end() - 1):
        depth += {"(": 1, ")": -1}.get(each.group(), 0)
        if depth == 0:
            return found.end() - 1, each.end()
    return 0, 0


def _without_parameters(text: str) -> str:
    """The text with blanks in the place of PowerShell's parameters, and of what stands before those of a script."""
    begin, end = _parameters(text)
    if "$" not in text[begin:end]:
        return text
    begin = text.rindex("\n", 0, begin) + 1 if "\n" in text[:begin] else 0
    if _BEFORE_PARAMETERS.fullmatch(text, 0, begin):
        begin = 0
    return text[:begin] + "".join(each if each in "\r\n" else " " for each in text[begin:end]) + text[end:]


def _nodes(root: "tree_sitter.Node") -> "Iterator[tree_sitter.Node]":
    """All nodes in the order of the text, without recursion."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(node.children))


def _word_nodes(command: "tree_sitter.Node") -> "Iterator[tree_sitter.Node]":
    for child in command.children:
        if child.type == "command_name":
            yield from child.children[:1]
        elif child.type in _WORDS:
            yield child


class _Words:
    """Words with their variables put in."""

    def __init__(self, text: Spanned, known: dict[str, Spanned]) -> None:
        self._text = text
        self._known = known
        self._room = MOST_PUT_IN

    def assign(self, nodes: "Sequence[tree_sitter.Node]") -> None:
        """Notes the variables that are set once, outside of a command's own environment."""
        # A node's parent is looked for from the root on, so the children of commands are gone through instead.
        own = {child.id for node in nodes if node.type == "command" for child in node.children}
        assignments = [
            (name, node)
            for node in nodes
            if node.type == "variable_assignment"
            and node.id not in own
            and (name := self._slice(node.children[0]).text)
        ]
        self._known.update(self._of_powershell())
        times = Counter(name for name, _ in assignments)
        for name, node in assignments:
            # Evaluated while what the environment gives still counts: `TAG=${TAG:-latest}`.
            self._known[name] = self._assigned(node) if times[name] == 1 else self._unknown(node)
        for name, value in _powershell_environment(self._text):
            self._known[name] = value

    def assigned_for(self, command: "tree_sitter.Node") -> "Iterator[tuple[str, Spanned]]":
        """The variables that are set for one command alone."""
        for child in command.children:
            if child.type == "variable_assignment":
                yield self._slice(child.children[0]).text, self._assigned(child)

    def values(self, nodes: "Sequence[tree_sitter.Node]") -> "Iterator[tuple[str, Spanned]]":
        """Every variable that the script sets for more than one command; `UNKNOWN` where it gets several values."""
        own = {child.id for node in nodes if node.type == "command" for child in node.children}
        found: dict[str, list[Spanned]] = {}
        for node in nodes:
            if node.type == "variable_assignment" and node.id not in own:
                found.setdefault(self._slice(node.children[0]).text, []).append(self._assigned(node))
        for name, values in found.items():
            is_one = len({value.text for value in values}) == 1
            yield name, values[0] if is_one else Spanned(UNKNOWN, (~self._text.place(0),))

    def handed_on(self, nodes: "Sequence[tree_sitter.Node]") -> "Iterator[str]":
        """The names of the variables that are exported; `ALL` for every one."""
        for node in nodes:
            if node.type == "declaration_command" and self._slice(node.children[0]).text == "export":
                for child in node.children[1:]:
                    inner = child.children[0] if child.type == "variable_assignment" else child
                    yield self._slice(inner).text
            elif node.type == "command" and self._slice(node).text.split() in _EXPORTS_ALL:
                yield ALL

    def _assigned(self, node: "tree_sitter.Node") -> Spanned:
        if node.children[1].type != "=":
            return self._unknown(node)
        return self.of(node.children[2]) if len(node.children) > 2 else Spanned("", ())

    def _of_powershell(self) -> Iterator[tuple[str, Spanned]]:
        """`$name = "text"`, where nothing else sets it, and the default of a parameter."""
        text = self._text.text
        times = Counter(found["name"] for found in _POWERSHELL_SET.finditer(text)) if "$" in text else {}
        begin, end = _parameters(text) if times else (0, 0)
        defaults = _POWERSHELL_DEFAULT.finditer(text, begin, end)
        for found in (*defaults, *_POWERSHELL_TEXT.finditer(text)) if times else ():
            if times.get(found["name"]) == 1:
                yield found["name"], self._text.part(*found.span("value"))

    def of(self, node: "tree_sitter.Node", depth: int = 0) -> Spanned:
        if depth > DEEPEST_WORD:
            return self._unknown(node)
        match node.type:
            case "word" | "number" | "variable_name":
                return self._unescaped(self._slice(node))
            case "raw_string":
                return self._text.part(node.start_byte + 1, node.end_byte - 1)
            case "concatenation":
                return joined([self.of(child, depth + 1) for child in node.children])
            case "string":
                return self._string(node, depth)
            case "simple_expansion" | "expansion":
                return self._expansion(node, depth)
        return self._unknown(node)

    def _string(self, node: "tree_sitter.Node", depth: int) -> Spanned:
        parts: list[Spanned] = []
        done = node.start_byte + 1
        end = node.end_byte - 1
        for child in node.children:
            if child.type in ('"', "string_content"):
                continue
            parts.append(self._unescaped(self._text.part(done, child.start_byte), quoted=True))
            parts.append(self.of(child, depth + 1))
            done = child.end_byte
        parts.append(self._unescaped(self._text.part(done, max(done, end)), quoted=True))
        return joined(parts)

    def _expansion(self, node: "tree_sitter.Node", depth: int) -> Spanned:
        """`$NAME`, `${NAME}` and `${NAME:-default}`."""
        inner = [child for child in node.children if child.type not in ("$", "${", "}")]
        if not inner or inner[0].type != "variable_name" or node.has_error:
            return self._unknown(node)
        known = self._known.get(_NAME_OF_POWERSHELL.sub("", self._slice(inner[0]).text))
        self._room -= len(known) if known is not None else 0
        if self._room < 0:
            return self._unknown(node)
        if len(inner) == 1:
            return self._unknown(node) if known is None else known
        if inner[1].type in (":-", "-"):
            return joined([self.of(child, depth + 1) for child in inner[2:]]) if known is None else known
        return self._unknown(node)

    def _slice(self, node: "tree_sitter.Node") -> Spanned:
        return self._text.part(node.start_byte, node.end_byte)

    def _unknown(self, node: "tree_sitter.Node") -> Spanned:
        near = self._text.place(node.start_byte) if node.start_byte < len(self._text) else 0
        is_folder = _OWN_FOLDER.search(self._slice(node).text) is not None
        return Spanned(SCRIPT_FOLDER if is_folder else UNKNOWN, (~near,))

    def _unescaped(self, written: Spanned, *, quoted: bool = False) -> Spanned:
        """Without the backslashes (or PowerShell's backticks before a quote) that only protect what follows."""
        if "\\" not in written.text:
            return written
        parts: list[Spanned] = []
        at = 0
        text = written.text
        while (found := text.find("\\", at)) >= 0 and found + 1 < len(text):
            drops = not quoted or text[found + 1] in _ESCAPED_IN_QUOTES
            parts.append(written.part(at, found))
            # A path of Windows has backslashes that mean themselves; no bash script escapes letters or digits.
            keeps = not drops or (not quoted and text[found + 1].isalnum())
            parts.append(written.part(found if keeps else found + 1, found + 2))
            at = found + 2
        return joined([*parts, written.part(at, len(written))])
