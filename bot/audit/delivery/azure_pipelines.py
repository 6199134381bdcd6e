"""The Azure Pipelines of a repository: by their names, by what they say, and as templates of such."""

from bot.audit.repository import RepositoryTexts, is_for_production
from bot.formats.azure_pipelines import KIND
from bot.formats.azure_pipelines.recognizing import is_azure_pipeline, templates_of
from bot.formats.kubernetes.manifests import KIND as ANY_YAML
from bot.formats.table import kind_of

MOST_TEMPLATES = 300
"""Of one repository, that are looked at only since another file puts them in."""


def azure_pipelines(repository: RepositoryTexts) -> list[str]:
    """Their paths in order; files of other services with similar keys are none of them. Never raises."""
    return repository.kept(_azure_pipelines)


def _azure_pipelines(repository: RepositoryTexts) -> list[str]:
    named = [path for path in repository.paths if kind_of(path) == KIND]
    found = dict.fromkeys(named)
    for path in repository.paths:
        is_open = path.endswith((".yml", ".yaml")) and path not in found and kind_of(path) == ANY_YAML
        if is_open and is_azure_pipeline(repository.text(path)):
            found[path] = None
    waiting = list(found)
    most = len(waiting) + MOST_TEMPLATES
    for path in waiting:
        for template in templates_of(path, repository.text(path)):
            if template in repository and template not in found and len(waiting) < most:
                found[template] = None
                waiting.append(template)
    return sorted(path for path in found if is_for_production(_without_templates(path)))


def _without_templates(path: str) -> str:
    """The path without folders of that name: pipelines are made of what is in them."""
    folders, _, name = path.rpartition("/")
    return "/".join((*(each for each in folders.split("/") if each.lower() != "templates"), name)).lstrip("/")
