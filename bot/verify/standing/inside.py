"""What shows of the .NET runtime that an application on `runtime-deps` brings itself.

A self-contained application has its runtime pack in `.deps.json`; a Native AOT one has nothing, and only provenance
tells which SDK made it. The SDK that its files name is the measure: its images declare which runtime they ship.
"""

from collections.abc import Collection, Iterable, Sequence

from bot.domain.images.named_bases import lacks_dotnet
from bot.domain.images.runtime_inside import RuntimeInside
from bot.domain.images.standing import Basis, Declaration, ImageStanding
from bot.domain.reference import Base
from bot.domain.tags.choice import is_newer
from bot.verify.standing.observed_layers import ObservedLayers


def runtime_inside(
    standing: ImageStanding,
    observed: ObservedLayers,
    stages: Collection[Base],
    runtimes: Collection[str],
    declarations: Sequence[Declaration],
) -> RuntimeInside | None:
    """Judges the runtime inside; None where the base brings it. `stages` are the bases that the files name for any
    stage, `runtimes` the versions of the runtime packs in the image."""
    base = standing.base
    if base is None or standing.built_from is not None or not lacks_dotnet(base):
        return None
    return (
        _by_provenance(standing.platform, observed, declarations)
        or _by_packages(observed, [each for each in stages if each.is_sdk], runtimes)
        or RuntimeInside()
    )


def _by_provenance(
    platform: str, observed: ObservedLayers, declarations: Iterable[Declaration]
) -> RuntimeInside | None:
    """By the SDK that signed provenance names with its digest."""
    publications = [
        publication
        for each in declarations
        if each.is_stage and each.basis is Basis.VERIFIED_PROVENANCE
        for digest in each.digests
        for publication in observed.named(digest, platform)
        if publication.base.is_sdk
    ]
    if not publications:
        return None
    is_current = any(each.until is None for each in publications)
    since = None if is_current else max(each.until for each in publications if each.until is not None)
    version = next((each for each in map(observed.declared, publications) if each is not None), "")
    return RuntimeInside(version, "provenance that names its SDK", is_current, since, is_signed=True)


def _by_packages(
    observed: ObservedLayers, sdks: Collection[Base], runtimes: Collection[str]
) -> RuntimeInside | None:
    """By the oldest runtime pack inside, held against those of the SDKs of its channel."""
    if not runtimes:
        return None
    oldest = next(each for each in runtimes if not any(is_newer(other, each) for other in runtimes))
    shipped = [
        (publication, version)
        for base in sdks
        for publication in observed.shown_by(base)
        if (version := observed.declared(publication)) is not None and _channel(version) == _channel(oldest)
    ]
    shipped_now = [version for publication, version in shipped if publication.until is None]
    newer = [publication for publication, version in shipped if is_newer(oldest, version)]
    if not shipped_now:
        return RuntimeInside(oldest, "no SDK of its channel that its files name was seen")
    if any(is_newer(oldest, version) for version in shipped_now):
        return RuntimeInside(oldest, "its packages", False, min(each.at for each in newer))
    return RuntimeInside(oldest, "its packages", is_current=True)


def _channel(version: str) -> str:
    return ".".join(version.split(".")[:2])
