"""Services of azure.yaml: the images that they name, and the .NET projects that azd publishes as containers.

Format: the schema of azure.yaml in Azure/azure-dev (schemas/v1.0). For a .NET service without a Dockerfile azd runs
`dotnet publish` with the container target (`useDotnetPublishForDockerBuild` there), so the SDK chooses the base.
"""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain.repositories.usage import Findings, Kind, Role
from bot.files.formats.source.collector import Collector, Unreadable, quoted
from bot.files.formats.source.nodes import Mapping, Scalar
from bot.files.formats.source.yaml import read

KIND = Kind("azd")
_LANGUAGES = frozenset({"dotnet", "csharp", "fsharp"})
_HOSTS = frozenset({"containerapp", "aks"})


@dataclass(frozen=True, slots=True)
class AzdService:
    """A service that azd publishes with the .NET SDK, unless its folder has a Dockerfile.

    `project` is a folder or a project file, relative to the repository.
    """

    name: str
    project: str
    line: int


def find(path: str, text: str) -> Findings:
    """The images that services name. Never raises."""
    file = Collector(path, text, KIND)
    try:
        for _, service in _services(text):
            image = service.scalar("image")
            if image is not None and "$" in image.value:
                message = f"the image {quoted(image.value)} is known only in azd's environment"
                file.problem(image.start, f"{message}; write it out to have it watched")
            elif image is not None:
                file.image_or_problem(image.spanned, Role.IMAGE)
    except Unreadable as error:
        return file.unreadable(error)
    return file.findings()


def published(path: str, text: str) -> tuple[AzdService, ...]:
    """The services that are published as containers without a Dockerfile; nothing where the file cannot be read."""
    file = Collector(path, text, KIND)
    folder = posixpath.dirname(path)
    try:
        return tuple(
            AzdService(name, _place(folder, project.value), file.lines.at(project.start))
            for name, service in _services(text)
            if (project := service.scalar("project")) is not None
            and _value(service, "language") in _LANGUAGES
            and _value(service, "host") in _HOSTS
            and "docker" not in service.own
            and "image" not in service.own
        )
    except Unreadable:
        return ()


def places(path: str, text: str) -> tuple[str, ...]:
    """The folders and projects that azd deploys, relative to the repository; none where the file cannot be read."""
    folder = posixpath.dirname(path)
    try:
        projects = [service.scalar("project") for _, service in _services(text)]
    except Unreadable:
        return ()
    return tuple(_place(folder, project.value) for project in projects if project is not None)


def _place(folder: str, project: str) -> str:
    """azd takes the separators of Windows too."""
    return posixpath.normpath(posixpath.join(folder, project.strip().replace("\\", "/")))


def _services(text: str) -> Iterator[tuple[str, Mapping]]:
    for root in read(text):
        services = root.mapping("services") if isinstance(root, Mapping) else None
        for name, (_, service) in services.own.items() if services is not None else ():
            if isinstance(service, Mapping):
                yield name, service


def _value(service: Mapping, key: str) -> str:
    node = service.scalar(key)
    return node.value.lower() if isinstance(node, Scalar) else ""
