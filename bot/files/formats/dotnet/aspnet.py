"""Whether a project is an ASP.NET Core one, which decides its implicit base: by itself or by what it references.

A framework reference flows through project references like a package does: NuGet writes it into the assets file of
every project that depends on it, and the .NET SDK adds it to `FrameworkReference` before it computes the base
(the task `ResolvePackageAssets` in dotnet/sdk gives them, `ComputeContainerBaseImage` takes them). The Web SDK adds
the reference by itself. What does not flow: `PrivateAssets="all"`, a project reference with
`ReferenceOutputAssembly="false"`, anything where `DisableTransitiveFrameworkReferences` is set. What a package
brings is not seen.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.files.formats.dotnet.msbuild.evaluation import Evaluation
from bot.files.formats.dotnet.msbuild.items import ProjectItem
from bot.files.formats.dotnet.msbuild.values import UndecidedValue
from bot.files.formats.dotnet.projects import Built, ProjectReference, Projects

WEB_SDK = "microsoft.net.sdk.web"
MOST_REFERENCES = 20_000
"""References that one question follows."""

_ASPNET = "microsoft.aspnetcore.app"


@dataclass(frozen=True, slots=True)
class AspNetUse:
    """Whether a project uses ASP.NET Core: None where the texts leave it open, with what is missing in `why`."""

    is_aspnet: bool | None
    why: str = ""


def is_aspnet(projects: Projects, path: str, built: Built) -> AspNetUse:
    """Looks at the project itself, then at what it references, nearest first, for a use of ASP.NET Core."""
    evaluation = built.evaluation
    own = _own(evaluation, evaluation.items)
    if own.is_aspnet:
        return own
    disabled = evaluation.properties.text("DisableTransitiveFrameworkReferences")
    if isinstance(disabled, str) and disabled.lower() == "true":
        return own
    referenced = _search_references(projects, path, built)
    return referenced if referenced.is_aspnet or own.is_aspnet is False else own


def _own(evaluation: Evaluation, items: Iterable[ProjectItem]) -> AspNetUse:
    if any(sdk.lower() == WEB_SDK for sdk in evaluation.sdks):
        return AspNetUse(True)
    certain = {
        item.certain for item in items if item.name == "FrameworkReference" and item.include.lower() == _ASPNET
    }
    if True in certain:
        return AspNetUse(True)
    return (
        AspNetUse(None, "the reference to Microsoft.AspNetCore.App has a condition")
        if certain
        else AspNetUse(False)
    )


def _search_references(projects: Projects, path: str, built: Built) -> AspNetUse:
    """Breadth first through the projects that flow into this one; certain ways are gone before uncertain ones."""
    open_question = AspNetUse(False)
    certainty_by_path: dict[str, bool] = {path: True}
    waiting: list[tuple[str, Built, bool]] = [(path, built, True)]
    followed = 0
    for here, current, is_certain in waiting:
        references = projects.references(here, current.evaluation)
        followed += len(references)
        if followed > MOST_REFERENCES:
            return _first(open_question, AspNetUse(None, "it has too many references to follow"))
        for reference in references:
            if not _flows(reference, is_direct=here == path):
                continue
            certain = is_certain and reference.item.certain
            if reference.path is None:
                open_question = _first(open_question, AspNetUse(None, reference.why))
                continue
            if certainty_by_path.get(reference.path, False) >= certain and reference.path in certainty_by_path:
                continue
            certainty_by_path[reference.path] = certain
            fitting = _fitting(projects.built(reference.path), current.framework)
            if not fitting:
                open_question = _first(open_question, AspNetUse(None, f"{reference.path} cannot be read"))
            answers = {_flowing(each.evaluation).is_aspnet for each in fitting}
            answer = answers.pop() if len(answers) == 1 else None
            if answer and certain:
                return AspNetUse(True)
            if answer or (fitting and answer is None):
                why = f"whether {reference.path} brings ASP.NET Core depends on a condition"
                open_question = _first(open_question, AspNetUse(None, why))
            waiting += ((reference.path, each, certain) for each in fitting)
    return open_question


def _first(earlier: AspNetUse, new: AspNetUse) -> AspNetUse:
    return new if earlier.is_aspnet is False else earlier


def _flows(reference: ProjectReference, *, is_direct: bool) -> bool:
    metadata = reference.item.metadata
    if metadata.get("referenceoutputassembly", "").lower() == "false":
        return False
    return is_direct or metadata.get("privateassets", "").lower() != "all"


def _flowing(evaluation: Evaluation) -> AspNetUse:
    public = [item for item in evaluation.items if item.metadata.get("privateassets", "").lower() != "all"]
    return _own(evaluation, public)


def _fitting(built: tuple[Built, ...], framework: str | UndecidedValue) -> tuple[Built, ...]:
    """The build for the same framework where there is one, else all: NuGet takes the nearest."""
    same = tuple(each for each in built if each.framework == framework)
    return same or built
