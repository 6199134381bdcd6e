"""What the steps of workflows and composite actions ask to be built."""

import re
from collections.abc import Iterator

from bot.files.formats.builds import Asked, BakeOverride, Builds, DockerBuild, arguments, below, places
from bot.files.formats.shell import script
from bot.files.formats.shell.commands import UNKNOWN
from bot.files.formats.shell.docker import BAKE_FILES, arguments_of_targets
from bot.files.formats.source.collector import Collector, Unreadable
from bot.files.formats.source.nodes import Mapping
from bot.files.formats.source.spanned import Spanned
from bot.files.formats.source.yaml import read
from bot.files.formats.workflows import KIND
from bot.files.formats.workflows.steps import WorkflowStep, settings_of, steps_of

BUILDAH = re.compile(r"redhat-actions/buildah-build@.*")
_ACTIONS = ("build-push-action", "buildah-build", "bake-action")
_BAKE_ACTION = re.compile(r"docker/bake-action@.*")
_BUILD_ACTION = re.compile(r"(?:docker/build-push-action|redhat-actions/buildah-build)@.*")


def builds(path: str, text: str) -> Builds:
    """Command lines in `run`, docker/build-push-action with its `build-args`, docker/bake-action with what it sets.

    Never raises.
    """
    if not any(action in text for action in _ACTIONS) and not script.may_ask(text):
        return Builds()
    try:
        documents = read(text)
    except Unreadable:
        return Builds()
    file = Collector(path, text, KIND)
    return Builds.of(
        build for document in documents for step in steps_of(document) for build in _builds_of_step(step, file)
    )


def _builds_of_step(step: WorkflowStep, file: Collector) -> Iterator[Asked]:
    commands = step.script
    if commands is not None:
        yield from script.asked(commands, file, step.folder, step.environment)
    uses = step.mapping.scalar("uses")
    if uses is not None and _BUILD_ACTION.fullmatch(uses.value.strip()):
        build = _of_action(step, step.mapping.mapping("with"), file)
        if build is not None:
            yield build
    elif uses is not None and _BAKE_ACTION.fullmatch(uses.value.strip()):
        override = _of_bake(step, step.mapping.mapping("with"), file)
        if override.args:
            yield override


def _of_bake(step: WorkflowStep, inputs: Mapping, file: Collector) -> BakeOverride:
    """`files` are found from `workdir` on."""
    folder = _input(step, inputs, "workdir")
    begin = folder.text if folder is not None else ""
    file_names = [name for line in settings_of(step, "files") for name in line.text.split(",") if name.strip()]
    paths = (below(begin, name.strip()) for name in file_names or BAKE_FILES if UNKNOWN not in begin + name)
    args = arguments_of_targets(settings_of(step, "set"))
    return BakeOverride(file.path, file.kind, places(*paths), args, _key(inputs, "set"))


def _key(inputs: Mapping, name: str) -> int | None:
    """Where an input begins."""
    return next((key.start for key, _ in inputs.entries() if key.value == name), None)


def _of_action(step: WorkflowStep, inputs: Mapping, file: Collector) -> DockerBuild | None:
    path = dockerfile_of(step, inputs)
    if path is None:
        return None
    values = arguments(settings_of(step, "build-args"))
    tags = _input(step, inputs, "tags")
    image = tags.text.split() if tags is not None and UNKNOWN not in tags.text else []
    known_args = tuple(each for each in values if UNKNOWN not in each.value.text)
    statement = _key(inputs, "build-args")
    return DockerBuild(file.path, file.kind, (path,), known_args, image[0] if image else None, statement=statement)


def dockerfile_of(step: WorkflowStep, inputs: Mapping) -> str | None:
    """The Dockerfile of a build action: `file` is found from the repository's root on, and else is that of the
    context. None where only a run tells, and for buildah-build where it takes none, or several as one."""
    uses = step.mapping.scalar("uses")
    if uses is not None and BUILDAH.fullmatch(uses.value.strip()):
        files = (step.given("containerfiles").strip() or step.given("dockerfiles").strip()).splitlines()
        return below("", files[0].strip()) if len(files) == 1 and UNKNOWN not in files[0] else None
    place = step.given("file") or below(step.given("context"), "Dockerfile")
    return below("", place) if place is not None and UNKNOWN not in place else None


def _input(step: WorkflowStep, inputs: Mapping, name: str) -> Spanned | None:
    scalar = inputs.scalar(name)
    return step.evaluated(scalar.spanned) if scalar is not None else None
