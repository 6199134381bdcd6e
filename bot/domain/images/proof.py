"""Whether the image of a build stands on the base that its rebuild was for, and which line is likely at fault where
it does not."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.evidence import ImageVerdict, Strength
from bot.domain.images.image import ProducedImage
from bot.domain.images.standing import ImageStanding, judged
from bot.domain.reference import Base
from bot.domain.repositories.usage import Usage
from bot.domain.rollouts.rebuild import Target


@dataclass(frozen=True, slots=True)
class Proof:
    """A verdict on one image or one platform, and what was seen, for people."""

    verdict: ImageVerdict
    text: str
    awaits_base: bool = False
    """Whether it stands on a build of its base that was not seen: a look at the base, which is due, may tell."""


def may_stand_on(image: ProducedImage, bases: Collection[Base]) -> bool:
    """Whether a rebuild for `bases` may show in an image: not where it is known to stand on something else."""
    known_bases = {base for each in image.standings for base in (each.base, each.built_from) if base is not None}
    return image.doubt is None and (not known_bases or not known_bases.isdisjoint(bases))


def proof_of(
    image: ProducedImage,
    standings: Sequence[ImageStanding],
    targets: Sequence[Target],
    published: Mapping[str, datetime],
    usages: Sequence[Usage],
    now: datetime,
) -> Proof:
    """What a new digest of `image` shows, whose platforms have `standings`.

    `published` tells when each wanted digest was seen first; `usages` are those of the image's repository.
    """
    targets_by_base = {target.base: target for target in targets}
    counted = judged(standings)
    each = [_of_platform(standing, targets_by_base, published, now) for standing in counted]
    awaits_base = any(proof.awaits_base for proof in each)
    worst = max(each, key=lambda proof: _ORDER.index(proof.verdict), default=None)
    if worst is None:
        return Proof(ImageVerdict.UNKNOWN, f"{image.place} shows no platform")
    if worst.verdict is ImageVerdict.NO_OP:
        old = [
            standing for standing, proof in zip(counted, each, strict=True) if proof.verdict is ImageVerdict.NO_OP
        ]
        is_partly = any(proof.verdict is ImageVerdict.PROVED for proof in each)
        return Proof(
            ImageVerdict.NO_OP,
            f"built on the old base, likely at fault: {line_at_fault(image, old, usages, is_partly=is_partly)}; "
            f"{image.place} still stands on {worst.text}",
        )
    if worst.verdict is ImageVerdict.OTHER:
        base_names = " or ".join(sorted(base.short for base in targets_by_base))
        text = f"built, but {image.place} stands on {worst.text} instead of {base_names}"
        return Proof(ImageVerdict.OTHER, text, awaits_base)
    words = "stands on" if worst.verdict is ImageVerdict.PROVED else "does not show what it stands on:"
    return Proof(worst.verdict, f"{image.place} {words} {worst.text}", awaits_base)


def not_seen(image: ProducedImage, usages: Sequence[Usage], within: str) -> Proof:
    """What is said where a build has pushed nothing new `within` its time. One that takes everything from its cache
    pushes the digest that was there."""
    if image.digest is None:
        return Proof(ImageVerdict.NOT_SEEN, f"built, but nothing was pushed to {image.place} within {within}")
    text = f"built, but nothing new was pushed to {image.place} within {within}"
    if old := [standing for standing in image.standings if standing.behind_since is not None]:
        text += "; if the same was pushed again, likely at fault: "
        text += line_at_fault(image, old, usages, is_partly=False)
    return Proof(ImageVerdict.NOT_SEEN, text)


_ORDER = (ImageVerdict.PROVED, ImageVerdict.UNKNOWN, ImageVerdict.OTHER, ImageVerdict.NO_OP)


def _of_platform(
    standing: ImageStanding,
    targets_by_base: Mapping[Base, Target],
    published: Mapping[str, datetime],
    now: datetime,
) -> Proof:
    text = standing.told(now)
    if standing.built_from is not None and standing.base is not None:
        is_another_tag = standing.base.name == standing.built_from.name
        verdict = ImageVerdict.OTHER if is_another_tag else ImageVerdict.UNKNOWN
        return Proof(verdict, text if is_another_tag else f"{standing.platform} is {text}", awaits_base=True)
    is_sure = standing.strength is Strength.PROVED
    is_shown_by_layers = standing.strength is Strength.CONTRADICTED and standing.are_layers_proved
    if standing.base is None or not (is_sure or is_shown_by_layers):
        return Proof(ImageVerdict.UNKNOWN, f"{standing.platform} is {text}")
    target = targets_by_base.get(standing.base)
    if target is None:
        return Proof(ImageVerdict.OTHER, text)
    since = published.get(target.to_digest)
    is_new = any(
        each.digest == target.to_digest or each.until is None or (since is not None and each.at >= since)
        for each in standing.publications
    )
    if is_new and not is_sure:
        return Proof(ImageVerdict.UNKNOWN, f"{standing.platform} is {text}")
    return Proof(ImageVerdict.PROVED if is_new else ImageVerdict.NO_OP, text)


def line_at_fault(
    image: ProducedImage, old: Sequence[ImageStanding], usages: Sequence[Usage], *, is_partly: bool
) -> str:
    """Why a build took the old base, by what the repository's files show: a place where they do, else a guess."""
    digests = {
        digest
        for standing in old
        for each in standing.publications
        for digest in (each.digest, each.platform_digest)
    }
    pinned = next((usage for usage in usages if usage.reference.digest in digests), None)
    if pinned is not None:
        return f"{pinned.path}:{pinned.line} pins that digest"
    claim = image.claim
    if is_partly:
        platforms = ", ".join(standing.platform for standing in old)
        place = f"{claim.path}:{claim.line} " if claim.path else ""
        return f"{place}builds other platforms anew than {platforms}"
    if claim.pulls is False:
        return f"{claim.path}:{claim.line} builds without --pull (in an action pull: true)"
    return "a cached layer, though no line shows it"
