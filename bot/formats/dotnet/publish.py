"""Whether a project is published as a container, and on which base where it names none.

What a referenced project or package adds (a framework reference, say) is not seen.
"""

import re
from dataclasses import dataclass
from itertools import product
from typing import Any

from bot.domain.reference import Reference
from bot.formats.dotnet.msbuild.properties import Evaluation, Undecided
from bot.formats.dotnet.sdk_base import NoBase, Publish, base_of, framework_of

MOST_RUNTIMES = 20

_SIGN = re.compile(
    r"Container(?:Repository|Image(?:Name|Tags?|Format)|Registry|Family|User|WorkingDirectory|RuntimeIdentifiers?"
    r"|ArchiveOutputPath|EntryPoint|AppCommand(?:Instruction)?|DefaultArgs|Port|Label|EnvironmentVariable"
    r"|Description|Authors|Title|Version|Vendor|GenerateLabels)",
    re.I,
)
"""Properties and items that only mean something to the SDK's container publish."""
_WEB_SDK = "microsoft.net.sdk.web"
_ASPNET = "Microsoft.AspNetCore.App"
_PUBLISHED_BY_DEFAULT = frozenset({_WEB_SDK, "microsoft.net.sdk.worker"})
"""SDKs whose projects are executables and can be published as containers without asking for it."""


def is_published(evaluation: Evaluation, path: str) -> bool:
    """Whether the project is evidently published as a container, and is something that runs."""
    by_default = _has_sdk(evaluation, *_PUBLISHED_BY_DEFAULT)
    asked_for = _says(evaluation, "EnableSdkContainerSupport")
    is_test = _says(evaluation, "IsTestProject") or _has_item(
        evaluation, "PackageReference", "Microsoft.NET.Test.Sdk"
    )
    is_package = _says(evaluation, "IsPackable") and not asked_for
    if not evaluation.sdks or not _runs(evaluation, by_default) or is_test or is_package:
        return False
    if asked_for is False or _says(evaluation, "IsPublishable") is False:
        return False
    return bool(asked_for) or _has_sign(evaluation, path, anywhere=by_default)


def _runs(evaluation: Evaluation, by_default: bool) -> bool:
    output = evaluation.text("OutputType")
    if isinstance(output, Undecided):
        return True
    return output.lower() in ("exe", "winexe") if output else by_default


def _has_sign(evaluation: Evaluation, path: str, *, anywhere: bool) -> bool:
    """A sign in the project itself; one in a shared file says nothing of a console tool that happens to see it."""
    settings = evaluation.settings()
    return (
        str(evaluation.text("PublishProfile")).lower() == "defaultcontainer"
        or str(evaluation.text("WebPublishMethod")).lower() == "container"
        or _has_item(evaluation, "PackageReference", "Microsoft.NET.Build.Containers")
        or any(_SIGN.fullmatch(name) and (anywhere or where.path == path) for name, where in settings.items())
        or any(_SIGN.fullmatch(item.name) and (anywhere or item.path == path) for item in evaluation.items)
    )


class NotDecided(Exception):
    """The texts leave open which base it is; `str()` says what is missing."""


@dataclass(frozen=True, slots=True)
class _Switch:
    """A yes-or-no setting with the answers that the texts leave possible."""

    name: str
    answers: tuple[bool | None, ...]
    why: str = ""


def implicit_base(
    framework: str | Undecided, evaluation: Evaluation, sdk: str | None
) -> tuple[Reference | None, tuple[str, ...]]:
    """The one base that every possible reading leads to, None for a framework that runs in no container."""
    if framework == "":
        raise NotDecided("TargetFramework is not set here")
    version = framework_of(_decided("TargetFramework", framework))
    if version is None:
        return None, ()
    family = _decided("ContainerFamily", evaluation.text("ContainerFamily"))
    runtimes = _runtimes(evaluation)
    switches = _switches(evaluation)
    found: dict[Reference, None] = {}
    for answers in product(*(switch.answers for switch in switches)):
        settings: dict[str, Any] = dict(zip((switch.name for switch in switches), answers, strict=True))
        try:
            found[base_of(Publish(version, runtimes, family=family, sdk=sdk, **settings))] = None
        except NoBase as error:
            raise NotDecided(str(error)) from error
    if len(found) > 1:
        raise NotDecided("; ".join(switch.why for switch in switches if len(switch.answers) > 1))
    return next(iter(found)), runtimes


def _runtimes(evaluation: Evaluation) -> tuple[str, ...]:
    """In the order in which the SDK's container targets ask."""
    plural = ("ContainerRuntimeIdentifiers", "RuntimeIdentifiers")
    for name in (*plural, "ContainerRuntimeIdentifier", "RuntimeIdentifier"):
        listed = _decided(name, evaluation.text(name))
        if listed:
            return tuple(runtime.strip() for runtime in listed.split(";") if runtime.strip())[:MOST_RUNTIMES]
    return ()


def _switches(evaluation: Evaluation) -> list[_Switch]:
    identifier = evaluation.text("RuntimeIdentifier")
    return [
        _switch(evaluation, "self_contained", "SelfContained", absent=None),
        _switch(evaluation, "publish_self_contained", "PublishSelfContained", absent=None),
        _switch(evaluation, "trimmed", "PublishTrimmed"),
        _switch(evaluation, "single_file", "PublishSingleFile"),
        _switch(evaluation, "aot", "PublishAot"),
        _switch(evaluation, "invariant", "InvariantGlobalization"),
        _switch(evaluation, "built_for_runtime", "PublishReadyToRun")
        if identifier == ""
        else _Switch("built_for_runtime", (True,)),
        _aspnet(evaluation),
    ]


def _switch(evaluation: Evaluation, name: str, prop: str, *, absent: bool | None = False) -> _Switch:
    value = evaluation.text(prop)
    if isinstance(value, Undecided):
        return _Switch(name, (True, False), f"{prop}: {value.why}")
    return _Switch(name, (absent if value == "" else value.lower() == "true",))


def _aspnet(evaluation: Evaluation) -> _Switch:
    references = [item for item in evaluation.items if item.name == "FrameworkReference"]
    certain = {item.certain for item in references if item.include.lower() == _ASPNET.lower()}
    if _has_sdk(evaluation, _WEB_SDK) or True in certain:
        return _Switch("aspnet", (True,))
    if certain:
        return _Switch("aspnet", (True, False), f"the reference to {_ASPNET} has a condition")
    return _Switch("aspnet", (False,))


def _decided(name: str, value: str | Undecided) -> str:
    if isinstance(value, Undecided):
        raise NotDecided(f"{name}: {value.why}")
    return value


def _says(evaluation: Evaluation, name: str) -> bool | None:
    value = evaluation.text(name)
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None


def _has_item(evaluation: Evaluation, name: str, include: str) -> bool:
    return any(item.name == name and item.include.lower() == include.lower() for item in evaluation.items)


def _has_sdk(evaluation: Evaluation, *names: str) -> bool:
    return any(sdk.lower() in names for sdk in evaluation.sdks)
