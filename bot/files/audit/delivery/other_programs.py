"""Programs that push images by what their own files say, which are not read here.

Sources: the manuals of Aspire's and Azure's developer tools, Skaffold, ko, Earthly, Buildpacks' `pack`, kaniko,
Tye, werf, Tilt, Okteto, DevSpace, Copilot, Dagger, Kamal, OpenFaaS, Radix and Fly.io, those of the clouds' command
lines, and what Microsoft says of the container properties of the .NET SDK.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from posixpath import normpath

from bot.files.audit.delivery.pushing import pushed_names
from bot.files.audit.delivery.said import said_push
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import ShellCommand
from bot.files.audit.workflows.model import PipelineStep
from bot.files.formats.dotnet.project import KIND as PROJECT
from bot.files.formats.shell.dotnet import WITH_VALUE
from bot.files.formats.source.nodes import Mapping
from bot.files.formats.table import kind_of

_ASKED_TO_PUSH = {
    "azd": frozenset({"up", "deploy", "publish"}),
    "skaffold": frozenset({"run", "build", "deploy", "dev"}),
    "ko": frozenset({"build", "publish", "resolve", "apply", "create"}),
    "tye": frozenset({"push", "deploy"}),
    "werf": frozenset({"converge", "build", "publish"}),
    "tilt": frozenset({"ci", "up"}),
    "okteto": frozenset({"build", "deploy", "up"}),
    "devspace": frozenset({"deploy", "build"}),
    "heroku": frozenset({"container:push", "container:release"}),
    "oc": frozenset({"start-build", "new-build"}),
    "kamal": frozenset({"deploy", "redeploy", "setup", "build"}),
    "faas-cli": frozenset({"up", "build", "push", "publish"}),
}
_PUSHES_WHERE_ASKED = {"dagger": re.compile(r"push|publish|deploy"), "copilot": re.compile(r"^deploy$")}
_ENGINES = frozenset({"docker", "podman", "nerdctl"})
_RUNS_ANOTHER = {("bundle", "exec")}
_ASPIRE = frozenset({"push", "deploy"})
_ASKS_FOR_CONTAINER = re.compile(r"PublishContainer|DefaultContainer")
_ASKS_BY_ITSELF = re.compile(
    r"<PublishProfile[^>]*>\s*DefaultContainer|<WebPublishMethod[^>]*>\s*(?:Container|Docker)"
    r"|Targets=\"PublishContainer",
    re.IGNORECASE,
)
"""What has a project published as a container where the command line asks for none."""
_REGISTRY = "containerregistry"
_SETS_REGISTRY = re.compile(r"\bContainerRegistry[ \t]*=", re.IGNORECASE)
_PROFILE = ".pubxml"


def unread_push(repository: RepositoryTexts, step: PipelineStep) -> str:
    """What of a step pushes images, or may, by files that are not read, in words; empty where nothing does."""
    if step.uses.startswith("docker://") and "kaniko" in step.uses:
        return f"{step.uses} pushes what it builds"
    by_command = (pushing for command in step.commands if (pushing := _of_command(repository, step, command)))
    if pushing := next(by_command, ""):
        return pushing
    said = said_push(step)
    return f"`{said}` stands in a text that something else runs, and is not followed" if said else ""


def _of_command(repository: RepositoryTexts, step: PipelineStep, command: ShellCommand) -> str:
    words, name = command.words, command.name
    if (name, *words[1:2]) in _RUNS_ANOTHER and len(words) > 2:
        words = words[2:]
        name = words[0]
    if name == "dotnet" and words[1:2] == ("tye",):
        words, name = words[1:], "tye"
    asked = words[1] if len(words) > 1 else ""
    if name == "aspire" and _ASPIRE & {*words[1:3]}:
        return "aspire pushes the images that its host program names"
    if asked in _ASKED_TO_PUSH.get(name, ()):
        return f"`{name} {asked}` pushes the images that its own files name"
    if name in _PUSHES_WHERE_ASKED and any(_PUSHES_WHERE_ASKED[name].search(word) for word in words[1:]):
        return f"`{name} {asked}` pushes the images that its own files name"
    if name == "earthly" and command.has("--push"):
        return "earthly pushes the images that its Earthfile names"
    if _is_kaniko(command):
        return "kaniko pushes what it builds"
    if name == "pack" and asked == "build" and command.has("--publish"):
        return "pack pushes what it builds"
    if _builds_in_cloud(command):
        return f"`{' '.join(words[:3])}` has images built and pushed elsewhere"
    return _of_dotnet(repository, step, command) if name == "dotnet" else ""


def _is_kaniko(command: ShellCommand) -> bool:
    """Whether a command is kaniko's own, or runs its image."""
    own = command.name == "executor" and "kaniko" in command.words[0]
    is_run = command.name in _ENGINES and "run" in command.words[1:3]
    of_image = is_run and any("kaniko" in word and "executor" in word for word in command.words)
    return (own or of_image) and not command.has("--no-push")


def _builds_in_cloud(command: ShellCommand) -> bool:
    """Whether a cloud is handed sources to build an image from."""
    arguments = command.words[1:]
    match command.name:
        case "gcloud":
            return arguments[:2] == ("builds", "submit") or ("deploy" in arguments and command.has("--source"))
        case "az":
            is_task = arguments[:2] == ("acr", "run") or arguments[:3] == ("acr", "task", "run")
            return is_task or (arguments[:1] == ("containerapp",) and command.has("--source"))
        case "rx":
            return arguments[:3] == ("create", "job", "build-deploy")
        case "fly" | "flyctl":
            return arguments[:1] == ("deploy",) and not command.has("--image", "-i")
    return False


def _of_dotnet(repository: RepositoryTexts, step: PipelineStep, command: ShellCommand) -> str:
    """What a command of the .NET SDK publishes as a container to a registry that stands elsewhere."""
    if pushed_names(command) is not None:
        return ""
    if not _ASKS_FOR_CONTAINER.search(" ".join(command.words)) and not _is_published_so(repository, command):
        return ""
    place = _place_of_registry(repository, step)
    return f"dotnet publishes a container to the registry that {place} names" if place else ""


def _is_published_so(repository: RepositoryTexts, command: ShellCommand) -> bool:
    """Whether a project that the command publishes, or a profile that it names, asks for a container itself."""
    if command.words[1:2] != ("publish",):
        return False
    line = " ".join(command.words)
    words = command.words
    operands = (
        word for before, word in pairwise(words[1:]) if not word.startswith(("-", "/")) and before not in WITH_VALUE
    )
    target = next(operands, "")
    folder = normpath(target.replace("\\", "/")) if target else "."
    for path in _projects(repository):
        if not _ASKS_BY_ITSELF.search(repository.text(path)):
            continue
        name = path.rpartition("/")[2]
        is_below = folder in {".", path} or path.startswith(f"{folder}/")
        if (
            name.removesuffix(_PROFILE) in line
            if name.endswith(_PROFILE)
            else is_below or name.startswith("Directory.")
        ):
            return True
    return False


def _projects(repository: RepositoryTexts) -> Iterator[str]:
    return (path for path in repository.paths if kind_of(path) == PROJECT and repository.scope.is_judged(path))


def _place_of_registry(repository: RepositoryTexts, step: PipelineStep) -> str:
    """Where the registry of the SDK's containers is named, if not on the command line; empty where nowhere."""
    if any(name.lower() == _REGISTRY and value for name, value in step.environment.items()):
        return "the environment"
    scripts = (each.scalar("run") for each in step.job.mapping.sequence("steps") if isinstance(each, Mapping))
    if any(script is not None and _SETS_REGISTRY.search(script.value) for script in scripts):
        return "a command before it"
    return next((path for path in _projects(repository) if _REGISTRY in repository.text(path).lower()), "")
