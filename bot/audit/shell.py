"""Shell text of a step → its commands, each with what becomes of its failure.

A command that fails is of use as a gate only where its failure ends the step. Source: bash's manual on `set -e` and
`pipefail`, and GitHub's table of the options that `shell` stands for (no `pipefail` unless it is named).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from bot.formats.shell.commands import UNKNOWN, commands, tree
from bot.formats.source.expressions import EXPRESSION
from bot.formats.source.spanned import Spanned

_WORTH_READING = re.compile(
    r"\b(?:docker|podman|buildah|nerdctl|buildx|trivy|grype|scout|cosign|notation|syft|oras|skopeo|crane|regctl|kubectl"
    r"|helm|helmfile|az|gh|dotnet|msbuild|argocd|flyctl|gcloud|kustomize|ko|pack|executor|slsa-verifier|make|nuke|aspire)\b"
    r"|\.(?:sh|ps1|cmd)\b"
)
_NAME = re.compile(r"[A-Za-z_]\w*")
_TOKEN = re.compile(r"GHEXPR(\d+)E")
_BRANCHES = frozenset({"if_statement", "elif_clause"})
_ENDING = re.compile(r"^(?:exit|return)$|^false$")


@dataclass(frozen=True, slots=True)
class ShellCommand:
    """`words` hold expressions of the workflow as they were written, and `UNKNOWN` for what only a shell knows.

    `stops` says whether a failure ends the step: None where that depends on what only a shell knows. `at` is the
    offset of the command in the script.
    """

    words: tuple[str, ...]
    stops: bool | None
    at: int

    @property
    def name(self) -> str:
        return self.words[0].replace("\\", "/").rpartition("/")[2].removesuffix(".exe")

    def option(self, *names: str) -> str | None:
        """The value of the last option with one of these names, `--name value` or `--name=value`."""
        found: str | None = None
        for number, word in enumerate(self.words):
            name, equals, value = word.partition("=")
            if name in names:
                found = value if equals else self.words[number + 1] if number + 1 < len(self.words) else ""
        return found

    def has(self, *names: str) -> bool:
        return any(word.partition("=")[0] in names for word in self.words)


def shell_commands(script: str, known: Mapping[str, str], *, pipefail: bool) -> list[ShellCommand]:
    """Reads all commands of a step's script; `known` are environment variables that are written out.

    Never raises.
    """
    if not _WORTH_READING.search(script):
        return []
    named = set(_NAME.findall(script))
    return list(_read(script, tuple(sorted((name, known[name]) for name in known.keys() & named)), pipefail))


@lru_cache(maxsize=512)
def _read(script: str, variables_known: tuple[tuple[str, str], ...], pipefail: bool) -> tuple[ShellCommand, ...]:
    """The same for what a script depends on: steps of a matrix or of an action called often are read once."""
    known = dict(variables_known)
    expressions: list[str] = []
    spaces: list[int] = []

    def token(found: re.Match[str]) -> str:
        expressions.append(found.group())
        spaces.append(found.start())
        return f"GHEXPR{len(expressions) - 1}E"

    text = EXPRESSION.sub(token, script)
    variables = {name: Spanned(value, (-1,) * len(value)) for name, value in known.items() if "${{" not in value}
    kept = {name: value for name, value in known.items() if "${{" in value}
    for name, value in kept.items():
        expressions.append(value)
        spaces.append(0)
        written = f"GHEXPR{len(expressions) - 1}E"
        variables[name] = Spanned(written, (-1,) * len(written))

    def restored(word: str) -> str:
        return _TOKEN.sub(
            lambda found: expressions[int(found[1])] if int(found[1]) < len(expressions) else "", word
        )

    fates = _Fates(text, pipefail)
    found = []
    for command in commands(Spanned(text, range(len(text))), variables):
        words = tuple(restored(word.text) for word in command.words)
        if words and words[0]:
            line = text.count("\n", 0, command.start)
            found.append(ShellCommand(words, fates.of(command.start), line))
    return tuple(found)


class _Fates:
    """What becomes of each command's failure, by the offset of the command."""

    def __init__(self, text: str, pipefail: bool) -> None:
        self._by_start: dict[int, bool | None] = {}
        root = tree(text)
        if root is None:
            return
        changes = list(_switches(root))
        self._has_errors = root.has_error
        for node in _commands(root):
            self._by_start.setdefault(node.start_byte, self._fate(node, text, pipefail, changes))

    def of(self, start: int) -> bool | None:
        return self._by_start.get(start)

    def _fate(self, node: Any, text: str, pipefail: bool, changes: list[tuple[int, str]]) -> bool | None:
        ends, pipes = True, pipefail
        for at, switch in changes:
            if at < node.start_byte:
                ends = {"+e": False, "-e": True}.get(switch, ends)
                pipes = {"+pipefail": False, "-pipefail": True}.get(switch, pipes)
        result = self._through_parents(node, pipes)
        if result is True and not ends:
            following = text[node.end_byte :]
            return None if re.search(r"\$\?|PIPESTATUS", following) else False
        return result

    def _through_parents(self, node: Any, pipefail: bool) -> bool | None:
        child, parent = node, node.parent
        while parent is not None:
            decides, ends = _decided_by(parent, child, pipefail)
            if decides:
                return ends
            if child.next_sibling is not None and child.next_sibling.type == "&":
                return False
            child, parent = parent, parent.parent
        return True


def _decided_by(parent: Any, child: Any, pipefail: bool) -> tuple[bool, bool | None]:
    """Whether what is around a failing command decides what comes of it, and then whether the script ends."""
    match parent.type:
        case "list":
            return _decided_by_list(parent, child)
        case "pipeline":
            return child.id != parent.children[-1].id and not pipefail, False
        case "negated_command":
            holder = parent.parent
            if holder is None or holder.type not in _BRANCHES or not _is_condition(parent, holder):
                return True, False
            return True, _ends(_between(holder, "then"))
        case "if_statement" | "while_statement" | "elif_clause":
            is_condition = _is_condition(child, parent)
            return is_condition, (_ends(_otherwise(parent)) or None) if is_condition else None
        case "command_substitution" | "process_substitution":
            holder = parent.parent
            is_assigned = holder is not None and holder.type == "variable_assignment"
            return not is_assigned, None if holder is not None and holder.type == "string" else False
        case "function_definition":
            return True, None
    return False, None


def _decided_by_list(parent: Any, child: Any) -> tuple[bool, bool | None]:
    """The same for `child` in `… && …` or `… || …`."""
    left, sign, right = parent.children[0], parent.children[1].type, parent.children[-1]
    if sign == "||" and child.id == left.id:
        return True, _ends_anyway(right)
    return sign == "&&" and child.id == left.id and not _is_last(parent), False


def _commands(root: Any) -> Iterator[Any]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.type == "command":
            yield node
        waiting.extend(reversed(node.children))


def _switches(root: Any) -> Iterator[tuple[int, str]]:
    """`set -e`, `set +e`, `set -o pipefail` and the like with their offsets."""
    for node in _commands(root):
        words = [child.text.decode("ascii", "replace") for child in node.children]
        if words[:1] != ["set"]:
            continue
        for number, word in enumerate(words[1:], start=1):
            sign = word[:1]
            if sign not in {"-", "+"}:
                continue
            if "e" in word[1:]:
                yield node.start_byte, f"{sign}e"
            if "o" in word[1:] and words[number + 1 : number + 2] == ["pipefail"]:
                yield node.start_byte, f"{sign}pipefail"


def _ends_anyway(right: Any) -> bool | None:
    """Whether what runs in the place of a failure ends the step all the same."""
    last = None
    for command in _commands(right):
        last = command
    if last is None:
        return None
    name = last.children[0].text.decode("ascii", "replace") if last.children else ""
    if _ENDING.match(name):
        words = [child.text.decode("ascii", "replace") for child in last.children]
        return words[1:2] != ["0"]
    return False


def _between(branch: Any, word: str) -> list[Any]:
    """The statements of a branch from `then` to what follows."""
    found: list[Any] = []
    has_begun = False
    for each in branch.children:
        if each.type in {"elif_clause", "else_clause", "fi"}:
            break
        if has_begun:
            found.append(each)
        has_begun = has_begun or each.type == word
    return found


def _otherwise(branch: Any) -> list[Any]:
    """The statements of an `else` that follows a condition at once."""
    after = [each for each in branch.children if each.type in {"elif_clause", "else_clause"}]
    return list(after[0].children) if after and after[0].type == "else_clause" else []


def _ends(statements: list[Any]) -> bool | None:
    """Whether one of them ends the step as failed, whatever the others do; None where only a shell knows."""
    is_open = False
    for statement in statements:
        for command in _commands(statement):
            words = [child.text.decode("ascii", "replace") for child in command.children]
            if words[0] not in {"exit", "return"} or words[1:2] == ["0"]:
                continue
            if command.id == statement.id and words[1:2] and words[1].isdecimal():
                return True
            is_open = True
    return None if is_open else False


def _is_last(node: Any) -> bool:
    return node.next_named_sibling is None and (node.parent is None or node.parent.type == "program")


def _is_condition(child: Any, parent: Any) -> bool:
    """Whether the child stands between `if` or `while` and `then` or `do`."""
    for each in parent.children:
        if each.type in {"then", "do_group", "do"}:
            return False
        if each.id == child.id:
            return True
    return False


def is_unknown(text: str) -> bool:
    """Whether a word holds what only a running workflow or shell knows."""
    return UNKNOWN in text or "${{" in text
