"""Which Dockerfiles a repository builds, and which of their stages."""

from bot.files.audit.delivery.deliveries import BUILDKIT_ACTIONS, deliveries
from bot.files.audit.delivery.delivery import Push
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import is_unknown
from bot.files.audit.workloads.compose import services
from bot.files.formats.builds import below

_BUILDERS = frozenset({"docker", "podman"})
_MOVES = frozenset({"cd", "pushd", "Set-Location"})


def targets(repository: RepositoryTexts) -> dict[str, frozenset[str]]:
    """The stages that pushes and Compose files name, by Dockerfile; what builds the last one is not in it."""
    return repository.kept(_targets)


def dockerfile_of(push: Push) -> str | None:
    """The Dockerfile that an action of Buildx builds, or a command of the step; None where that is not told."""
    if push.step.action not in BUILDKIT_ACTIONS:
        return _built_by_command(push)
    context, file = push.step.input("context"), push.step.input("file")
    path = below("", file) if file else below("", context or ".", "Dockerfile")
    return None if path is None or is_unknown(path) else path


def _built_by_command(push: Push) -> str | None:
    """The Dockerfile of the command in the step that gives the image its name, where all stands in one folder."""
    commands = push.step.commands
    if push.step.mapping.get("working-directory") is not None or any(each.name in _MOVES for each in commands):
        return None
    for command in commands:
        is_build = command.name in _BUILDERS and "build" in command.words[1:3] and not command.has("--target")
        if is_build and set(push.names) & set(command.words):
            file = command.option("-f", "--file")
            context = "." if "." in command.words else command.words[-1]
            path = below("", file) if file else below("", context, "Dockerfile")
            return None if path is None or is_unknown(path) else path
    return None


def _targets(repository: RepositoryTexts) -> dict[str, frozenset[str]]:
    targets_by_path: dict[str, set[str]] = {}
    last: set[str] = set()
    for push in deliveries(repository).pushes:
        if push.step.action in BUILDKIT_ACTIONS:
            target = push.step.input("target")
            path = dockerfile_of(push)
            if path is None:
                continue
            if target and not is_unknown(target):
                targets_by_path.setdefault(path, set()).add(target)
            elif not target:
                last.add(path)
    for service in services(repository):
        built, stage = service.dockerfile()
        if built is not None and stage is None:
            last.add(built)
    return {path: frozenset(names) for path, names in targets_by_path.items() if path not in last}
