"""What an image stands on: layers first, since they cannot be made up, then what is said, each by its weight.

A configuration has the variables of its base and begins with its history. Some builders drop either, and a squashed
image has neither: what is absent says nothing.

A self-contained application has its runtime pack in `.deps.json`; a Native AOT one has nothing, and only provenance
tells which SDK made it. The SDK that its files name is the measure: its images declare which runtime they ship.

Law 1 begins here: layers prove a base only where it is the one that the image is built from. The layers of
`aspnet` begin with those of `runtime-deps`, so an image on a build of `aspnet` that nobody saw shows the latter's.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from bot.domain.bases.observation import PlatformImage
from bot.domain.evidence import Strength
from bot.domain.images.named_bases import NOTHING_NAMED, NamedBases, holds_dotnet, lacks_dotnet, may_hide
from bot.domain.images.standing import Basis, Declaration, Doubt, ImageStanding, Publication, RuntimeInside
from bot.domain.reference import Base
from bot.domain.tags.choice import is_newer
from bot.images.standing.declared import base_named, most_telling_first
from bot.images.standing.observed_layers import LayerMatch, ObservedLayers


def told_apart(image: PlatformImage, base_images: Sequence[PlatformImage]) -> list[PlatformImage]:
    """Those of `base_images`, which have the same layers, whose history the image's begins with; all of them where
    that tells nothing."""
    begun = [each for each in base_images if _begins_with(image, each)]
    longest = max((len(each.history) for each in begun), default=0)
    return [each for each in begun if len(each.history) == longest] or list(base_images)


def contradiction(image: PlatformImage, base_images: Sequence[PlatformImage]) -> str:
    """What the variables of an image say against all of `base_images`, one of which its layers name as its base;
    empty where nothing does."""
    contradictions = [_contradicts(image, below) for below in base_images]
    return contradictions[0] if contradictions and all(contradictions) else ""


def _contradicts(image: PlatformImage, below: PlatformImage) -> str:
    if image.versions is None or below.versions is None:
        return ""
    declared = {each.name: each.value for each in below.versions}
    for version in image.versions:
        value = declared.get(version.name)
        if value != version.value and not _is_its_own(version.step, image, below):
            base_says = f"its base declares {value}" if value is not None else "its base declares none"
            return f"its configuration has {version.name}={version.value}, and {base_says}"
    return ""


def _is_its_own(step: int | None, image: PlatformImage, below: PlatformImage) -> bool:
    """Whether the image's own Dockerfile sets a variable: a step does that its base has not."""
    return step is not None and _begins_with(image, below) and step >= len(below.history)


def _begins_with(image: PlatformImage, below: PlatformImage) -> bool:
    """Whether the history of an image begins with that of another, which has one."""
    return bool(below.history) and image.history[: len(below.history)] == below.history


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


@dataclass(frozen=True, slots=True)
class Witnesses:
    """What is known of a platform of an image besides its layers.

    `named` are the bases that the files name, `declared` what annotations, labels and provenance say of the base,
    `runtimes` the versions of .NET that its packages hold. `confirmed` are the digests of platforms of bases whose
    layers were compared whole: what was observed with few digits is proved by them. `apart_from` is the image's own
    name, where it is a base itself.
    """

    named: NamedBases = NOTHING_NAMED
    declared: Sequence[Declaration | None] = ()
    runtimes: Collection[str] = ()
    confirmed: Collection[str] = ()
    apart_from: str | None = None


def standing_of(image: PlatformImage, observed: ObservedLayers, witnesses: Witnesses) -> ImageStanding:
    """What one platform of an image stands on, and what tells for it and against it."""
    declarations = most_telling_first(witnesses.declared)
    match = _confirmed(observed.match(image, apart_from=witnesses.apart_from), witnesses.confirmed)
    of_base = [each for each in declarations if not each.is_stage]
    if match is None:
        standing = _as_declared(image.platform, observed, witnesses.named, of_base).of(witnesses.named.final)
    else:
        standing = _by_layers(image, match, observed, witnesses, of_base)
    inside = runtime_inside(standing, observed, witnesses.named.stages, witnesses.runtimes, declarations)
    return replace(standing, inside=inside)


def _by_layers(
    image: PlatformImage,
    match: LayerMatch,
    observed: ObservedLayers,
    witnesses: Witnesses,
    declarations: Sequence[Declaration],
) -> ImageStanding:
    below = ImageStanding(
        image.platform, match.strength, Basis.LAYERS, match.publications, match.layers, doubt=match.doubt
    )
    known_bases = _known_bases(image.platform, witnesses.named, declarations, observed)
    standing = _on_its_base(below, known_bases)
    alike = told_apart(image, [observed.image_of(each) for each in standing.publications])
    digests = {each.digest for each in alike}
    standing = replace(
        standing, publications=tuple(each for each in standing.publications if each.platform_digest in digests)
    )
    return _weighed(standing, image, observed, declarations)


def _known_bases(
    platform: str, named_bases: NamedBases, declarations: Sequence[Declaration], observed: ObservedLayers
) -> NamedBases:
    """The bases that the files name, else those that show what verified provenance names."""
    if named_bases.final:
        return named_bases
    proved = {
        publication.base
        for declaration in declarations
        if declaration.basis is Basis.VERIFIED_PROVENANCE
        for publication in _observed_as(declaration, platform, observed)
    }
    return replace(named_bases, final=tuple(sorted(proved)))


def _on_its_base(below: ImageStanding, named_bases: NamedBases) -> ImageStanding:
    """The standing seen as one on the base that the image is built from, as far as its layers show that one."""
    bases_below = {each.base for each in below.publications}
    if not named_bases.final:
        return _claimed(below.of(()), Doubt.NO_BASE_NAMED)
    if not bases_below.isdisjoint(named_bases.final):
        standing = below.of(named_bases.final)
        is_another = named_bases.is_open or _may_be_another(standing, below, named_bases)
        return _claimed(standing, Doubt.SEVERAL_NAMED) if is_another else standing
    sure = {
        base
        for base in bases_below & set(named_bases.stages)
        if not any(may_hide(each, base) for each in named_bases.final)
    }
    if sure:
        return _claimed(below.of(sure), Doubt.SEVERAL_NAMED) if named_bases.is_open else below.of(sure)
    over = below.of(())
    unseen = (each for each in named_bases.final if over.base is not None and may_hide(each, over.base))
    return replace(over, built_from=next(unseen, named_bases.final[0]))


def _may_be_another(standing: ImageStanding, below: ImageStanding, named_bases: NamedBases) -> bool:
    """Whether it may as well be built from another named base: one of which a build that nobody saw may stand on
    this one, or one that has shown the same and stands otherwise to it now."""
    bases_below = {each.base for each in below.publications}
    others = [below.of({each}) for each in named_bases.final if each in bases_below]
    if any(each.is_on_what_is_shown != standing.is_on_what_is_shown for each in others):
        return True
    hidden = (each for each in named_bases.final if each not in bases_below)
    return any(may_hide(each, standing.base) for each in hidden if standing.base is not None)


def _claimed(standing: ImageStanding, doubt: Doubt) -> ImageStanding:
    """Lowers the standing to a claim with this doubt, unless its layers themselves are doubted already."""
    return replace(standing, strength=Strength.CLAIMED, doubt=standing.doubt or doubt)


def _weighed(
    standing: ImageStanding, image: PlatformImage, observed: ObservedLayers, declarations: Sequence[Declaration]
) -> ImageStanding:
    """Adds what the other witnesses say for the standing and against it."""
    for declaration in declarations:
        publications = _observed_as(declaration, image.platform, observed)
        agreed = tuple(each for each in standing.publications if each in publications)
        if publications and not agreed:
            against = f"its {declaration.basis} names {_briefly(declaration)}, which its layers do not show"
            return replace(standing, strength=Strength.CONTRADICTED, disagreement=against)
        if agreed and declaration.basis is Basis.VERIFIED_PROVENANCE and standing.built_from is None:
            basis = Basis.LAYERS if standing.strength is Strength.PROVED else Basis.VERIFIED_PROVENANCE
            standing = replace(standing, strength=Strength.PROVED, basis=basis, publications=agreed, doubt=None)
    if standing.built_from is None and (
        against := contradiction(image, [observed.image_of(each) for each in standing.publications])
    ):
        return replace(standing, strength=Strength.CONTRADICTED, disagreement=against)
    return standing


def _confirmed(match: LayerMatch | None, confirmed: Collection[str]) -> LayerMatch | None:
    if match is None or match.doubt is not Doubt.FEW_DIGITS:
        return match
    sure = tuple(each for each in match.publications if each.platform_digest in confirmed)
    return LayerMatch(sure, match.layers) if sure else match


def _as_declared(
    platform: str, observed: ObservedLayers, named_bases: NamedBases, declarations: Sequence[Declaration]
) -> ImageStanding:
    """The first declaration whose digest was observed, else the first that names a base at all.

    Provenance names what went into a build, which of an image from scratch are its stages alone: it proves a base
    that the files name for the last stage.
    """
    for declaration in declarations:
        if publications := _observed_as(declaration, platform, observed):
            is_base = any(each.base in named_bases.final for each in publications)
            is_proved = is_base and declaration.basis is Basis.VERIFIED_PROVENANCE
            strength = Strength.PROVED if is_proved else Strength.CLAIMED
            return ImageStanding(platform, strength, declaration.basis, publications, named=declaration.named)
    for declaration in declarations:
        if declaration.digests or base_named(declaration) is not None:
            return ImageStanding(platform, Strength.CLAIMED, declaration.basis, named=_briefly(declaration))
    return ImageStanding(platform)


def _observed_as(declaration: Declaration, platform: str, observed: ObservedLayers) -> tuple[Publication, ...]:
    return tuple(
        publication for digest in sorted(declaration.digests) for publication in observed.named(digest, platform)
    )


def _briefly(declaration: Declaration) -> str:
    if declaration.named:
        return declaration.named
    return next(f"{digest[:19]}…" for digest in sorted(declaration.digests))
