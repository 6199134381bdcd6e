"""The names of the images that a repository makes, by its projects, Compose files, workflows and scripts."""

import re
from collections.abc import Collection

from bot.domain.repositories.repository import is_workflow
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.named_images import told_names
from bot.files.audit.delivery.pushing import repository_of
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.workloads.compose import services
from bot.files.formats.dotnet.projects import PROJECT_ENDINGS

_OWN_NAME = re.compile(r"<Container(?:Repository|ImageName)>\s*(?P<name>[\w./-]+)\s*<")
_TAGGED = re.compile(
    r"(?:(?<![\w-])(?:-t|--tag)[ =]|\btags:[ \t]+|\bContainer(?:Repository|ImageName)=)"
    r"[\"']?(?P<name>[\w./-]+)(?=[\s:\"'@]|$)",
    re.MULTILINE,
)
"""The name that a command, an action of Buildx or the .NET SDK gives to what it builds."""
_SET = re.compile(r"^[ \t]*(?:export[ \t]+)?(\w+)=[\"']?([\w./-]+)[\"']?[ \t]*\r?$", re.MULTILINE)
_TAKEN = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def is_published_by_project(repository: RepositoryTexts, image: str) -> bool:
    """Whether a project names an image so that the .NET SDK builds."""
    return _is_called(image, repository.kept(_published))


def is_made_here(repository: RepositoryTexts, image: str) -> bool:
    """Whether something here makes an image of that name, whoever's it is called."""
    return _is_called(image, repository.kept(_made_here))


def _is_called(image: str, names: Collection[str]) -> bool:
    name = repository_of(image).rpartition("/")[2]
    return bool(name) and name in {each.rpartition("/")[2] for each in names}


def names_made_here(repository: RepositoryTexts) -> frozenset[str]:
    """The names of images that the repository makes, as far as its files tell them."""
    return repository.kept(_made_here)


def _made_here(repository: RepositoryTexts) -> frozenset[str]:
    """The names of images that projects, Compose files, workflows and scripts of the repository make; one that a
    run alone tells stays an expression."""
    own = set(repository.kept(_published))
    builds = (path for path in repository.paths if is_workflow(path) or path.endswith((".sh", ".ps1", "Makefile")))
    own |= {match["name"] for path in builds for match in _TAGGED.finditer(_with_values(repository.text(path)))}
    pushes = deliveries(repository).pushes
    own |= {
        repository_of(told) for push in pushes for name in push.names for told in told_names(push, name) if told
    }
    return frozenset(own | {repository_of(each.image) for each in services(repository) if each.is_built})


def _published(repository: RepositoryTexts) -> frozenset[str]:
    """The names that projects give to the images that the .NET SDK builds of them."""
    projects = (path for path in repository.paths if path.endswith((*PROJECT_ENDINGS, ".props")))
    return frozenset(match["name"] for path in projects for match in _OWN_NAME.finditer(repository.text(path)))


def _with_values(script: str) -> str:
    """A script with the words in place of variables that it sets to them itself."""
    values = dict(_SET.findall(script)) if "$" in script else {}
    return _TAKEN.sub(lambda match: values.get(match[1] or match[2], match[0]), script) if values else script
