"""What shows of the .NET runtime that an application on `runtime-deps` brings itself.

A self-contained application has its runtime pack in `.deps.json`; a Native AOT one has nothing, and only provenance
tells which SDK made it. The SDK that its files name is the measure: its images declare which runtime they ship.
"""

from collections.abc import Collection, Iterable, Sequence

from bot.domain.images.named_bases import holds_dotnet, lacks_dotnet
from bot.domain.images.standing import Basis, Declaration, ImageStanding, Publication, RuntimeInside
from bot.domain.reference import Base
from bot.domain.tags.choice import is_newer
from bot.images.standing.declared import base_named
from bot.images.standing.observed_layers import ObservedLayers

_DEEPEST = 10
"""Own bases on each other that are followed down."""


def runtime_inside(
    standing: ImageStanding,
    observed: ObservedLayers,
    stages: Collection[Base],
    runtimes: Collection[str],
    declarations: Sequence[Declaration],
) -> RuntimeInside | None:
    """Judges the runtime inside; None where the base brings it. `stages` are the bases that the files name for any
    stage, `runtimes` the versions of the runtime packs in the image."""
    if standing.built_from is not None or not standing.publications:
        return None
    below = standing.publications[0]
    if holds_dotnet(below.base) or not (runtimes or _lacks_dotnet(below, observed)):
        return None
    return (
        _by_provenance(standing.platform, observed, declarations)
        or _by_packages(observed, [each for each in stages if each.is_sdk], runtimes)
        or RuntimeInside()
    )


def _lacks_dotnet(below: Publication, observed: ObservedLayers) -> bool:
    """Whether an application on it brings its own .NET: on `runtime-deps`, and on an own base or a mirror of any
    name that stands on that with no .NET between."""
    if lacks_dotnet(below.base):
        return True
    for _ in range(_DEEPEST):
        image = observed.image_of(below)
        match = observed.match(image, apart_from=below.base.name)
        if match is None or image.versions or any(holds_dotnet(each.base) for each in match.publications):
            return False
        if any(lacks_dotnet(each.base) for each in match.publications):
            return True
        below = match.publications[0]
    return False


def _by_provenance(
    platform: str, observed: ObservedLayers, declarations: Iterable[Declaration]
) -> RuntimeInside | None:
    """By the SDKs that signed provenance names with their digests. Which of several has made it does not show: it
    is told where all of them are shown now, and where none is."""
    sdks: list[list[Publication]] = []
    for declaration in declarations:
        if not declaration.is_stage or declaration.basis is not Basis.VERIFIED_PROVENANCE:
            continue
        publications_of_sdk = [
            one for digest in sorted(declaration.digests) for one in observed.named(digest, platform)
        ]
        sdk_base = base_named(declaration)
        if any(one.base.is_sdk for one in publications_of_sdk) or (sdk_base is not None and sdk_base.is_sdk):
            sdks.append([one for one in publications_of_sdk if one.base.is_sdk])
    are_current = [any(one.until is None for one in publications_of_sdk) for publications_of_sdk in sdks]
    if not sdks or not all(sdks) or len(set(are_current)) > 1:
        return None
    is_current, publications = are_current[0], [one for publications_of_sdk in sdks for one in publications_of_sdk]
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
