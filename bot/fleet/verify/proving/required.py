"""What is required of images that are built, and which of it they lack."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from bot.domain.failure import Failure
from bot.domain.images.image import ProducedImage, SeenImage
from bot.domain.images.trust import Lack
from bot.domain.reference import Base
from bot.fleet.verify.images.ports import Look

SAY_WHO = "say in the settings under images who produces it"
TRIED_FOR = timedelta(days=1)
"""How long a registry that gives no answer is asked, before nothing is concluded from it."""
_CANNOT_TELL = (
    "built, but it cannot be told whether {} is signed as trust.rules require, which is as good as not: {}"
)


class ImageTrust(Protocol):
    """What is required of images that are built."""

    def requires(self, name: str) -> bool:
        """Whether anything is required of `registry/name`."""
        ...

    async def lack(self, place: Base, image: SeenImage) -> Lack | None:
        """What an image that was seen lacks of that; raises `Failure` where the registry does not say."""
        ...


class NothingRequired:
    """Where no rule asks for signatures."""

    def requires(self, name: str) -> bool:
        """Returns False: no image needs a signature."""
        return False

    async def lack(self, place: Base, image: SeenImage) -> Lack | None:
        """Returns None without asking anybody."""
        return None


def cannot_tell(place: Base, reason: str) -> str:
    """Says that nobody knows whether an image is signed that must be."""
    return _CANNOT_TELL.format(place, reason)


def not_shown(place: Base, reason: str) -> str:
    """Says that nobody knows whether a build has pushed another image than those that it was for."""
    return f"whether {place} was pushed too, and is signed as trust.rules require, cannot be told: {reason}"


def untold(trust: ImageTrust, images: Sequence[ProducedImage]) -> str | None:
    """Why it cannot be told whether an image is signed that must be, for nobody knows who produces it."""
    for image in images:
        if image.doubt is not None and trust.requires(image.claim.name):
            return f"{cannot_tell(image.place, image.doubt)}; {SAY_WHO}"
    return None


async def lack_of(
    trust: ImageTrust, images: Sequence[ProducedImage], looks: Sequence[Look | None], waiting_time: timedelta
) -> Lack | None:
    """What one of the images lacks that is required of it. What cannot be told for long is not valid.

    Raises `Failure` where a registry does not say, and was not asked for long.
    """
    for image, look in zip(images, looks, strict=True):
        if look is None:
            continue
        place = Base(image.claim.registry, image.claim.repository, look.tag)
        try:
            lack = await trust.lack(place, look.image)
        except Failure as failure:
            if failure.trouble.is_passing and waiting_time <= TRIED_FOR:
                raise
            return Lack(cannot_tell(place, str(failure)))
        if lack is not None:
            return lack
    return None
