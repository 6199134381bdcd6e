"""Shell text of a step → its commands, each with what becomes of its failure.

A command that fails is of use as a gate only where its failure ends the step. Source: the manuals of bash (`set -e`
and `pipefail`) and PowerShell (`$LASTEXITCODE`), and GitHub's table of the options that `shell` stands for (no
`pipefail` unless it is named).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import pairwise
from typing import Any

from bot.files.audit.branches import ALWAYS, BraceBranches, Branches, ScriptBranch
from bot.files.formats.shell.commands import UNKNOWN, commands
from bot.files.formats.shell.syntax import tree
from bot.files.formats.source.expressions import EXPRESSION
from bot.files.formats.source.spanned import Spanned

_WORTH_READING = re.compile(
    r"\b(?:docker|podman|buildah|nerdctl|buildx|trivy|grype|scout|cosign|notation|syft|oras|skopeo|crane|regctl|kubectl"
    r"|helm|helmfile|flux|timoni|aws|az|gh|dotnet|msbuild|argocd|fly|flyctl|gcloud|kustomize|ko|pack|executor|slsa-verifier|freshness-bot|make|nuke|aspire|azd"
    r"|rx|kamal|bundle|faas-cli|skaffold|earthly|just|task|fly|tye|dagger|heroku|oc|s2i|werf|tilt|okteto|devspace|copilot|npm|yarn|pnpm"
    r"|wizcli|wiz-cli|snyk|lacework|jf|jfrog|mend|orca-cli|twistcli|anchore-cli|anchorectl|osv-scanner"
    r"|sysdig-cli-scanner|lw-scanner|clair-scanner|clairctl|scannercli|qscanner)\b"
    r"|\.(?:sh|ps1|cmd|bat|py|[mc]?js|ts|rb|csx|fsx)\b"
)
_IS_SCRIPT = re.compile(r"\.(?:sh|ps1|py)$")
_NAME = re.compile(r"[A-Za-z_]\w*")
_TOKEN = re.compile(r"GHEXPR(\d+)E")
_LOOKS_AT_CODE = re.compile(r"\$\?|PIPESTATUS|LASTEXITCODE|errorlevel", re.IGNORECASE)
_STOPS_POWERSHELL = re.compile(r"\$PSNativeCommandUseErrorActionPreference\s*=\s*\$true", re.IGNORECASE)
_ONLY_COMMENTS = re.compile(r"\s*+(?:#[^\n]*+\s*+)*+")
_COMMENT = re.compile(r"^[ \t]*#[^\n]*", re.MULTILINE)
_CONTINUED = re.compile(r"[`\\][ \t]*\r?\n[ \t]*")
_BRANCHES = frozenset({"if_statement", "elif_clause"})
_ENDING = re.compile(r"^(?:exit|return)$|^false$")


def without_comments(script: str) -> str:
    """The text of a script without the lines that are comments."""
    return _COMMENT.sub("", script)


def joined_lines(script: str) -> str:
    """The text of a script, of bash or PowerShell, with each command that goes on in the next line in one."""
    return _CONTINUED.sub(" ", script)


class Stops(Enum):
    """Which failures end a script."""

    FIRST = "the first command that fails (`set -e`)"
    FIRST_OF_PIPE = "the first one, also within a pipe (`set -eo pipefail`)"
    LAST = "that of the last command only: PowerShell, cmd, and bash without `-e`"


@dataclass(frozen=True, slots=True)
class ShellCommand:
    """`words` hold expressions of the workflow as they were written, and `UNKNOWN` for what only a shell knows.

    `stops` says whether a failure ends the step: None where that depends on what only a shell knows. `at` is the
    offset of the command in the script.
    """

    words: tuple[str, ...]
    stops: bool | None
    at: int
    branch: ScriptBranch = ALWAYS
    """What it hangs on within the script, whether it is run."""

    @property
    def name(self) -> str:
        return self.words[0].replace("\\", "/").rpartition("/")[2].removesuffix(".exe")

    def option(self, *names: str) -> str | None:
        """The value of the last option with one of these names, `--name value` or `--name=value`."""
        last_value: str | None = None
        for number, word in enumerate(self.words):
            name, equals, value = word.partition("=")
            if name in names:
                last_value = value if equals else self.words[number + 1] if number + 1 < len(self.words) else ""
        return last_value

    def has(self, *names: str) -> bool:
        return any(word.partition("=")[0] in names for word in self.words)


def shell_commands(script: str, environment: Mapping[str, str], stops: Stops = Stops.FIRST) -> list[ShellCommand]:
    """Reads all commands of a step's script; `environment` holds the environment variables that are written out.

    Never raises.
    """
    if not _WORTH_READING.search(script):
        return []
    names = set(_NAME.findall(script))
    return list(
        _read(script, tuple(sorted((name, environment[name]) for name in environment.keys() & names)), stops)
    )


@lru_cache(maxsize=512)
def _read(script: str, variables_known: tuple[tuple[str, str], ...], stops: Stops) -> tuple[ShellCommand, ...]:
    """The same for what a script depends on: steps of a matrix or of an action called often are read once."""
    environment = dict(variables_known)
    expressions: list[str] = []
    spaces: list[int] = []

    def token(match: re.Match[str]) -> str:
        expressions.append(match.group())
        spaces.append(match.start())
        return f"GHEXPR{len(expressions) - 1}E"

    text = EXPRESSION.sub(token, script)
    variables = {
        name: Spanned(value, (-1,) * len(value)) for name, value in environment.items() if "${{" not in value
    }
    open_values = {name: value for name, value in environment.items() if "${{" in value}
    for name, value in open_values.items():
        expressions.append(value)
        spaces.append(0)
        token_text = f"GHEXPR{len(expressions) - 1}E"
        variables[name] = Spanned(token_text, (-1,) * len(token_text))

    def restored(word: str) -> str:
        return _TOKEN.sub(
            lambda match: expressions[int(match[1])] if int(match[1]) < len(expressions) else "", word
        )

    fates = _Fates(text, stops, {name: value for name, value in environment.items() if "${{" not in value})
    command_list = []
    for command in commands(Spanned(text, range(len(text))), variables):
        words = _given_to_script(tuple(restored(word.text) for word in command.words))
        if words and words[0]:
            line = text.count("\n", 0, command.start)
            command_list.append(ShellCommand(words, fates.of(command.start), line, fates.branch_of(command.start)))
    return tuple(command_list)


def _given_to_script(words: tuple[str, ...]) -> tuple[str, ...]:
    """The command that a script is given behind `--` to run, as `retry.sh -n 3 -- docker push api` is; else all."""
    behind = words[words.index("--") + 1 :] if "--" in words and _IS_SCRIPT.search(words[0]) else ()
    return behind if behind and _WORTH_READING.search(behind[0]) else words


class _Fates:
    """What becomes of each command's failure, by the offset of the command.

    Parents and siblings are noted in one walk: tree-sitter looks for each from the root on.
    """

    def __init__(self, text: str, stops: Stops, known: Mapping[str, str]) -> None:
        self._by_start: dict[int, bool | None] = {}
        self._branches: dict[int, ScriptBranch] = {}
        self._parents: dict[int, Any] = {}
        self._in_background: set[int] = set()
        self._last: set[int] = set()
        root = tree(text)
        if root is None:
            return
        self._text = text
        self._looks_until = max((match.start() for match in _LOOKS_AT_CODE.finditer(text)), default=-1)
        powershell = _STOPS_POWERSHELL.search(text) if stops is Stops.LAST else None
        ends, pipes = stops is not Stops.LAST, stops is Stops.FIRST_OF_PIPE
        walked = self._walk(root)
        branches = Branches(text, self._parents, known)
        in_braces = BraceBranches(text) if stops is Stops.LAST else None
        for node in walked:
            self._branches.setdefault(
                node.start_byte,
                in_braces.at(node.start_byte) if in_braces is not None else branches.of(node),
            )
            is_on = ends or (powershell is not None and powershell.start() < node.start_byte)
            self._by_start.setdefault(node.start_byte, self._fate(node, ends=is_on, pipes=pipes))
            for switch in _switches(node):
                ends = {"+e": False, "-e": True}.get(switch, ends)
                pipes = {"+pipefail": False, "-pipefail": True}.get(switch, pipes)

    def of(self, start: int) -> bool | None:
        return self._by_start.get(start)

    def branch_of(self, start: int) -> ScriptBranch:
        return self._branches.get(start, ALWAYS)

    def _walk(self, root: Any) -> list[Any]:
        """The commands in the order of the text."""
        command_nodes, waiting = [], [root]
        while waiting:
            node = waiting.pop()
            if node.type == "command":
                command_nodes.append(node)
            children = node.children
            self._parents |= dict.fromkeys((child.id for child in children), node)
            self._in_background.update(one.id for one, other in pairwise(children) if other.type == "&")
            named_children = [child for child in children if child.is_named and child.type != "comment"]
            if named_children and node.type == "program":
                self._last.add(named_children[-1].id)
            if node.type == "list" and node.id in self._last and children[1].type == "&&":
                self._last.add(children[0].id)  # what fails there is what the whole comes to
            waiting.extend(reversed(children))
        return command_nodes

    def _fate(self, node: Any, *, ends: bool, pipes: bool) -> bool | None:
        result = self._through_parents(node, pipes)
        if result is True and not ends:
            if _ONLY_COMMENTS.fullmatch(self._text, node.end_byte):
                return True  # what the last command makes of itself is what the script does
            return None if self._looks_until >= node.end_byte else False
        return result

    def _through_parents(self, node: Any, pipefail: bool) -> bool | None:
        child, parent = node, self._parents.get(node.id)
        while parent is not None:
            holder = self._parents.get(parent.id)
            if parent.type == "list":
                decides, ends = _decided_by_list(parent, child, is_last=parent.id in self._last)
            else:
                decides, ends = _decided_by(parent, child, holder, pipefail)
            if decides:
                return ends
            if child.id in self._in_background:
                return False
            child, parent = parent, holder
        return True


def _decided_by(parent: Any, child: Any, holder: Any, pipefail: bool) -> tuple[bool, bool | None]:
    """Whether what is around a failing command decides what comes of it, and then whether the script ends."""
    match parent.type:
        case "pipeline":
            return child.id != parent.children[-1].id and not pipefail, False
        case "negated_command":
            if holder is None or holder.type not in _BRANCHES or not _is_condition(parent, holder):
                return True, False
            return True, _ends(_statements_between(holder, "then"))
        case "if_statement" | "while_statement" | "elif_clause":
            is_condition = _is_condition(child, parent)
            return is_condition, (_ends(_otherwise(parent)) or None) if is_condition else None
        case "command_substitution" | "process_substitution":
            is_assigned = holder is not None and holder.type == "variable_assignment"
            return not is_assigned, None if holder is not None and holder.type == "string" else False
        case "function_definition":
            return True, None
    return False, None


def _decided_by_list(parent: Any, child: Any, *, is_last: bool) -> tuple[bool, bool | None]:
    """The same for `child` in `… && …` or `… || …`; `is_last` where nothing follows in the script."""
    left, sign, right = parent.children[0], parent.children[1].type, parent.children[-1]
    if sign == "||" and child.id == left.id:
        return True, _ends_anyway(right)
    return sign == "&&" and child.id == left.id and not is_last, False


def _commands(root: Any) -> Iterator[Any]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.type == "command":
            yield node
        waiting.extend(reversed(node.children))


def _switches(command: Any) -> Iterator[str]:
    """What `set -e`, `set +e`, `set -o pipefail` and the like switch."""
    words = [child.text.decode("ascii", "replace") for child in command.children]
    if words[:1] != ["set"]:
        return
    for number, word in enumerate(words[1:], start=1):
        sign = word[:1]
        if sign not in {"-", "+"}:
            continue
        if "e" in word[1:]:
            yield f"{sign}e"
        if "o" in word[1:] and words[number + 1 : number + 2] == ["pipefail"]:
            yield f"{sign}pipefail"


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


def _statements_between(branch: Any, word: str) -> list[Any]:
    """The statements of a branch from `then` to what follows."""
    statements: list[Any] = []
    has_begun = False
    for child in branch.children:
        if child.type in {"elif_clause", "else_clause", "fi"}:
            break
        if has_begun:
            statements.append(child)
        has_begun = has_begun or child.type == word
    return statements


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


def _is_condition(child: Any, parent: Any) -> bool:
    """Whether the child stands between `if` or `while` and `then` or `do`."""
    for sibling in parent.children:
        if sibling.type in {"then", "do_group", "do"}:
            return False
        if sibling.id == child.id:
            return True
    return False


def is_unknown(text: str) -> bool:
    """Whether a word holds what only a running workflow or shell knows."""
    return UNKNOWN in text or "${{" in text
