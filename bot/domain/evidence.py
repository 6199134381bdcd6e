"""How strongly something is shown."""

from enum import StrEnum


class Strength(StrEnum):
    """What evidence is worth. Unknown is an answer; only what is proved is acted upon without a second look."""

    PROVED = "proved"
    CLAIMED = "claimed"
    """Said by somebody who could say anything: unsigned provenance, a label, a Dockerfile's text."""
    CONTRADICTED = "contradicted"
    UNKNOWN = "unknown"
