"""No secret is built into an image.

What: no ENV holds one, no instruction uses an ARG of such a name, no command of RUN is told one, and no
NuGet.Config or .npmrc with a password is copied.

Example that fails::

    ARG NUGET_TOKEN
    RUN dotnet nuget add source --password $NUGET_TOKEN …

Fix: `RUN --mount=type=secret,id=nuget,env=NUGET_TOKEN dotnet restore`.

Where the fleet knows the produced image, the names in its environment and history are looked at too.

Exceptions: an ARG that nothing uses, empty values, and a variable that takes what its stage does not know. A feed's
password that a build writes into such a file is unknown, as is a copied file that is called as a private key
(`shop.pfx`), or that a workflow writes a secret into. Values are never shown.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.domain.repositories.finding import FindingSeverity, Fix
from bot.files.audit.images.dockerfile import COPYING, Dockerfile, dockerfiles, pairs
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.secrets.feeds import copied_after_writing, written_by_run
from bot.files.audit.secrets.names import holds_secret, is_connection, is_secret_name, takes_a_password
from bot.files.audit.secrets.private_keys import copied_keys, published_keys
from bot.files.audit.secrets.run_commands import told_in
from bot.files.audit.secrets.written_files import secrets_written_before
from bot.files.audit.suggestions.build_secrets import as_build_secret
from bot.files.audit.verdict import Verdict, fails, holds, unknown
from bot.files.formats.dockerfile.lines import Instruction

_FIX = "use a build secret: RUN --mount=type=secret,…"
_TAKEN_OUT = (
    "whether that layer is published, be it as the image or as a cache; a variable or a mounted file ends it"
)
_TRUSTED = "whether anybody trusts that certificate; one that is mounted where the container runs ends it"
_MAKES_KEY = re.compile(r"\bdev-certs[\"',\s]{1,9}https\b(?![^\n;&|]*--(?:clean|check))|/x509stores/my\b")
_LOOKED_INTO = "what is in it; one that is mounted where the container runs ends it"
_FOUND = f"whether a build finds it, and {_LOOKED_INTO}"
_FIX_OF_VARIABLE = (
    "set it where the container runs; what only the build needs is a build secret: RUN --mount=type=secret,…"
)
_WITH_PASSWORD = re.compile(
    r"""key=["']ClearTextPassword["']\s+value=["'](?!%)[^"'\s]+["']|_authToken\s*=\s*(?!\$\{)\S+""", re.I
)
_RESTORES = re.compile(r"\b(?:dotnet|nuget|npm|yarn|pnpm)\b")
_FLAGS = re.compile(r"^\s*RUN\s+(?:--(?:mount|network|security)=\S+[\s\\]+)*", re.IGNORECASE)
_VARIABLE = re.compile(r"\$(?:(?P<name>\w+)|\{(?P<braced>\w+)\})")
_TAKEN = re.compile(r"(?<!\\)\$(?:(?P<name>\w+)|\{(?P<braced>\w+)(?!\w|:?\+))")
_COPIED = re.compile(r"[^\s\"\[\],]*(?:nuget\.config|\.npmrc)", re.IGNORECASE)


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    for file in dockerfiles(repository):
        secrets = list(_secrets_of_file(repository, file))
        secrets += _find_in_produced(repository, file, {why[1].rpartition(" ")[2] for _, why in secrets})
        for instruction, why in secrets:
            yield fails(file.place(instruction), why[1], why[0], _fix(repository, file, why[1]))
        left_open = [] if secrets else list(_left_open(repository, file))
        for kept_by, subject, doubt in left_open:
            yield unknown(file.place(kept_by), subject, doubt, _TAKEN_OUT)
        keys = [] if secrets else list(_private_keys(repository, file))
        for kept_by, doubt, settled_by in keys:
            yield unknown(file.place(kept_by), kept_by.keyword.upper(), doubt, settled_by)
        if not secrets and not left_open and not keys:
            yield holds(file.place(file.final.instruction), "image", "no secret is built in")


def _left_open(repository: RepositoryTexts, file: Dockerfile) -> Iterator[tuple[Instruction, str, str]]:
    """What may be a secret in a layer: a feed's password in a configuration that a build writes or copies, and what
    a step before the build wrote into a file that is copied."""
    for stage in file.stages:
        for instruction in file.of(stage):
            if written_by_run(instruction, _whole(repository, file, instruction)):
                why = "it writes a build secret into a configuration, which the layer keeps"
                yield instruction, f"stage {stage.label}", why
    for instruction, path in copied_after_writing(repository, file):
        why = f"{path} writes a secret into a configuration before the build, which is copied with it"
        yield instruction, "COPY", why
        return
    for instruction, written, path in secrets_written_before(repository, file):
        yield instruction, "COPY", f"{path} writes a secret into {written[:80]} before the build, which is copied"


def _private_keys(repository: RepositoryTexts, file: Dockerfile) -> Iterator[tuple[Instruction, str, str]]:
    """What puts a private key into the image that is run, or may: a development certificate, and a file that is
    called as such keys are, each with what would settle it."""
    for instruction, key, project in published_keys(repository, file):
        why = f"where a build finds {key[:80]}, {project} publishes it: a private key in it all who pull would have"
        yield instruction, why, _FOUND
    for stage in file.chain(file.final):
        for instruction in file.of(stage):
            if instruction.keyword in {"run", "copy"} and _MAKES_KEY.search(instruction.text):
                why = "it builds in a development certificate, with a private key that all who pull have"
                yield instruction, why, _TRUSTED
            elif instruction.keyword in COPYING and (key := next(copied_keys(instruction), "")):
                yield instruction, f"{key[:80]} may hold a private key, which all who pull would have", _LOOKED_INTO


def _fix(repository: RepositoryTexts, file: Dockerfile, subject: str) -> Fix:
    kind, _, name = subject.partition(" ")
    if kind == "ENV":
        return Fix(_FIX_OF_VARIABLE)
    return as_build_secret(repository, file, name, _FIX) if kind == "ARG" else Fix(_FIX)


def _secrets_of_file(
    repository: RepositoryTexts, file: Dockerfile
) -> Iterator[tuple[Instruction, tuple[str, str]]]:
    scopes: dict[int, _Scope] = {}
    for number in sorted({*file.instructions, *(stage.number for stage in file.stages)}):
        bases = file.stages[number].bases if number >= 0 else ()
        scope = scopes[number] = _Scope.on([scopes[base.number] for base in bases])
        for instruction in file.instructions.get(number, ()):
            match instruction.keyword:
                case "arg":
                    yield from _of_argument(file, instruction, scope)
                case "env":
                    yield from _of_variable(file, instruction, scope)
                case "label":
                    yield from _of_use(instruction, [value for _, value in pairs(instruction, file)], scope)
                case "copy" | "add":
                    yield from _of_use(instruction, [instruction.arguments.text], scope)
                    yield from _find_copied_secrets(repository, file, instruction)
                case "run":
                    yield from _of_run(repository, file, instruction, scope)


@dataclass(slots=True)
class _Scope:
    """What the instructions of a stage know: all names that are set, and the arguments that may be given a secret,
    with where they stand, until a RUN uses them."""

    names: set[str]
    secrets: dict[str, Instruction]

    @classmethod
    def on(cls, bases: list["_Scope"]) -> "_Scope":
        """What a stage begins with that stands on others."""
        names = {name for base in bases for name in base.names}
        return cls(names, {name: at for base in bases for name, at in base.secrets.items()})


def _of_argument(
    file: Dockerfile, instruction: Instruction, scope: _Scope
) -> Iterator[tuple[Instruction, tuple[str, str]]]:
    for name, value in pairs(instruction, file):
        scope.names.add(name)
        if holds_secret(name, value) and "$" not in value:
            yield instruction, (f"the default of ARG {name} is written out", f"ARG {name}")
        elif (is_secret_name(name) and not is_connection(name)) or _taken([value], scope):
            scope.secrets[name] = instruction


def _of_variable(
    file: Dockerfile, instruction: Instruction, scope: _Scope
) -> Iterator[tuple[Instruction, tuple[str, str]]]:
    known = frozenset(scope.names)
    for name, value in pairs(instruction, file):
        scope.names.add(name)
        variable = _VARIABLE.fullmatch(value.strip("\"'"))
        if holds_secret(name, value) and (variable is None or (variable["name"] or variable["braced"]) in known):
            is_given = value.strip("\"'").startswith("$") or takes_a_password(value)
            how = "is given by a build argument" if is_given else "is written out"
            yield instruction, (f"ENV {name} {how}", f"ENV {name}")
        else:
            yield from _of_use(instruction, [value], scope)


def _of_use(
    instruction: Instruction, values: Iterable[str], scope: _Scope
) -> Iterator[tuple[Instruction, tuple[str, str]]]:
    """What of the arguments for secrets an instruction puts into the configuration or the history of the image."""
    for name in _taken(values, scope):
        why = f"ARG {name} is used by {instruction.keyword.upper()} in line {instruction.line}"
        yield scope.secrets.pop(name), (why, f"ARG {name}")


def _taken(values: Iterable[str], scope: _Scope) -> list[str]:
    """The arguments for secrets that Docker puts into values: between single quotes it puts nothing, and for
    `${NAME:+set}` nothing of what the name holds."""
    open_values = [value for value in values if not value.startswith("'")]
    uses = {match["name"] or match["braced"] for value in open_values for match in _TAKEN.finditer(value)}
    return [name for name in scope.secrets if name in uses]


def _of_run(
    repository: RepositoryTexts, file: Dockerfile, instruction: Instruction, scope: _Scope
) -> Iterator[tuple[Instruction, tuple[str, str]]]:
    text = _whole(repository, file, instruction)
    for name in list(scope.secrets):
        if re.search(rf"\$\{{?{re.escape(name)}\b", text) or (
            _RESTORES.search(text) and _is_taken_by_config(repository, name)
        ):
            why = f"ARG {name} is used by RUN in line {instruction.line}"
            yield scope.secrets.pop(name), (why, f"ARG {name}")
    yield from _of_commands(instruction, text, scope)


def _of_commands(
    instruction: Instruction, text: str, scope: _Scope
) -> Iterator[tuple[Instruction, tuple[str, str]]]:
    """What commands are told where a secret belongs: one written out, or an ARG or ENV of another name."""
    seen = set[str]()
    for given in told_in(_FLAGS.sub("", text)):
        name = given.variable
        is_of_build = name in scope.names and not is_secret_name(name)
        is_set_here = is_of_build and re.search(rf"(?<![\w$]){re.escape(name)}=|env={re.escape(name)}\b", text)
        how = "that is written out" if given.is_written_out else f"by {name}, which the build keeps"
        if given.by not in seen and (given.is_written_out or (is_of_build and not is_set_here)):
            seen.add(given.by)
            yield instruction, (f"RUN gives {given.by[:80]} a secret {how}", f"RUN {given.by[:80]}")


def _is_taken_by_config(repository: RepositoryTexts, name: str) -> bool:
    """Whether a configuration of NuGet or npm takes what a variable of the environment holds, as an ARG is one."""
    taken = re.compile(rf"%{re.escape(name)}%|\$\{{{re.escape(name)}\}}")
    configs = (path for path in repository.paths if path.lower().endswith(("nuget.config", ".npmrc")))
    return any(taken.search(repository.text(path)) for path in configs)


def _find_in_produced(
    repository: RepositoryTexts, file: Dockerfile, names_in_file: set[str]
) -> Iterator[tuple[Instruction, tuple[str, str]]]:
    """What the produced image shows by name beyond what the file does: its base and its build are in it too."""
    config = repository.produced_from(file.path)
    if config is None:
        return
    for kind, names in (("ENV", config.variables), ("ARG", config.arguments)):
        for name in names:
            if is_secret_name(name) and not is_connection(name) and name not in names_in_file:
                location = "environment" if kind == "ENV" else "history"
                yield (
                    file.final.instruction,
                    (f"{name} is in the {location} of {config.short_name}", f"{kind} {name[:80]}"),
                )


def _whole(repository: RepositoryTexts, file: Dockerfile, instruction: Instruction) -> str:
    """The instruction with its here-documents."""
    if instruction.last_line == instruction.line:
        return instruction.text
    lines = repository.lines(file.path)
    text = repository.text(file.path)[lines.start(instruction.line) : lines.end(instruction.last_line)]
    return "\n".join(line for line in text.split("\n") if not line.lstrip().startswith("#"))


def _find_copied_secrets(
    repository: RepositoryTexts, file: Dockerfile, instruction: Instruction
) -> Iterator[tuple[Instruction, tuple[str, str]]]:
    if "--from=" in instruction.text:
        return
    for name in _COPIED.findall(instruction.arguments.text):
        base = name.rpartition("/")[2].lower()
        for path in repository.paths:
            if path.rpartition("/")[2].lower() == base and _WITH_PASSWORD.search(repository.text(path)):
                yield instruction, (f"{path} is copied, which holds a password", f"COPY {name}")


RULE = Rule(
    "image-secrets",
    "No secret is built into images",
    "It stays in the layers or history, for everybody who can pull the image.",
    FindingSeverity.CRITICAL,
    judge,
)
