"""Which Dockerfiles a repository builds, which of their stages, and which commands build what others push."""

import re
from collections.abc import Iterator

from bot.files.audit.delivery.deliveries import BUILDKIT_ACTIONS, deliveries
from bot.files.audit.delivery.delivery import Push
from bot.files.audit.delivery.pushing import is_build, listed_names, option_values
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import ShellCommand, is_unknown
from bot.files.audit.workflows.model import PipelineStep
from bot.files.audit.workflows.scripts import in_checkout
from bot.files.audit.workloads.compose import services
from bot.files.formats.builds import below

_BUILDERS = frozenset({"docker", "podman"})
_ENGINES = frozenset({"docker", "podman", "nerdctl"})
_LOADS = frozenset({"load", "import"})
_ARCHIVE = re.compile(r"\btype=(?:docker|oci)\b")
_MOVES = frozenset({"cd", "pushd", "Set-Location"})


def targets(repository: RepositoryTexts) -> dict[str, frozenset[str]]:
    """The stages that pushes name, by Dockerfile; the last one, which also Compose files may build, has no name."""
    return repository.kept(_targets)


def contexts(repository: RepositoryTexts) -> dict[str, frozenset[str | None]]:
    """The folders that Dockerfiles are built from by actions and Compose files, by Dockerfile; None among them
    where one is not told."""
    return repository.kept(_contexts)


def _contexts(repository: RepositoryTexts) -> dict[str, frozenset[str | None]]:
    folders: dict[str, set[str | None]] = {}
    for push in deliveries(repository).pushes:
        path = dockerfile_of(push)
        if path is not None:
            is_by_action = push.step.action in BUILDKIT_ACTIONS
            context = below("", in_checkout(push.step.input("context"))) if is_by_action else None
            folders.setdefault(path, set()).add(None if context is None or is_unknown(context) else context)
    for service in services(repository):
        if (path := service.dockerfile()[0]) is not None:
            folders.setdefault(path, set()).add(service.context)
    return {path: frozenset(each) for path, each in folders.items()}


def dockerfile_of(push: Push) -> str | None:
    """The Dockerfile that an action of Buildx builds, or a command of the step; None where that is not told."""
    if push.step.action not in BUILDKIT_ACTIONS:
        return _built_by_command(push)
    context, file = in_checkout(push.step.input("context")), push.step.input("file")
    path = below("", in_checkout(file)) if file else below("", context, "Dockerfile")
    return None if path is None or is_unknown(path) else path


def builds_of(push: Push) -> Iterator[tuple[PipelineStep, ShellCommand]]:
    """The commands that build what a push brings out: its own, or those of its job whose image gets its name.

    A build counts as well where only a run tells the names, or where none is given.
    """
    if push.command is None:
        return
    if is_build(push.command):
        yield push.step, push.command
        return
    names = _names_before(push)
    for step in push.pipeline.steps_until(push.step):
        for command in step.commands:
            if is_build(command) and _may_be_named(_names_given(command), names):
                yield step, command


def is_built_in_sight(push: Push) -> bool:
    """Whether a command or an action of the job builds what a command pushes, as far as its names tell."""
    names = _names_before(push)
    actions = (each for each in push.pipeline.steps_until(push.step) if each.action in BUILDKIT_ACTIONS)
    return any(_may_be_named({*map(_plain, listed_names(each.input("tags")))}, names) for each in actions) or any(
        command.name != "dotnet" or any("Container" in word for word in command.words)
        for _, command in builds_of(push)
    )


def loads_of(push: Push) -> Iterator[PipelineStep]:
    """The steps whose action builds what a command pushes then: those of the job that only load it into the engine,
    and those of jobs before that write it into an archive, where the job loads one."""
    if push.command is None or is_build(push.command):
        return
    names = _names_before(push)
    steps = push.pipeline.steps_until(push.step)
    if any(loads_archive(command) for step in steps for command in step.commands):
        for step in push.pipeline.steps:
            is_before = step.job.is_before(push.step.job) and step.events & push.events
            tags = {_plain(name) for name in listed_names(step.input("tags"))}
            if is_before and _writes_archive(step) and _may_be_named(tags, names):
                yield step
    for step in steps:
        is_loaded = step.input("load").lower() == "true" or "type=docker" in step.input("outputs")
        tags = {_plain(name) for name in listed_names(step.input("tags"))}
        if step.action in BUILDKIT_ACTIONS and is_loaded and _may_be_named(tags, names):
            yield step


def loads_archive(command: ShellCommand) -> bool:
    """Whether a command gives the engine the images of an archive."""
    verb = command.words[2:3] if command.words[1:2] == ("image",) else command.words[1:2]
    return command.name in _ENGINES and bool(_LOADS & {*verb})


def _writes_archive(step: PipelineStep) -> bool:
    """Whether an action writes what it builds into a file, from which an engine may load it."""
    is_written = _ARCHIVE.search(step.input("outputs")) is not None and "dest=" in step.input("outputs")
    return step.action in BUILDKIT_ACTIONS and is_written


def _names_before(push: Push) -> set[str]:
    """What the image is called that a command pushes, and what it was called before the tags of its job."""
    names = {_plain(name) for name in push.names}
    for command in reversed(
        [command for step in push.pipeline.steps_until(push.step) for command in step.commands]
    ):
        if _tags(command) and _plain(command.words[-1]) in names:
            names.add(_plain(command.words[-2]))
    return names


def _may_be_named(tags: set[str], names: set[str]) -> bool:
    """Whether what has these tags may be what has these names: where both are told, they share one."""
    is_told = tags and names and not any(map(is_unknown, tags | names))
    return not is_told or bool(tags & names)


def names_of_image(push: Push) -> frozenset[str]:
    """What the pushed image is called in its job: by its names, and those of its build and its tags beside them."""
    names = {_plain(name) for name in push.names if not is_unknown(name)}
    steps = [each for each in push.pipeline.steps if each.job is push.step.job]
    commands = [command for step in steps for command in step.commands]
    given = [_names_given(one) for one in commands if is_build(one)]
    given += [{*map(_plain, one.words[-2:])} for one in commands if _tags(one)]
    given += [{*map(_plain, listed_names(each.input("tags")))} for each in steps if each.action in BUILDKIT_ACTIONS]
    for group in (*given, *reversed(given)):
        if names & group:
            names |= group
    return frozenset(name for name in names if not is_unknown(name))


def _builds_dockerfile(command: ShellCommand) -> bool:
    return command.name in _BUILDERS and "build" in command.words[1:3]


def _names_given(command: ShellCommand) -> set[str]:
    """The names that a build gives its image."""
    return {_plain(each) for each in option_values(command.words, "-t", "--tag")}


def _tags(command: ShellCommand) -> bool:
    return command.name in _BUILDERS and command.words[1:2] == ("tag",)


def _plain(name: str) -> str:
    return name.removesuffix(":latest")


def _built_by_command(push: Push) -> str | None:
    """The Dockerfile of the command in the step that gives the image its name, where all stands in one folder."""
    commands = push.step.commands
    if _is_elsewhere(push.step):
        return None
    for command in commands:
        if _builds_dockerfile(command) and not command.has("--target") and set(push.names) & set(command.words):
            return _file_of(command)
    return None


def _is_elsewhere(step: PipelineStep) -> bool:
    """Whether a step may run its commands in another folder than the run begins in."""
    return step.mapping.get("working-directory") is not None or any(each.name in _MOVES for each in step.commands)


def _file_of(command: ShellCommand) -> str | None:
    """The Dockerfile of a command that builds one, in the folder that a run begins in."""
    file = command.option("-f", "--file")
    context = "." if "." in command.words else in_checkout(command.words[-1])
    path = below("", in_checkout(file)) if file else below("", context, "Dockerfile")
    return None if path is None or is_unknown(path) else path


def _targets(repository: RepositoryTexts) -> dict[str, frozenset[str]]:
    targets_by_path: dict[str, set[str]] = {}
    for push in deliveries(repository).pushes:
        for path, target in _built_by(push):
            if not is_unknown(target):
                targets_by_path.setdefault(path, set()).add(target)
    for service in services(repository):
        built, stage = service.dockerfile()
        if built is not None and stage is None:
            targets_by_path.setdefault(built, set()).add("")
    return {path: frozenset(names) for path, names in targets_by_path.items()}


def _built_by(push: Push) -> Iterator[tuple[str, str]]:
    """The Dockerfiles that a push is built from, as far as they are told, each with the stage that is named."""
    if push.step.action in BUILDKIT_ACTIONS:
        if (path := dockerfile_of(push)) is not None:
            yield path, push.step.input("target")
        return
    names = {_plain(name) for name in push.names}
    for step, command in builds_of(push):
        tags = _names_given(command)
        if (
            _builds_dockerfile(command)
            and (command is push.command or tags & names)
            and not _is_elsewhere(step)
            and (path := _file_of(command)) is not None
        ):
            yield path, command.option("--target") or ""
