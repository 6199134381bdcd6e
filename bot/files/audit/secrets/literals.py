"""The values of secrets that stand in a repository's texts, so that nothing that is shown repeats one."""

import re
from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Items
from dataclasses import dataclass, field

from bot.files.audit.images.dockerfile import Dockerfile, dockerfiles, placed_pairs
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.secrets.arguments import (
    Argument,
    container_arguments,
    container_checks,
    service_arguments,
    service_checks,
)
from bot.files.audit.secrets.manifests import is_written_out, manifest_data
from bot.files.audit.secrets.names import holds_secret, takes_a_password
from bot.files.audit.workflows.flattening import pipelines
from bot.files.audit.workflows.model import Pipeline, PipelineStep
from bot.files.audit.workloads.compose import named_values, services
from bot.files.audit.workloads.kubernetes import containers
from bot.files.audit.workloads.objects import word
from bot.files.formats.dockerfile.lines import Instruction
from bot.files.formats.source.nodes import Mapping, Node, Scalar

MASK = "***"
"""Stands in a diff for the value of a secret."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where something stands in a text that is no YAML, or is script within YAML."""

    path: str
    source: str
    start: int
    end: int


_VALUE = r"(?P<value>\"(?:\\.|[^\"\\\n])*\"|'[^'\n]*'|(?:\\.|[^\s\"'\\;&|,\]])+)"
_TOLD = (
    re.compile(rf"(?<![\w.])-{{0,2}}(?P<name>[A-Za-z_][\w.-]{{0,100}})={_VALUE}"),
    re.compile(rf"(?<![\w-])--?(?P<name>[A-Za-z][\w-]{{0,100}})(?:[\"']?,[ \t]*|[ \t]+)(?![\"']?-){_VALUE}"),
    re.compile(rf"\b(?:login|nuget)\b[^\n]{{0,200}}?[ \t]-p[ \t=]{_VALUE}"),
    re.compile(r"\bcurl\b[^\n]{0,200}?[ \t](?:-u|--user)[ \t=]*[\"']?[^\s:\"']+:(?P<value>[^\s\"']+)"),
    re.compile(rf"\bBearer[ \t]+{_VALUE}"),
    re.compile(r"://[^/\s:@]+:(?P<value>[^/\s@$]+)(?=@)"),
)
_NO_NAMES = frozenset({"secret", "secrets", "passwordstdin", "storepasswordincleartext"})
"""Options that name secrets, or say how one is given or kept, and hold none."""

Written = tuple[str, str, Node | _Place | None]
"""A name, its value, and the scalar of YAML or the place that this stands in."""


@dataclass(slots=True)
class _Hidden:
    """What must not be seen of a file: lines with what stands for them, and secrets as they are written in it."""

    lines: dict[str, str] = field(default_factory=dict)
    written: set[tuple[str, str]] = field(default_factory=set)
    in_scripts: set[str] = field(default_factory=set)
    """Names behind which the rest of a line is hidden: where a word of a script ends is left to its shell."""

    def mask_line(self, line: str) -> str:
        """Masks the secrets in a line of a diff, however a value is quoted and wherever its name stands."""
        sign, text = line[:1], line[1:]
        bare = text.rstrip("\r\n")
        if bare in self.lines:
            return f"{sign}{self.lines[bare]}{text[len(bare) :]}"
        for name, raw in self.written if sign == "+" else ():
            if name in text:
                text = text.replace(raw, MASK)
        for name in self.in_scripts if sign == "+" else ():
            text = _rest_of_line(name).sub(MASK, text)
        return f"{sign}{text}"


def masked(repository: RepositoryTexts, path: str, diff: str) -> str | None:
    """The diff of a file without the values that the repository gives secrets; None where one would stay."""
    hidden = repository.kept(_collect_hidden).get(path)
    if hidden is not None:
        diff = "".join(map(hidden.mask_line, diff.splitlines(keepends=True)))
    for name, value in sorted(repository.kept(_literals), key=lambda pair: (-len(pair[1]), pair)):
        if name in diff and value in diff:
            diff = _value_pattern(name, value).sub(lambda match: match["name"] + MASK, diff)
    diff = _mask_told_values(diff)
    return None if _shows_secret(repository, diff) else diff


def _mask_told_values(diff: str) -> str:
    """The diff without what its own old lines tell to be secrets: in scripts, arguments, addresses.

    Lines that are only new are ours but for what they repeat.
    """
    lines = diff.splitlines(keepends=True)
    old = [line for line in lines if line.startswith((" ", "-")) and not line.startswith("--- ")]
    replacements = {
        (match.group(), match.group()[: match.start("value") - match.start()] + MASK)
        for line in old
        for pattern in _TOLD
        for match in pattern.finditer(line)
        if _is_told(match)
    }
    for secret, masked_text in sorted(replacements, key=lambda pair: (-len(pair[0]), pair)):
        lines = [line.replace(secret, masked_text) if line[:1] in " -+" else line for line in lines]
    return "".join(lines)


def _is_told(match: re.Match[str]) -> bool:
    name, value = match.groupdict().get("name", "password").replace("-", "_"), _bare(match["value"])
    return not value.startswith(("$", MASK)) and _plain(name) not in _NO_NAMES and holds_secret(name, value)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _shows_secret(repository: RepositoryTexts, text: str) -> bool:
    return any(
        name in text and value in text and _value_pattern(name, value).search(text) is not None
        for name, value in repository.kept(_literals)
    )


def _value_pattern(name: str, value: str) -> re.Pattern[str]:
    """Finds the value behind the name, on its line or as the `value` of the next one."""
    between = r"[\"']?[ \t]*(?:[:= ]|\r?\n.?[ \t]*value:)[ \t]*[\"']?"
    return re.compile(rf"(?P<name>{re.escape(name)}{between}){re.escape(value)}")


def _literals(repository: RepositoryTexts) -> frozenset[tuple[str, str]]:
    return frozenset((name, value) for name, value, _ in repository.kept(_secrets))


def _collect_hidden(repository: RepositoryTexts) -> dict[str, _Hidden]:
    """What must not be shown of each file, by its path."""
    hidden_by_path: dict[str, _Hidden] = {}
    spans: dict[tuple[str, str], set[tuple[int, int]]] = {}
    for name, value, node in repository.kept(_secrets):
        for place in _places(repository, name, value, node):
            spans.setdefault((place.path, place.source), set()).add((place.start, place.end))
            raw = place.source[place.start : place.end].strip("\"'")
            hidden_by_path.setdefault(place.path, _Hidden()).written.update(
                (name, text) for text in (value, raw) if text
            )
    for name, place in _of_scripts(repository):
        spans.setdefault((place.path, place.source), set()).add((place.start, place.end))
        hidden_by_path.setdefault(place.path, _Hidden()).in_scripts.add(name)
    for (path, source), spans_of_text in spans.items():
        hidden_by_path[path].lines |= _without(source, sorted(spans_of_text))
    return hidden_by_path


def _places(repository: RepositoryTexts, name: str, value: str, node: Node | _Place | None) -> Iterator[_Place]:
    if isinstance(node, _Place):
        yield node
    elif isinstance(node, Scalar) and (path := repository.path_of(node)):
        start = node.start
        if node.value.startswith(f"{name}="):
            start = max(start, node.source.find("=", start, node.end) + 1)
        yield _Place(path, node.source, start, node.end)


def _of_scripts(repository: RepositoryTexts) -> Iterator[tuple[str, _Place]]:
    for pipeline in pipelines(repository):
        for step in pipeline.steps:
            yield from _in_script(repository, step)
            yield from _in_variables(repository, pipeline, step)


def _in_script(repository: RepositoryTexts, step: PipelineStep) -> Iterator[tuple[str, _Place]]:
    """What stands behind the names of secrets in a step's script, where their values stand there in another form.

    To the end of the line and of those that go on with it; all of the script where the name stands in another form
    too, or the value takes several lines or comes from a variable.
    """
    run = step.mapping.scalar("run")
    if run is None or not (path := repository.path_of(run)):
        return
    for name, value, _ in filter(_is_secret, _of_commands(step)):
        begins = [match.end() for match in _name_pattern(name).finditer(run.source, run.start, run.end)]
        as_is = _value_pattern(name, value).findall(run.source[run.start : run.end])
        if begins and len(as_is) == len(begins):
            continue
        ends = [_end_of_line(run.source, begin, run.end) for begin in begins]
        parts = (run.source[begin:end] for begin, end in zip(begins, ends, strict=True))
        if not begins or "\n" in value or any("$" in part for part in parts):
            begins, ends = [run.start], [run.end]
        yield from ((name, _Place(path, run.source, begin, end)) for begin, end in zip(begins, ends, strict=True))


def _in_variables(
    repository: RepositoryTexts, pipeline: Pipeline, step: PipelineStep
) -> Iterator[tuple[str, _Place]]:
    """The environment's variables, whatever they are called, that a script hands on under the name of a secret."""
    values = {_bare(value) for _, value, _ in filter(_is_secret, _of_commands(step))}
    for holder in (pipeline.root, step.job.mapping, step.mapping) if values else ():
        for name, value, node in named_values(holder.get("env")):
            if _bare(value) in values:
                yield from ((name, place) for place in _places(repository, name, value, node))


def _name_pattern(name: str) -> re.Pattern[str]:
    return re.compile(rf"{re.escape(name)}[\"']?=")


def _rest_of_line(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<={re.escape(name)}=)[^\r\n]+|(?<={re.escape(name)}[\"']=)[^\r\n]+")


def _end_of_line(text: str, begin: int, last: int) -> int:
    """Where a line ends, with those that it goes on in."""
    end = text.find("\n", begin, last)
    while end >= 0 and text[begin:end].rstrip().endswith(("\\", "`", "^")):
        end = text.find("\n", end + 1, last)
    return last if end < 0 else end


def _without(source: str, spans: Items[tuple[int, int]]) -> dict[str, str]:
    """The lines on which something stands in `spans`, which are in order, with the mask in its place."""
    masked_lines: dict[str, str] = {}
    begin, waiting = 0, list(reversed(spans))
    for line in source.splitlines(keepends=True):
        end = begin + len(line)
        text, parts, position = line.rstrip("\r\n"), [], 0
        while waiting and waiting[-1][0] < end:
            first, last = max(waiting[-1][0] - begin, position), min(waiting[-1][1] - begin, len(text))
            first += len(text[first:last]) - len(text[first:last].lstrip())
            if first < last:
                parts += [text[position:first], MASK]
                position = last
            if waiting[-1][1] > end:
                break
            waiting.pop()
        if parts:
            masked_lines[text] = "".join((*parts, text[position:]))
        begin = end
    return masked_lines


def _secrets(repository: RepositoryTexts) -> list[Written]:
    return [
        *((name, _bare(value), node) for name, value, node in filter(_is_secret, _find_assignments(repository))),
        *(
            (key, _bare(node.value), node)
            for data in manifest_data(repository)
            for key, value, node in data.entries
            if is_written_out(data, key, value)
        ),
    ]


def _is_secret(assignment: Written) -> bool:
    name, value = assignment[0], _bare(assignment[1])
    return value != "" and not value.startswith("$") and holds_secret(name, value) and not takes_a_password(value)


def _bare(value: str) -> str:
    return value.strip().strip("\"'")


def _find_assignments(repository: RepositoryTexts) -> Iterator[Written]:
    yield from _in_workloads(repository)
    for file in dockerfiles(repository):
        for instruction in file.script.instructions:
            if instruction.keyword in {"arg", "env"}:
                yield from _of_instruction(repository, file, instruction)
    for pipeline in pipelines(repository):
        for holder in (pipeline.root, *_holders(job.mapping for job in pipeline.jobs)):
            yield from named_values(holder.get("env"))
        for step in pipeline.steps:
            yield from _of_step(step)


def _in_workloads(repository: RepositoryTexts) -> Iterator[Written]:
    for container in containers(repository):
        for variable in container.own.sequence("env"):
            if isinstance(variable, Mapping):
                value = variable.get("value")
                yield word(variable.get("name")) or "", word(value) or "", value
        yield from _of_arguments(container_arguments(container))
        yield from _of_arguments(container_checks(container))
    for service in services(repository):
        yield from _of_arguments(service_arguments(service))
        yield from _of_arguments(service_checks(service))
        for level in service.levels:
            yield from named_values(level.get("environment"))
            build = level.get("build")
            if isinstance(build, Mapping):
                yield from named_values(build.get("args"))


def _of_arguments(arguments: Iterable[Argument]) -> Iterator[Written]:
    """Under a name that tells a secret, as some options do not."""
    yield from (("password", value, node) for _, value, node in arguments)


def _holders(jobs: Iterable[Mapping]) -> Iterator[Mapping]:
    """Jobs with the containers that they run in and beside, which may have environments of their own."""
    for job in jobs:
        yield from (job, job.mapping("container"))
        yield from (each for _, each in job.mapping("services").entries() if isinstance(each, Mapping))


def _of_step(step: PipelineStep) -> Iterator[Written]:
    """Its environment and inputs, each line of these, and the words of its commands."""
    yield from named_values(step.mapping.get("env"))
    for name, value, node in named_values(step.mapping.get("with")):
        yield name, value, node
        lines = node.value.split("\n") if isinstance(node, Scalar) else ()
        yield from (_split_assignment(line.strip()) for line in lines)
    yield from _of_commands(step)


def _of_commands(step: PipelineStep) -> Iterator[Written]:
    for command in step.commands:
        yield from (_split_assignment(each.removeprefix("--build-arg=")) for each in command.words)


def _of_instruction(repository: RepositoryTexts, file: Dockerfile, instruction: Instruction) -> Iterator[Written]:
    source = repository.text(file.path)
    for name, value in placed_pairs(instruction, file):
        places = [value.place(0), value.place(len(value) - 1) + 1] if value.text else [0, 0]
        yield name, value.text, _Place(file.path, source, *places)


def _split_assignment(text: str) -> Written:
    name, _, value = text.partition("=")
    return name, value, None
