"""Which images another bot's pull request brings that this bot brings too, as its title and its branch tell.

Renovate names an image with its registry, `Update mcr.microsoft.com/dotnet/aspnet Docker digest to 1a2b3c4` from
`renovate/mcr.microsoft.com-dotnet-aspnet-10.0`; Dependabot without, `Bump dotnet/aspnet from 10.0.0 to 10.0.1` from
`dependabot/docker/src/dotnet/aspnet-10.0.1`. Of a group neither names any, so that only its text would tell.
"""

import re
from collections.abc import Iterable

from bot.domain.forge.pull_requests import OtherRequest
from bot.domain.reference import Base

_VERSION = r"(?:-(?:\d[\w.-]*|[0-9a-f]{7,}))?$"
_OF_ALL_DOTNET = "net core docker containers"
"""What Renovate's preset `group:dotNetCore` calls all of .NET's images together."""
_GROUP = re.compile(r"^dependabot/docker(?:[-_]compose)?/(?:.*/)?[^/]+-[0-9a-f]{10}$")


def images_twice(request: OtherRequest, bases: Iterable[Base]) -> tuple[str, ...]:
    """The repositories of those bases that another bot's pull request brings; none where a person has made it, or
    where it brings something else."""
    if request.bot is None:
        return ()
    title = request.title.lower()
    names = dict.fromkeys((base.registry, base.repository) for base in bases)
    return tuple(
        dict.fromkeys(
            repository
            for registry, repository in names
            if _is_in_title(title, registry, repository)
            or _is_in_branch(request.branch, repository)
            or (_OF_ALL_DOTNET in title and repository.startswith("dotnet/"))
        )
    )


def may_bring_images(request: OtherRequest) -> bool:
    """Whether it is for a group of images that it does not name."""
    return request.bot == "Dependabot" and _GROUP.match(request.branch) is not None


def _is_in_title(title: str, registry: str, repository: str) -> bool:
    name = rf"(?<![\w./-])(?:{re.escape(registry)}/)?{re.escape(repository)}(?![\w/-])"
    return re.search(name, title) is not None


def _is_in_branch(branch: str, repository: str) -> bool:
    """The end of a branch's name; Renovate writes dashes for what separates folders."""
    flat = repository.replace("/", "-")
    return re.search(rf"[/-](?:{re.escape(repository)}|{re.escape(flat)}){_VERSION}", branch) is not None
