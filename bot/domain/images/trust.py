"""Whether a base or an image may be built upon or deployed, by who signed it."""

from dataclasses import dataclass
from enum import StrEnum

from bot.domain.evidence import Strength


class TrustMode(StrEnum):
    """What follows from a signature that does not hold: nothing, a word, or a stop."""

    OFF = "off"
    WARN = "warn"
    REQUIRE = "require"


@dataclass(frozen=True, slots=True)
class Trust:
    """What the signatures of one digest show, for people. Contradicted means that there is one which does not hold;
    unknown that there is none, or that it cannot be told."""

    strength: Strength
    told: str
    is_there: bool = True
    """Whether any signature was found."""

    @property
    def holds(self) -> bool:
        return self.strength is Strength.PROVED
