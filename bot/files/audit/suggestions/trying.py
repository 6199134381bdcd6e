"""Advice on images of others: what to try, and what shows that it failed.

What an image needs is known of those that stand on .NET, be they built here or Microsoft's, and of stock images by
their documents. Of any other it is not: the same words as an order, or as a patch, may keep it from starting.
"""

from collections.abc import Iterable
from enum import StrEnum

from bot.domain.repositories.finding import Fix
from bot.files.audit.delivery.image_traits import ImageTraits


class Sign(StrEnum):
    """What a program logs that lacks a right."""

    OF_RIGHTS = "'Operation not permitted'"
    OF_FILES = "'Permission denied'"
    OF_MODES = "a complaint about the modes of files"
    OF_ROOT = "'Read-only file system'"


def tried_unless_known(images: ImageTraits | Iterable[ImageTraits], fix: Fix, sign: Sign) -> Fix:
    """The fix as it is for images whose needs are known; where one's are not, what to try, without a patch."""
    if all(each.is_known for each in ([images] if isinstance(images, ImageTraits) else images)):
        return fix
    return tried(fix, sign)


def tried(fix: Fix, sign: Sign) -> Fix:
    """A fix as what to try, in one sentence with what shows that it failed, and without a patch."""
    shown = f"a start that fails, or {sign} in its log, shows that it needs more"
    advice = f"try to {fix.advice}; what it needs is not known here: {shown}"
    return Fix(advice, left_alone=fix.left_alone)
