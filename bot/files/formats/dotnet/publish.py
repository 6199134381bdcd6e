"""Whether a project is published as a container, and on which base where it names none."""

import re
from dataclasses import dataclass
from itertools import product
from typing import Any

from bot.domain.reference import Reference
from bot.files.formats.dotnet.aspnet import WEB_SDK, AspNetUse
from bot.files.formats.dotnet.msbuild.evaluation import Evaluation
from bot.files.formats.dotnet.msbuild.values import UndecidedValue
from bot.files.formats.dotnet.sdk_base import NoBase, Publish, base_of, framework_of

MOST_RUNTIMES = 20

_SIGN = re.compile(
    r"Container(?:Repository|Image(?:Name|Tags?|Format)|Registry|Family|User|WorkingDirectory|RuntimeIdentifiers?"
    r"|ArchiveOutputPath|EntryPoint|AppCommand(?:Instruction)?|DefaultArgs|Port|Label|EnvironmentVariable"
    r"|Description|Authors|Title|Version|Vendor|GenerateLabels)",
    re.I,
)
"""Properties and items that only mean something to the SDK's container publish."""
_PUBLISHED_BY_DEFAULT = frozenset({WEB_SDK, "microsoft.net.sdk.worker"})
"""SDKs whose projects are executables and can be published as containers without asking for it."""


def is_published(evaluation: Evaluation, path: str) -> bool:
    """Whether the project by itself is evidently published as a container, and is something that runs."""
    by_default = has_sdk(evaluation, *_PUBLISHED_BY_DEFAULT)
    asked_for = _says(evaluation, "EnableSdkContainerSupport")
    is_package = _says(evaluation, "IsPackable") and not asked_for
    if not evaluation.sdks or not _runs(evaluation, by_default) or is_test(evaluation) or is_package:
        return False
    if asked_for is False or _says(evaluation, "IsPublishable") is False:
        return False
    return bool(asked_for) or _has_sign(evaluation, path, anywhere=by_default)


def is_test(evaluation: Evaluation) -> bool:
    return bool(_says(evaluation, "IsTestProject")) or has_item(
        evaluation, "PackageReference", "Microsoft.NET.Test.Sdk"
    )


def not_publishable(evaluation: Evaluation, framework: str | UndecidedValue) -> str | None:
    """Why a project that somebody else publishes (an AppHost, azd) gives no container of the .NET SDK, None where
    it does."""
    if _says(evaluation, "EnableSdkContainerSupport") is False or _says(evaluation, "IsPublishable") is False:
        return "says itself that it is not published"
    if not evaluation.sdks or not _runs(evaluation, has_sdk(evaluation, *_PUBLISHED_BY_DEFAULT)):
        return "is no executable"
    if isinstance(framework, str) and "-" in framework:
        return f"is built for {framework}, which runs in no Linux container"
    if has_item(evaluation, "PackageReference", "Microsoft.Azure.Functions.Worker.Sdk"):
        return "stands on a base that the Azure Functions SDK chooses, which is not followed"
    return None


def _runs(evaluation: Evaluation, by_default: bool) -> bool:
    output = evaluation.properties.text("OutputType")
    if isinstance(output, UndecidedValue):
        return True
    return output.lower() in ("exe", "winexe") if output else by_default


def _has_sign(evaluation: Evaluation, path: str, *, anywhere: bool) -> bool:
    """A sign in the project itself; one in a shared file says nothing of a console tool that happens to see it."""
    settings = evaluation.properties.settings()
    return (
        str(evaluation.properties.text("PublishProfile")).lower() == "defaultcontainer"
        or str(evaluation.properties.text("WebPublishMethod")).lower() == "container"
        or has_item(evaluation, "PackageReference", "Microsoft.NET.Build.Containers")
        or any(_SIGN.fullmatch(name) and (anywhere or setting.path == path) for name, setting in settings.items())
        or any(_SIGN.fullmatch(item.name) and (anywhere or item.path == path) for item in evaluation.items)
    )


class NotDecided(Exception):
    """The texts leave open which base it is; `str()` says what is missing."""


@dataclass(frozen=True, slots=True)
class Implied:
    """The bases that the SDK may choose: one where the texts decide it, several with the reason where they do not.

    Nothing for a framework that runs in no container.
    """

    references: tuple[Reference, ...]
    runtimes: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Switch:
    """A yes-or-no setting with the answers that the texts leave possible."""

    name: str
    answers: tuple[bool | None, ...]
    why: str = ""


def implicit_base(
    framework: str | UndecidedValue, evaluation: Evaluation, aspnet: AspNetUse, sdk: str | None
) -> Implied:
    """Every base that a possible reading leads to. Raises `NotDecided` where the texts do not tell the choice."""
    if framework == "":
        raise NotDecided("TargetFramework is not set here")
    version = framework_of(_require_decided("TargetFramework", framework))
    if version is None:
        return Implied(())
    family = _require_decided("ContainerFamily", evaluation.properties.text("ContainerFamily"))
    runtimes = _runtimes(evaluation)
    switches = [*_switches(evaluation), _aspnet(aspnet)]
    bases: dict[Reference, None] = {}
    for answers in product(*(switch.answers for switch in switches)):
        settings: dict[str, Any] = dict(zip((switch.name for switch in switches), answers, strict=True))
        try:
            bases[base_of(Publish(version, runtimes, family=family, sdk=sdk, **settings))] = None
        except NoBase as error:
            raise NotDecided(str(error)) from error
    if len(bases) == 1:
        return Implied(tuple(bases), runtimes)
    return Implied(tuple(bases), runtimes, "; ".join(switch.why for switch in switches if len(switch.answers) > 1))


def _runtimes(evaluation: Evaluation) -> tuple[str, ...]:
    """In the order in which the SDK's container targets ask."""
    plural = ("ContainerRuntimeIdentifiers", "RuntimeIdentifiers")
    for name in (*plural, "ContainerRuntimeIdentifier", "RuntimeIdentifier"):
        runtime_list = _require_decided(name, evaluation.properties.text(name))
        if runtime_list:
            return tuple(runtime.strip() for runtime in runtime_list.split(";") if runtime.strip())[:MOST_RUNTIMES]
    return ()


def _switches(evaluation: Evaluation) -> list[_Switch]:
    identifier = evaluation.properties.text("RuntimeIdentifier")
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
    ]


def _switch(evaluation: Evaluation, name: str, prop: str, *, absent: bool | None = False) -> _Switch:
    value = evaluation.properties.text(prop)
    if isinstance(value, UndecidedValue):
        return _Switch(name, (True, False), f"{prop}: {value.why}")
    return _Switch(name, (absent if value == "" else value.lower() == "true",))


def _aspnet(answer: AspNetUse) -> _Switch:
    answers = (True, False) if answer.is_aspnet is None else (answer.is_aspnet,)
    return _Switch("aspnet", answers, answer.why)


def _require_decided(name: str, value: str | UndecidedValue) -> str:
    if isinstance(value, UndecidedValue):
        raise NotDecided(f"{name}: {value.why}")
    return value


def _says(evaluation: Evaluation, name: str) -> bool | None:
    value = evaluation.properties.text(name)
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None


def has_item(evaluation: Evaluation, name: str, include: str) -> bool:
    return any(item.name == name and item.include.lower() == include.lower() for item in evaluation.items)


def has_sdk(evaluation: Evaluation, *names: str) -> bool:
    return any(sdk.lower() in names for sdk in evaluation.sdks)
