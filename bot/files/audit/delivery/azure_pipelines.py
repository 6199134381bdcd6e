"""The Azure Pipelines of a repository: by their names, by what they say, and as templates of such."""

from bot.files.audit.repository import RepositoryTexts
from bot.files.formats.azure_pipelines import KIND
from bot.files.formats.azure_pipelines.recognizing import templates_of

MOST_TEMPLATES = 300
"""Of one repository, that are looked at only since another file puts them in."""


def azure_pipelines(repository: RepositoryTexts) -> list[str]:
    """Returns the paths of the pipelines in order; files of other services are none. Never raises."""
    return repository.kept(_azure_pipelines)


def _azure_pipelines(repository: RepositoryTexts) -> list[str]:
    paths: dict[str, None] = dict.fromkeys(path for path in repository.paths if repository.kind(path) == KIND)
    waiting = list(paths)
    most = len(waiting) + MOST_TEMPLATES
    for path in waiting:
        for template in templates_of(path, repository.text(path)):
            if template in repository and template not in paths and len(waiting) < most:
                paths[template] = None
                waiting.append(template)
    return sorted(path for path in paths if repository.scope.is_judged(path))
