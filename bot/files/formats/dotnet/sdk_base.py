"""The base image that `dotnet publish /t:PublishContainer` chooses where the project names none.

The rules are those of the .NET SDK: the task `ComputeDotnetBaseImageAndTag` in dotnet/sdk
(src/Containers/Microsoft.NET.Build.Containers/Tasks), and what makes a publish self-contained in
`Microsoft.NET.RuntimeIdentifierInference.targets`. SDKs of .NET 9 and 10 from before 2026 leave out the `-extra`
behind a ContainerFamily that the rules below add, and those from before March 2025 took some Native AOT bases
from the nightly repository.
"""

import re
from dataclasses import dataclass

from bot.domain.reference import Reference

REGISTRY = "mcr.microsoft.com"
_FIRST_WITH_EXTRA = 8
"""The .NET version whose images first came in `-extra` variants, and whose SDK first chose among them."""
_FIRST_NOBLE = (8, 0, 300)
_LAST_KNOWN = 11
"""The .NET version up to which it is known here on which Ubuntu release its SDK puts small images."""
_FIRST_BAND = 100
"""The feature band whose pre-releases come before the .NET version itself; later ones use its released images."""
_SDK_VERSION = re.compile(r"(?P<numbers>[0-9]{1,9}(?:\.[0-9]{1,9}){2})(?:-(?P<labels>[0-9A-Za-z.-]+))?")
_MODERN = re.compile(r"net([0-9]{1,3})\.([0-9]{1,3})(?:-[a-z0-9.]+)?", re.I)
_CORE = re.compile(r"netcoreapp([0-9]{1,3})\.([0-9]{1,3})", re.I)
_ARCHITECTURES = {
    "x64": "amd64",
    "arm64": "arm64",
    "arm": "arm/v7",
    "x86": "386",
    "ppc64le": "ppc64le",
    "s390x": "s390x",
    "riscv64": "riscv64",
    "loongarch64": "loong64",
}


class NoBase(ValueError):
    """The SDK would refuse to publish this, or what it chooses is not known; `str()` says why."""


@dataclass(frozen=True, slots=True)
class Publish:
    """What decides the base. None where the project leaves a setting out, so that the SDK infers it.

    `framework` is the (major, minor) of the target framework, `sdk` the SDK's version where it is pinned; without
    it, the SDK is taken to be a released one of the same .NET version.
    """

    framework: tuple[int, int]
    runtimes: tuple[str, ...] = ()
    """What the image is for, as runtime identifiers; empty for Linux on the machine's own architecture."""
    built_for_runtime: bool = False
    """The build itself is for one runtime identifier, which before .NET 8 meant a self-contained application."""
    aspnet: bool = False
    family: str = ""
    self_contained: bool | None = None
    publish_self_contained: bool | None = None
    trimmed: bool = False
    single_file: bool = False
    aot: bool = False
    invariant: bool = False
    sdk: str | None = None

    @property
    def is_musl(self) -> bool:
        return bool(self.runtimes) and all(runtime.startswith("linux-musl") for runtime in self.runtimes)

    @property
    def is_self_contained(self) -> bool:
        if self.publish_self_contained is not None:
            return self.publish_self_contained
        if self.self_contained is not None:
            return self.self_contained
        if self.framework < (8, 0):
            return self.built_for_runtime or self.single_file or self.aot
        return self.trimmed or self.single_file or self.aot


def framework_of(name: str) -> tuple[int, int] | None:
    """(major, minor) of a target framework that can run in a container: `net8.0`, `netcoreapp3.1`."""
    match = _MODERN.fullmatch(name.strip()) or _CORE.fullmatch(name.strip())
    return (int(match[1]), int(match[2])) if match else None


def platform_of(runtime: str) -> str | None:
    """`linux-musl-x64` → `linux/amd64`; None where the runtime identifier names no container platform."""
    system, _, architecture = runtime.replace("linux-musl-", "linux-").partition("-")
    if system not in ("linux", "win") or architecture not in _ARCHITECTURES:
        return None
    return f"{'windows' if system == 'win' else system}/{_ARCHITECTURES[architecture]}"


def base_of(publish: Publish) -> Reference:
    """The base that the SDK chooses. Raises `NoBase` where it would stop with an error, or that is not known."""
    if not publish.is_musl and any(runtime.startswith("linux-musl") for runtime in publish.runtimes):
        raise NoBase("its runtime identifiers mix linux-musl with others, which dotnet publish refuses")
    family = "runtime-deps" if publish.is_self_contained else "aspnet" if publish.aspnet else "runtime"
    return Reference(f"{REGISTRY}/dotnet/{family}", _version(publish) + _suffix(publish))


@dataclass(frozen=True, slots=True)
class _Sdk:
    """The SDK's version, a semantic one: numbers, and what follows a hyphen, split at the dots."""

    numbers: tuple[int, ...]
    labels: tuple[str, ...] = ()

    @classmethod
    def parse(cls, version: str) -> "_Sdk | None":
        match = _SDK_VERSION.fullmatch(version)
        if match is None:
            return None
        labels = match["labels"]
        numbers = tuple(int(number) for number in match["numbers"].split("."))
        return cls(numbers, tuple(labels.split(".")) if labels else ())


def _version(publish: Publish) -> str:
    channel = ".".join(map(str, publish.framework))
    sdk = _Sdk.parse(publish.sdk or "")
    if sdk is None or sdk.numbers[:2] != publish.framework or publish.framework[0] < _FIRST_WITH_EXTRA:
        return channel
    if sdk.numbers[2] != _FIRST_BAND:
        return channel
    match sdk.labels:
        case [] | ["rtm" | "servicing", *_]:
            return channel
        case ["alpha" | "dev" | "ci", *_]:
            return f"{channel}-preview"
        case ["rc" | "preview" as label, number, *_]:
            return f"{channel}.0-{label}.{number}"
    raise NoBase(f"the .NET SDK {publish.sdk} knows no base for a pre-release of that name")


def _suffix(publish: Publish) -> str:
    has_extra = publish.framework[0] >= _FIRST_WITH_EXTRA
    if publish.family:
        needs_globalization = publish.family.endswith("-chiseled") and not publish.is_musl and not publish.invariant
        sdk = _Sdk.parse(publish.sdk or "")
        released = sdk is None or not sdk.labels
        return f"-{publish.family}" + ("-extra" if needs_globalization and has_extra and released else "")
    if not has_extra:
        return "-alpine" if publish.is_musl else ""
    is_small = publish.aot or publish.trimmed
    system = "-alpine" if publish.is_musl else f"-{_ubuntu(publish)}-chiseled" if is_small else ""
    return system + ("-extra" if is_small and not publish.invariant else "")


def _ubuntu(publish: Publish) -> str:
    """The release behind `-chiseled`: SDK 8.0.300 moved to noble, the SDK of .NET 11 to resolute."""
    sdk = _Sdk.parse(publish.sdk or "") or _Sdk((*publish.framework, 999))
    if sdk.numbers[0] > _LAST_KNOWN:
        raise NoBase(f"the Ubuntu release that the .NET SDK {sdk.numbers[0]} takes is not known here")
    if sdk.numbers >= (11, 0, 100):
        return "resolute"
    is_noble = sdk.numbers > _FIRST_NOBLE or (sdk.numbers == _FIRST_NOBLE and not sdk.labels)
    return "noble" if is_noble else "jammy"
