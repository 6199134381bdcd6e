"""What the gate says of images, as every surface shows it."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.packages.cves.detected import Rating
from bot.domain.packages.gate import GateMode, GateOutcome


@dataclass(frozen=True, slots=True)
class GateView:
    """What the gate says of one image; `blocking` and `unfixed` count vulnerabilities."""

    mode: GateMode
    outcome: GateOutcome
    told: str
    blocking: int
    unfixed: int
    judged_at: datetime | None

    @property
    def in_words(self) -> str:
        """`the gate holds it back: CVE-2026-1 (HIGH) in zlib1g 1.3, fixed in 1.4`."""
        match self.outcome:
            case GateOutcome.PASSED:
                return f"the gate lets it through: {self.told}"
            case GateOutcome.BLOCKED if self.mode is GateMode.TELL:
                return f"the gate would hold it back: {self.told}"
            case GateOutcome.BLOCKED:
                return f"the gate holds it back: {self.told}"
            case _:
                return f"the gate cannot tell: {self.told}"


@dataclass(frozen=True, slots=True)
class Unfixed:
    """A vulnerability that the gate ignores because nobody has fixed it, and in how many images it is."""

    id: str
    severity: Rating
    packages: tuple[str, ...]
    images: int
