"""Scripts and Makefiles that push images, and that no build of the repository starts: people run them."""

import re

from bot.files.audit.repository import RepositoryTexts
from bot.files.formats import other_builds
from bot.files.formats.azure_pipelines import KIND as AZURE_PIPELINES
from bot.files.formats.circleci import KIND as CIRCLECI
from bot.files.formats.gitlab_ci import KIND as GITLAB_CI
from bot.files.formats.make import KIND as MAKE
from bot.files.formats.shell import KIND as SHELL
from bot.files.formats.workflows import KIND as WORKFLOW

_BUILDS = frozenset({WORKFLOW, AZURE_PIPELINES, other_builds.KIND, GITLAB_CI, CIRCLECI})
_PUSHES = re.compile(
    r"^(?![ \t]*(?:#|//|@?echo\b|printf\b|Write-\w+))[^\n]*?"
    r"(?:\b(?:docker|podman|buildah|nerdctl)[ \t]+(?:image[ \t]+)?push\b|\bbuild\b[^\n]*[ \t]--push\b"
    r"|\baz[ \t]+acr[ \t]+build\b|\bPublishContainer\b)",
    re.IGNORECASE | re.MULTILINE,
)


def push_by_hand(repository: RepositoryTexts, path: str) -> re.Match[str] | None:
    """Where a script pushes an image that no build here starts by its name; None for all other files."""
    kind = repository.kind(path)
    if kind not in {SHELL, MAKE}:
        return None
    match = _PUSHES.search(repository.text(path))
    name = r"\b(?:make|just)\b" if kind == MAKE else re.escape(path.rpartition("/")[2])
    return match if match is not None and not _is_started(repository, path, name) else None


def _is_started(repository: RepositoryTexts, path: str, name: str) -> bool:
    """Whether a build, or a script that may be started by one, names the file."""
    others = (
        each for each in repository.paths if each != path and repository.kind(each) in {*_BUILDS, SHELL, MAKE}
    )
    return any(re.search(name, repository.text(each)) for each in others)
