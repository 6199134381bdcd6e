"""How strongly something is shown, and what the image of a build was seen to show."""

from enum import StrEnum


class Strength(StrEnum):
    """What evidence is worth. Unknown is an answer; only what is proved is acted upon without a second look."""

    PROVED = "proved"
    CLAIMED = "claimed"
    """Said by somebody who could say anything: unsigned provenance, a label, a Dockerfile's text."""
    CONTRADICTED = "contradicted"
    UNKNOWN = "unknown"


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
