"""What an image's configuration tells of its base, beside its layers: the second witness.

A configuration has the variables of its base and begins with its history. Some builders drop either, and a squashed
image has neither: what is absent says nothing.
"""

from collections.abc import Sequence

from bot.domain.bases.observation import PlatformImage


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
