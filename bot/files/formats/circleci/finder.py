"""CircleCI: the images that jobs and executors run in, those that commands run, and what these build.

Source: https://circleci.com/docs/configuration-reference/ (`executors`, `jobs.<id>.docker`, `run`) and
…/reusing-config/ (`parameters`, which jobs, executors and commands declare with defaults and workflows hand over).
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice, product

from bot.domain.repositories.usage import Findings, Role
from bot.files.formats.builds import Asked, Builds
from bot.files.formats.circleci import KIND
from bot.files.formats.shell import script
from bot.files.formats.shell.commands import UNKNOWN
from bot.files.formats.source.collector import Collector, Unreadable
from bot.files.formats.source.nodes import Mapping as YamlMapping
from bot.files.formats.source.nodes import Node, Scalar, Sequence, mappings_under
from bot.files.formats.source.spanned import Spanned, joined
from bot.files.formats.source.yaml import read

MOST_VARIANTS = 50
"""Of one job or executor."""
_PARAMETER = re.compile(r"<<\s*(?P<of>pipeline\.)?(?:parameters|matrix)\.(?P<name>[\w-]+)\s*>>|<<[^<>\n]{1,100}>>")
_PIPELINE = "pipeline."
_ONLY_A_PART = "a parameter supplies only a part of it; write the whole image in the parameter to have it pinned"
Values = Mapping[str, Spanned]


def find(path: str, text: str) -> Findings:
    """The images under `docker`, and those of commands. Never raises."""
    if "image" not in text and not script.names_images(text):
        return Findings()
    file = Collector(path, text, KIND)
    try:
        documents = read(text)
    except Unreadable as error:
        return file.unreadable(error)
    for document in documents:
        if isinstance(document, YamlMapping):
            _add_images(document, file)
            for commands in _commands(document):
                script.name_images(commands, file)
    return file.findings()


def builds(path: str, text: str) -> Builds:
    """What `run` steps ask for. Never raises."""
    if not script.may_ask(text):
        return Builds()
    try:
        documents = read(text)
    except Unreadable:
        return Builds()
    return Builds.of(_asked(documents, Collector(path, text, KIND)))


def _asked(documents: list[Node], file: Collector) -> Iterator[Asked]:
    for document in documents:
        for commands in _commands(document):
            yield from script.asked(commands, file)


def _add_images(root: YamlMapping, file: Collector) -> None:
    pipeline = {f"{_PIPELINE}{name}": values for name, values in _choices(root.mapping("parameters"), []).items()}
    for of in ("executors", "jobs"):
        for name, part in root.mapping(of).entries():
            docker = part.sequence("docker") if isinstance(part, YamlMapping) else []
            if not isinstance(part, YamlMapping) or not docker:
                continue
            choices = pipeline | _choices(part.mapping("parameters"), list(_handed(root, name.value)))
            for number, container in enumerate(docker):
                image = container.scalar("image") if isinstance(container, YamlMapping) else None
                if image is not None:
                    _add(image, Role.SERVICE if number else Role.CONTAINER, choices, file)


def _choices(parameters: YamlMapping, handed: list[YamlMapping]) -> dict[str, tuple[Spanned, ...]]:
    """The values of each parameter: its default, and what is handed over where it is used."""
    values: dict[str, dict[int, Spanned]] = {}
    for name, parameter in parameters.entries():
        default = parameter.scalar("default") if isinstance(parameter, YamlMapping) else None
        if default is not None:
            values.setdefault(name.value, {})[default.start] = default.spanned
        for given in handed:
            for node in (given.get(name.value), given.mapping("matrix").mapping("parameters").get(name.value)):
                for scalar in node.items if isinstance(node, Sequence) else [node]:
                    if isinstance(scalar, Scalar) and not scalar.is_null:
                        values.setdefault(name.value, {})[scalar.start] = scalar.spanned
    return {name: tuple(each.values())[:MOST_VARIANTS] for name, each in values.items()}


def _handed(root: YamlMapping, name: str) -> Iterator[YamlMapping]:
    """The mappings that hand parameters to the job or executor of a name: in workflows, and under `executor`."""
    for key, mapping in mappings_under(root):
        if (
            key == "executor"
            and (executor_name := mapping.scalar("name")) is not None
            and executor_name.value == name
        ):
            yield mapping
        elif key == "jobs" and isinstance(given := mapping.get(name), YamlMapping) and given.get("docker") is None:
            yield given


def _add(image: Scalar, role: Role, choices: Mapping[str, tuple[Spanned, ...]], file: Collector) -> None:
    """Adds an image in each variant that is known; the rest stays for whoever tells of .NET images left over."""
    written = image.spanned.strip()
    used = sorted({_name_of(match) for match in _PARAMETER.finditer(written.text)} & choices.keys())
    for values in islice(product(*(choices[name] for name in used)), MOST_VARIANTS):
        value = _filled(written, dict(zip(used, values, strict=True)))
        if UNKNOWN not in value.text and file.usage(value, role) is not None:
            file.image_or_part(value, role, why_fixed=_ONLY_A_PART)


def _filled(text: Spanned, values: Values) -> Spanned:
    """With the values of parameters put in, and `UNKNOWN` for those that have none here."""
    parts: list[Spanned] = []
    done = 0
    for match in _PARAMETER.finditer(text.text):
        value = values.get(_name_of(match))
        parts.append(text.part(done, match.start()))
        parts.append(value if value is not None else Spanned(UNKNOWN, (~text.place(match.start()),)))
        done = match.end()
    return joined([*parts, text.part(done, len(text))])


def _name_of(match: re.Match[str]) -> str:
    return f"{match['of'] or ''}{match['name']}"


def _commands(document: Node) -> Iterator[Spanned]:
    """The text of each `run` step."""
    for _, step in mappings_under(document):
        commands = step.scalar("run") or step.mapping("run").scalar("command")
        if commands is not None:
            yield _filled(commands.spanned, {})
