"""What the image of a build was seen to show."""

from enum import StrEnum


class ImageVerdict(StrEnum):
    """`no-op` is an image that is new and stands on the old base, `other` one on a base that nobody expected;
    `untrusted` is one that lacks a signature or a builder that is required of it, or of which that cannot be told.
    """

    PROVED = "proved"
    NO_OP = "no-op"
    OTHER = "other"
    NOT_SEEN = "not-seen"
    UNTRUSTED = "untrusted"
    UNKNOWN = "unknown"

    @property
    def fails(self) -> bool:
        """Whether the rebuild has not done what it was for. That tells nothing against the base."""
        return self in (ImageVerdict.NO_OP, ImageVerdict.OTHER, ImageVerdict.NOT_SEEN, ImageVerdict.UNTRUSTED)
