"""Whether a base or an image may be built upon or deployed, by who signed it."""

from dataclasses import dataclass
from datetime import datetime
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
    text: str
    is_there: bool = True
    """Whether any signature was found."""
    until: datetime | None = None
    """The first moment at which the same signatures may be judged otherwise; None where time decides nothing."""

    @property
    def holds(self) -> bool:
        return self.strength is Strength.PROVED


@dataclass(frozen=True, slots=True)
class Lack:
    """What an image lacks that is required of it, for people, with what to do. `may_come` says that nothing speaks
    against it yet: builds sign what they have pushed a little later."""

    text: str
    may_come: bool = False
