"""Which Dockerfiles a repository builds, and which of their stages."""

from bot.files.audit.delivery.deliveries import BUILDKIT_ACTIONS, deliveries
from bot.files.audit.delivery.delivery import Push
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import is_unknown
from bot.files.audit.workloads.compose import services
from bot.files.formats.builds import below


def targets(repository: RepositoryTexts) -> dict[str, frozenset[str]]:
    """The stages that pushes and Compose files name, by Dockerfile; what builds the last one is not in it."""
    return repository.kept(_targets)


def dockerfile_of(push: Push) -> str | None:
    """The Dockerfile that an action of Buildx builds; None where that is not told, or something else builds."""
    if push.step.action not in BUILDKIT_ACTIONS:
        return None
    context, file = push.step.input("context"), push.step.input("file")
    path = below("", file) if file else below("", context or ".", "Dockerfile")
    return None if path is None or is_unknown(path) else path


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
