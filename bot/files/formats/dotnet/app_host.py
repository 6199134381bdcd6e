"""AppHosts of .NET Aspire: projects that have other projects published as containers.

https://learn.microsoft.com/dotnet/aspire/fundamentals/app-host-overview: an AppHost has the SDK
Aspire.AppHost.Sdk or sets IsAspireHost; each project that it references is one of its resources, unless the
reference says `IsAspireProjectResource="false"`. Publishing it builds their images with the SDK's container target.
"""

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass

from bot.files.formats.dotnet.msbuild.evaluation import Evaluation
from bot.files.formats.dotnet.msbuild.values import UndecidedValue
from bot.files.formats.dotnet.projects import ProjectReference, Projects
from bot.files.formats.dotnet.publish import has_item, has_sdk, is_test, not_publishable

MOST_TOLD = 5
_SDK = "aspire.apphost.sdk"


@dataclass(frozen=True, slots=True)
class AppHost:
    """`published` are the projects that it has published as containers, `told` is what a maintainer should know.

    One that `is_test` publishes nothing: it is told among those that are left out.
    """

    path: str
    line: int
    published: tuple[str, ...]
    told: str = ""
    is_test: bool = False


def may_be_app_host(text: str) -> bool:
    """Whether a text names Aspire at all, which is told faster than by reading the XML."""
    return "aspire" in text.lower()


def app_host(projects: Projects, path: str, added: Iterable[ProjectReference] = ()) -> AppHost | None:
    """The AppHost that a project is, None for any other project; `added` are the projects that its C# adds."""
    for built in projects.built(path):
        evaluation = built.evaluation
        if _is_app_host(evaluation):
            resources = (*_resources(projects.references(path, evaluation)), *added)
            return AppHost(path, 1, (), is_test=True) if is_test(evaluation) else read(projects, path, resources)
    return None


def read(projects: Projects, path: str, references: Iterable[ProjectReference]) -> AppHost:
    """Returns an AppHost with the projects that it has published, and what is told of the others."""
    published: list[str] = []
    left: list[str] = []
    for reference in references:
        if reference.path is None:
            left.append(reference.why)
            continue
        reasons = [
            not_publishable(built.evaluation, built.framework)
            for built in projects.built(reference.path)
            if not _is_app_host(built.evaluation)
        ]
        if None in reasons:
            published.append(reference.path)
        else:
            why = reasons[0] if reasons else "cannot be read as a project that is published"
            left.append(f"{posixpath.basename(reference.path)} {why}")
    return AppHost(path, 1, tuple(dict.fromkeys(published)), _describe_unfollowed(published, left))


def _is_app_host(evaluation: Evaluation) -> bool:
    value = evaluation.properties.text("IsAspireHost")
    says = isinstance(value, UndecidedValue) or value.lower() == "true"
    return says or has_sdk(evaluation, _SDK) or has_item(evaluation, "PackageReference", _SDK)


def _resources(references: Iterable[ProjectReference]) -> Iterable[ProjectReference]:
    for reference in references:
        if reference.item.metadata.get("isaspireprojectresource", "").lower() != "false":
            yield reference


def _describe_unfollowed(published: list[str], left: list[str]) -> str:
    """Says what of an AppHost is not followed; nothing where all is: its projects' usages name it then."""
    subject = "an Aspire AppHost"
    if left:
        more = f"; and {len(left) - MOST_TOLD} more" if len(left) > MOST_TOLD else ""
        return f"{subject}, of whose projects {len(left)} not followed: {'; '.join(left[:MOST_TOLD])}{more}"
    return "" if published else f"{subject} that references no project which it publishes as a container"
