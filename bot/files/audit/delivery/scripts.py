"""Scripts and Makefiles that push images, and which of them a build names that is told of by itself."""

import re

from bot.files.audit.repository import RepositoryTexts
from bot.files.formats import other_builds
from bot.files.formats.azure_pipelines import KIND as AZURE_PIPELINES
from bot.files.formats.circleci import KIND as CIRCLECI
from bot.files.formats.dotnet.projects import PROJECT_ENDINGS
from bot.files.formats.gitlab_ci import KIND as GITLAB_CI
from bot.files.formats.make import KIND as MAKE
from bot.files.formats.shell import KIND as SHELL

_BUILDS = frozenset({AZURE_PIPELINES, other_builds.KIND, GITLAB_CI, CIRCLECI})
_YAML = (".yml", ".yaml")
_SCRIPTS = frozenset({SHELL, MAKE})
_TOOLS = {"makefile": "make", "gnumakefile": "make", "justfile": "just", ".justfile": "just"}
_REST = r"(?:[^\n]|(?<=[\\`])\n|(?<=[\\`]\r)\n){0,2000}?"
"""What follows a word in the same command, which may go on in the next line."""
_PUSHES = re.compile(
    r"^(?![ \t]*(?:#|//|@?echo\b|printf\b|Write-\w+))[^\n]*?"
    r"(?:\b(?:docker|podman|buildah|nerdctl)[ \t]+(?:image[ \t]+)?push\b"
    r"|\b(?:crane|oras)[ \t]+push\b|\b(?:skopeo|crane|regctl[ \t]+image)[ \t]+copy\b"
    r"|(?:\bko|\$[({]KO[)}])[ \t]+(?:build|publish|resolve|apply)\b"
    rf"|\bdocker[- ]compose\b{_REST}[ \t]push\b|\b(?:build|bake)\b{_REST}(?:[ \t]--push\b|[ \t,]push=true)"
    r"|\baz[ \t]+acr[ \t]+build\b|\bPublishContainer\b|(?P<in_list>[\"']--push[\"'\s]))",
    re.IGNORECASE | re.MULTILINE,
)
_BUILDS_IMAGES = re.compile(r"\b(?:docker|podman|buildah|buildx)\b", re.IGNORECASE)
"""What a script speaks of that puts a command together of which `--push` is a word, or the first of several."""


_NAMES_REGISTRY = re.compile(r"ContainerRegistry", re.IGNORECASE)
_PROJECTS = (*PROJECT_ENDINGS, ".props", ".targets", ".pubxml")


def builds(repository: RepositoryTexts) -> list[str]:
    """The files of other builders that are YAML, in order."""
    paths = (path for path in repository.paths if repository.kind(path) in _BUILDS and path.endswith(_YAML))
    return [path for path in paths if repository.scope.is_judged(path)]


def names_registry(repository: RepositoryTexts, text: str) -> bool:
    """Whether a text, or a project here, says where the .NET SDK publishes containers: without a registry they stay
    with the engine on the machine."""
    return _NAMES_REGISTRY.search(text) is not None or repository.kept(_of_projects)


def _of_projects(repository: RepositoryTexts) -> bool:
    return any(
        _NAMES_REGISTRY.search(repository.text(each)) for each in repository.paths if each.endswith(_PROJECTS)
    )


def push_by_hand(repository: RepositoryTexts, path: str) -> re.Match[str] | None:
    """Where a script pushes an image that no build starts which is told itself; None for all other files."""
    match = _push_in(repository, path)
    return match if match is not None and path not in repository.kept(_started) else None


def pushing_script(repository: RepositoryTexts, text: str) -> str:
    """The name of a script here that a build's text names, and that pushes an image; empty for none."""
    names = (
        path.rpartition("/")[2] for path in repository.kept(_scripts) if _push_in(repository, path) is not None
    )
    return next((name for name in names if re.search(_name_of(name), text)), "")


def _push_in(repository: RepositoryTexts, path: str) -> re.Match[str] | None:
    if repository.kind(path) not in _SCRIPTS:
        return None
    return push_in_script(repository, repository.text(path))


def push_in_script(repository: RepositoryTexts, text: str) -> re.Match[str] | None:
    """Where the text of a script pushes an image; None where it pushes none."""
    pushes = list(_PUSHES.finditer(text))
    if pushes and not _BUILDS_IMAGES.search(text):
        pushes = [each for each in pushes if each["in_list"] is None]
    if pushes and not names_registry(repository, text):
        pushes = [each for each in pushes if "publishcontainer" not in each.group().lower()]
    return next(iter(pushes), None)


def _scripts(repository: RepositoryTexts) -> tuple[str, ...]:
    return tuple(path for path in repository.paths if repository.kind(path) in _SCRIPTS)


def _started(repository: RepositoryTexts) -> frozenset[str]:
    """The scripts that builds which are not read name, and those that such scripts name."""
    texts = [repository.text(path) for path in repository.paths if repository.kind(path) in _BUILDS]
    left = {path: re.compile(_name_of(path.rpartition("/")[2])) for path in repository.kept(_scripts)}
    started = set[str]()
    while texts:
        text = texts.pop()
        for path in [path for path, name in left.items() if name.search(text)]:
            started.add(path)
            texts.append(repository.text(path))
            del left[path]
    return frozenset(started)


def _name_of(name: str) -> str:
    """What a script is started by."""
    tool = _TOOLS.get(name.lower())
    return rf"\b{tool}\b" if tool is not None else rf"(?<![\w.-]){re.escape(name)}"
