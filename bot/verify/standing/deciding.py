"""What an image stands on: layers first, since they cannot be made up, then what is said, each by its weight."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from bot.domain.bases.observation import PlatformImage
from bot.domain.evidence import Strength
from bot.domain.images.standing import Basis, Declaration, ImageStanding, Publication
from bot.domain.reference import Base
from bot.verify.standing.declared import base_named, most_telling_first
from bot.verify.standing.observed_layers import LayerMatch, ObservedLayers


def standing_of(
    image: PlatformImage,
    observed: ObservedLayers,
    declared: Sequence[Declaration | None] = (),
    *,
    expected: Collection[Base] = (),
    apart_from: str | None = None,
    confirmed: Collection[str] = (),
) -> ImageStanding:
    """What one platform of an image stands on, seen as standing on one of `expected` where it may.

    `apart_from` is the image's own name, where it is a base itself. `confirmed` are the digests of platforms of
    bases whose layers were compared whole: what was observed with few digits is proved by them.
    """
    declarations = most_telling_first(declared)
    match = _confirmed(observed.match(image, apart_from=apart_from), confirmed)
    if match is None:
        return _as_declared(image.platform, observed, declarations).of(expected)
    standing = ImageStanding(image.platform, match.strength, Basis.LAYERS, match.publications, match.layers)
    for declaration in declarations:
        said = _named(declaration, image.platform, observed)
        agreed = tuple(each for each in match.publications if each in said)
        if said and not agreed:
            told = f"its {declaration.basis} names {_briefly(declaration)}, which its layers do not show"
            standing = replace(standing, disagreement=told)
            break
        if agreed and declaration.basis is Basis.VERIFIED_PROVENANCE:
            basis = Basis.LAYERS if match.strength is Strength.PROVED else Basis.VERIFIED_PROVENANCE
            standing = replace(standing, strength=Strength.PROVED, basis=basis, publications=agreed)
    return standing.of(expected)


def _confirmed(match: LayerMatch | None, confirmed: Collection[str]) -> LayerMatch | None:
    if match is None or match.strength is Strength.PROVED:
        return match
    sure = tuple(each for each in match.publications if each.platform_digest in confirmed)
    return LayerMatch(sure, match.layers, Strength.PROVED) if sure else match


def _as_declared(platform: str, observed: ObservedLayers, declarations: Sequence[Declaration]) -> ImageStanding:
    """The first declaration whose digest was observed, else the first that names a base at all."""
    for declaration in declarations:
        if said := _named(declaration, platform, observed):
            is_verified = declaration.basis is Basis.VERIFIED_PROVENANCE
            strength = Strength.PROVED if is_verified else Strength.CLAIMED
            return ImageStanding(platform, strength, declaration.basis, said, named=declaration.named)
    for declaration in declarations:
        if declaration.digests or base_named(declaration) is not None:
            return ImageStanding(platform, Strength.CLAIMED, declaration.basis, named=_briefly(declaration))
    return ImageStanding(platform)


def _named(declaration: Declaration, platform: str, observed: ObservedLayers) -> tuple[Publication, ...]:
    return tuple(
        publication for digest in sorted(declaration.digests) for publication in observed.named(digest, platform)
    )


def _briefly(declaration: Declaration) -> str:
    if declaration.named:
        return declaration.named
    return next(f"{digest[:19]}…" for digest in sorted(declaration.digests))
