"""What the steps of workflows and composite actions ask to be built."""

import re
from collections.abc import Iterator

from bot.formats.builds import Builds, DockerBuild, DotnetPublish, arguments, below
from bot.formats.shell import script
from bot.formats.shell.commands import UNKNOWN
from bot.formats.source.collector import Collector, Unreadable
from bot.formats.source.nodes import Mapping
from bot.formats.source.spanned import Spanned
from bot.formats.source.yaml import read
from bot.formats.workflows import KIND
from bot.formats.workflows.steps import Step, steps_of

_BUILD_ACTION = re.compile(r"(?:docker/build-push-action|redhat-actions/buildah-build)@.*")
_LINE = re.compile(r"[^\n]+")


def builds(path: str, text: str) -> Builds:
    """Command lines in `run`, and docker/build-push-action with its `build-args`. Never raises."""
    if "build-push-action" not in text and "buildah-build" not in text and not script.may_ask(text):
        return Builds()
    try:
        documents = read(text)
    except Unreadable:
        return Builds()
    file = Collector(path, text, KIND)
    return Builds.of(each for document in documents for step in steps_of(document) for each in _asked(step, file))


def _asked(step: Step, file: Collector) -> Iterator[DockerBuild | DotnetPublish]:
    commands = step.script
    if commands is not None:
        yield from script.asked(commands, file, step.folder, step.environment)
    uses = step.mapping.scalar("uses")
    if uses is not None and _BUILD_ACTION.fullmatch(uses.value.strip()):
        build = _of_action(step, step.mapping.mapping("with"), file)
        if build is not None:
            yield build


def _of_action(step: Step, given: Mapping, file: Collector) -> DockerBuild | None:
    """`file` is found from the repository's root on, and else is the Dockerfile of the context."""
    context, dockerfile = (_input(step, given, name) for name in ("context", "file"))
    place = dockerfile.text if dockerfile is not None else below(context.text if context else "", "Dockerfile")
    path = below("", place) if place is not None and UNKNOWN not in place else None
    if path is None:
        return None
    listed = _input(step, given, "build-args")
    lines = [listed.part(*line.span()) for line in _LINE.finditer(listed.text)] if listed else []
    values = arguments([line.strip() for line in lines])
    tags = _input(step, given, "tags")
    image = tags.text.split() if tags is not None and UNKNOWN not in tags.text else []
    known = tuple(each for each in values if UNKNOWN not in each.value.text)
    key = next((key for key, _ in given.entries() if key.value == "build-args"), None)
    statement = key.start if key is not None else None
    return DockerBuild(file.path, file.kind, (path,), known, image[0] if image else None, statement=statement)


def _input(step: Step, given: Mapping, name: str) -> Spanned | None:
    written = given.scalar(name)
    return step.evaluated(written.spanned) if written is not None else None
