"""Shell text → its commands, each word with the places of its characters.

tree-sitter's grammar for bash reads it. It also makes sense of the plain command lines of PowerShell, once their
line continuations are those of bash. Nothing is run: a variable counts where it is set once, to a text that is
written out; everything else that only a shell could tell becomes `UNKNOWN`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from bot.files.formats.shell import powershell, syntax
from bot.files.formats.source.spanned import Spanned, joined

if TYPE_CHECKING:
    import tree_sitter

UNKNOWN = "\N{REPLACEMENT CHARACTER}"
"""Stands in a word for what only a running shell knows."""
SEVERAL = f"{UNKNOWN} "
"""Stands, as a word, for any number of words that only a running shell knows: `$OPTIONS` without quotes."""
SCRIPT_FOLDER = "\N{SYMBOL FOR START OF HEADING}"
"""Stands for the folder of the script itself: `$(dirname "$0")`, `$PSScriptRoot`."""
MOST_PUT_IN = 1024 * 1024
"""Characters that variables may add to one script: a few lines that double one another would fill memory."""
MOST_COMMANDS = 5_000
DEEPEST_WORD = 8
_BEFORE_COMMAND = frozenset(
    {"do", "then", "else", "sudo", "exec", "time", "command", "env", "&", "call"}
    | {"nohup", "nice", "ionice", "setsid", "stdbuf", "timeout", "xargs"}
)
_VALUED = {
    "sudo": frozenset({"-u", "-g", "-h", "-p", "-C", "-T", "-R", "-D", "-r", "-t", "--user", "--group", "--chdir"}),
    "env": frozenset({"-u", "--unset", "-C", "--chdir", "-S", "--split-string"}),
    "time": frozenset({"-o", "-f", "--output", "--format"}),
    "exec": frozenset({"-a"}),
    "nice": frozenset({"-n"}),
    "ionice": frozenset({"-c", "-n"}),
    "stdbuf": frozenset({"-i", "-o", "-e"}),
    "timeout": frozenset({"-k", "-s"}),
    "xargs": frozenset({"-I", "-n", "-P", "-L", "-d", "-a", "-E", "-s"}),
}
"""The options of what runs another command that take the next word."""
_SETS_VARIABLE = re.compile(r"[A-Za-z_]\w*=")
_RUNS_GIVEN = re.compile(r"\"?\$(?:@|\*|\{@\}|\{\*\})\"?(?=\s|$)")
_COUNTS = re.compile(r"-{0,2}[\d.]+[smhd]?")
"""How often and how long something is tried, which stands before the command."""
_LIST = re.compile(r"\"\$(?:@|\{@\}|\{\w+\[@\]\})\"")
"""What stands for several words in quotes too."""
_SPLIT = frozenset({"simple_expansion", "expansion", "command_substitution"})
_WORD = re.compile(r"\S+")
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
_EXPORTS_ALL = (["set", "-a"], ["set", "-o", "allexport"])
ALL = "*"
"""Stands for every variable of a script, after `set -a`."""


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


def commands(text: Spanned, environment: Mapping[str, Spanned] | None = None) -> list[Command]:
    """Finds the commands of a script in its order; `environment` has the variables it starts with. Never raises."""
    if not syntax.is_readable(text.text):
        return []
    nodes = syntax.nodes(powershell.without_parameters(text.text))
    words = _Words(text, dict(environment or {}))
    words.assign(nodes)
    running = frozenset(words.running(nodes))
    commands_in_order: list[Command] = []
    for node in nodes:
        if node.type == "command" and len(commands_in_order) < MOST_COMMANDS:
            command_words = [word for child in _word_nodes(node) for word in words.split(child)]
            command_words = _without_runner(command_words, running)
            if command_words:
                commands_in_order.append(
                    Command(tuple(command_words), node.start_byte, tuple(words.assigned_for(node)))
                )
    return commands_in_order


def exported(text: Spanned, environment: Mapping[str, Spanned] | None = None) -> dict[str, Spanned]:
    """The variables that a script sets and hands on to the programs that it runs; `environment` holds those that it
    begins with, which it hands on as well where it sets them anew. Never raises.

    `UNKNOWN` stands for what only a running shell knows, and for a variable that gets several values.
    """
    if not syntax.is_readable(text.text):
        return {}
    nodes = syntax.nodes(powershell.without_parameters(text.text))
    words = _Words(text, dict(environment or {}))
    words.assign(nodes)
    handed = {*(environment or {}), *words.handed_on(nodes)}
    own = {name: value for name, value in words.values(nodes) if name in handed or ALL in handed}
    return own | dict(_powershell_environment(text))


def _powershell_environment(text: Spanned) -> Iterator[tuple[str, Spanned]]:
    """What `$env:NAME = …` sets, with `UNKNOWN` where it is no text that is written out, or set several times."""
    for name, span, offset in powershell.environment(text.text):
        yield name, Spanned(UNKNOWN, (~text.place(offset),)) if span is None else text.part(*span)


def _without_runner(words: list[Spanned], running: frozenset[str]) -> list[Spanned]:
    """The words from the command on that `sudo -E`, `env TAG=1`, `time` or a shell's own word before it runs, or a
    function of the script that runs what it is given: `retry 5 docker push api`."""
    while words and (words[0].text in _BEFORE_COMMAND or words[0].text in running):
        if words[0].text in running:
            words = words[1:]
            while words and _COUNTS.fullmatch(words[0].text):
                words = words[1:]
            continue
        runner = words[0].text
        valued = _VALUED.get(runner, frozenset[str]())
        is_environment = runner in {"env", "sudo"}
        words = words[1:]
        while words and (words[0].text[:1] == "-" or (is_environment and _SETS_VARIABLE.match(words[0].text))):
            takes_next = words[0].text in valued
            words = words[1 + takes_next :]
        if runner == "timeout" and words and _COUNTS.fullmatch(words[0].text):
            words = words[1:]
        elif runner == "xargs" and words and not any("{}" in word.text for word in words):
            words = [*words, Spanned(UNKNOWN, (-1,))]
    return words


def _word_nodes(command: "tree_sitter.Node") -> "Iterator[tree_sitter.Node]":
    for child in command.children:
        if child.type == "command_name":
            yield from child.children[:1]
        elif child.type in _WORDS:
            yield child


class _Words:
    """Words with their variables put in."""

    def __init__(self, text: Spanned, variables: dict[str, Spanned]) -> None:
        self._text = text
        self._variables = variables
        self._room = MOST_PUT_IN
        self._of_powershell: set[str] = set()

    def assign(self, nodes: "Sequence[tree_sitter.Node]") -> None:
        """Notes the variables that are set once, outside of a command's own environment."""
        assignments = list(self._assignments(nodes))
        for name, span in powershell.texts(self._text.text):
            self._variables[name] = self._text.part(*span)
            self._of_powershell.add(name)
        times = Counter(name for name, _ in assignments)
        for name, node in assignments:
            # Evaluated while what the environment gives still counts: `TAG=${TAG:-latest}`.
            self._variables[name] = self._assigned_value(node) if times[name] == 1 else self._unknown(node)
        for name, value in _powershell_environment(self._text):
            self._variables[name] = value

    def assigned_for(self, command: "tree_sitter.Node") -> "Iterator[tuple[str, Spanned]]":
        """The variables that are set for one command alone."""
        for child in command.children:
            if child.type == "variable_assignment":
                yield self._slice(child.children[0]).text, self._assigned_value(child)

    def values(self, nodes: "Sequence[tree_sitter.Node]") -> "Iterator[tuple[str, Spanned]]":
        """Every variable that the script sets for more than one command; `UNKNOWN` where it gets several values."""
        values_by_name: dict[str, list[Spanned]] = {}
        for name, node in self._assignments(nodes):
            values_by_name.setdefault(name, []).append(self._assigned_value(node))
        for name, values in values_by_name.items():
            is_one = len({value.text for value in values}) == 1
            yield name, values[0] if is_one else Spanned(UNKNOWN, (~self._text.place(0),))

    def _assignments(self, nodes: "Sequence[tree_sitter.Node]") -> "Iterator[tuple[str, tree_sitter.Node]]":
        """Those outside of a command's own environment, each with the variable's name."""
        # A node's parent is looked for from the root on, so the children of commands are gone through instead.
        own = {child.id for node in nodes if node.type == "command" for child in node.children}
        for node in nodes:
            is_shared = node.type == "variable_assignment" and node.id not in own
            if is_shared and (name := self._slice(node.children[0]).text):
                yield name, node

    def handed_on(self, nodes: "Sequence[tree_sitter.Node]") -> "Iterator[str]":
        """The names of the variables that are exported; `ALL` for every one."""
        for node in nodes:
            if node.type == "declaration_command" and self._slice(node.children[0]).text == "export":
                for child in node.children[1:]:
                    inner = child.children[0] if child.type == "variable_assignment" else child
                    yield self._slice(inner).text
            elif node.type == "command" and self._slice(node).text.split() in _EXPORTS_ALL:
                yield ALL

    def running(self, nodes: "Sequence[tree_sitter.Node]") -> "Iterator[str]":
        """The names of the functions in which a command is what the function is given: `"$@"`."""
        functions = [node for node in nodes if node.type == "function_definition"]
        for node in nodes if functions else ():
            if node.type == "command" and _RUNS_GIVEN.match(self._slice(node).text):
                around = [each for each in functions if each.start_byte < node.start_byte < each.end_byte]
                names = (child for each in around[-1:] for child in each.children if child.type == "word")
                yield from (self._slice(name).text for name in names)

    def split(self, node: "tree_sitter.Node") -> list[Spanned]:
        """The words that bash makes of one that is written: a variable without quotes may be none or several."""
        word, written = self.of(node), self._slice(node).text
        if node.type not in _SPLIT and not _LIST.fullmatch(written):
            return [word]
        if word.text == UNKNOWN:
            return [Spanned(SEVERAL, (*word.places, *word.places))]
        name = written.strip("${}")
        is_of_powershell = name in self._of_powershell or powershell.bare_name(name) != name
        if is_of_powershell or not is_literal(word):
            return [word]
        return [word.part(*match.span()) for match in _WORD.finditer(word.text)]

    def _assigned_value(self, node: "tree_sitter.Node") -> Spanned:
        if node.children[1].type != "=":
            return self._unknown(node)
        return self.of(node.children[2]) if len(node.children) > 2 else Spanned("", ())

    def of(self, node: "tree_sitter.Node", depth: int = 0) -> Spanned:
        if depth > DEEPEST_WORD:
            return self._unknown(node)
        match node.type:
            case "word" | "number" | "variable_name":
                return self._unescape_word(self._slice(node))
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
            parts.append(self._unescape_word(self._text.part(done, child.start_byte), quoted=True))
            parts.append(self.of(child, depth + 1))
            done = child.end_byte
        parts.append(self._unescape_word(self._text.part(done, max(done, end)), quoted=True))
        return joined(parts)

    def _expansion(self, node: "tree_sitter.Node", depth: int) -> Spanned:
        """`$NAME`, `${NAME}` and `${NAME:-default}`."""
        inner = [child for child in node.children if child.type not in ("$", "${", "}")]
        if not inner or inner[0].type != "variable_name" or node.has_error:
            return self._unknown(node)
        value = self._variables.get(powershell.bare_name(self._slice(inner[0]).text))
        self._room -= len(value) if value is not None else 0
        if self._room < 0:
            return self._unknown(node)
        if len(inner) == 1:
            return self._unknown(node) if value is None else value
        if inner[1].type in (":-", "-"):
            return joined([self.of(child, depth + 1) for child in inner[2:]]) if value is None else value
        return self._unknown(node)

    def _slice(self, node: "tree_sitter.Node") -> Spanned:
        return self._text.part(node.start_byte, node.end_byte)

    def _unknown(self, node: "tree_sitter.Node") -> Spanned:
        near = self._text.place(node.start_byte) if node.start_byte < len(self._text) else 0
        is_folder = _OWN_FOLDER.search(self._slice(node).text) is not None
        return Spanned(SCRIPT_FOLDER if is_folder else UNKNOWN, (~near,))

    def _unescape_word(self, word: Spanned, *, quoted: bool = False) -> Spanned:
        """Without the backslashes (or PowerShell's backticks before a quote) that only protect what follows."""
        if "\\" not in word.text:
            return word
        parts: list[Spanned] = []
        position = 0
        text = word.text
        while (backslash := text.find("\\", position)) >= 0 and backslash + 1 < len(text):
            drops = not quoted or text[backslash + 1] in _ESCAPED_IN_QUOTES
            parts.append(word.part(position, backslash))
            # A path of Windows has backslashes that mean themselves; no bash script escapes letters or digits.
            keeps = not drops or (not quoted and text[backslash + 1].isalnum())
            parts.append(word.part(backslash if keeps else backslash + 1, backslash + 2))
            position = backslash + 2
        return joined([*parts, word.part(position, len(word))])
