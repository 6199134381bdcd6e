"""The support of what somebody stands on, where it has ended or soon will."""

from dataclasses import dataclass
from datetime import date

from bot.domain.bases.support import Support, SupportState


@dataclass(frozen=True, slots=True)
class SupportRow:
    """What ends, or has ended, on which day, and the version to move to; `told` says it to people."""

    state: SupportState
    subject: str
    until: date
    toward: str | None
    told: str


def support_row(support: Support | None, today: date) -> SupportRow | None:
    """Gives it as lists show it; None where nobody needs to know yet."""
    state = support.state(today) if support is not None else None
    if support is None or state is None:
        return None
    return SupportRow(state, support.subject, support.until, support.toward, support.told(today))
