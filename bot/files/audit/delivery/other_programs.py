"""Programs that push images by what their own files say, which are not read here.

Sources: the manuals of Aspire's and Azure's developer tools, Skaffold, ko, Earthly, Buildpacks' `pack` and kaniko,
and Microsoft's reference of the container properties of the .NET SDK.
"""

import re

from bot.files.audit.delivery.pushing import pushed_names
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import ShellCommand
from bot.files.audit.workflows.model import PipelineStep
from bot.files.formats.dotnet.project import KIND as PROJECT
from bot.files.formats.table import kind_of

_ASKED_TO_PUSH = {
    "azd": frozenset({"up", "deploy", "publish"}),
    "skaffold": frozenset({"run", "build", "deploy", "dev"}),
    "ko": frozenset({"build", "publish", "resolve", "apply", "create"}),
}
_ASPIRE = frozenset({"push", "deploy"})
_ASKS_FOR_CONTAINER = re.compile(r"PublishContainer|DefaultContainer")
_REGISTRY = "ContainerRegistry"


def unread_push(repository: RepositoryTexts, step: PipelineStep) -> str:
    """What of a step pushes images, or may, by files that are not read, in words; empty where nothing does."""
    if step.uses.startswith("docker://") and "kaniko" in step.uses:
        return f"{step.uses} pushes what it builds"
    return next((told for command in step.commands if (told := _of_command(repository, step, command))), "")


def _of_command(repository: RepositoryTexts, step: PipelineStep, command: ShellCommand) -> str:
    words, name = command.words, command.name
    asked = words[1] if len(words) > 1 else ""
    if name == "aspire" and _ASPIRE & {*words[1:3]}:
        return "aspire pushes the images that its host program names"
    if asked in _ASKED_TO_PUSH.get(name, ()):
        return f"`{name} {asked}` pushes the images that its own files name"
    if name == "earthly" and command.has("--push"):
        return "earthly pushes the images that its Earthfile names"
    if name == "executor" and "kaniko" in words[0] and not command.has("--no-push"):
        return "kaniko pushes what it builds"
    if name == "pack" and asked == "build" and command.has("--publish"):
        return "pack pushes what it builds"
    if name == "dotnet" and _ASKS_FOR_CONTAINER.search(" ".join(words)) and pushed_names(command) is None:
        place = _place_of_registry(repository, step)
        return f"dotnet publishes a container to the registry that {place} names" if place else ""
    return ""


def _place_of_registry(repository: RepositoryTexts, step: PipelineStep) -> str:
    """Where the registry of the SDK's containers is named, if not on the command line; empty where nowhere."""
    if any(name.lower() == _REGISTRY.lower() and value for name, value in step.environment.items()):
        return "the environment"
    return next(
        (
            path
            for path in repository.paths
            if kind_of(path) == PROJECT and _REGISTRY in repository.text(path) and repository.scope.is_judged(path)
        ),
        "",
    )
