"""What an operator asks of which images, and how old that may be which answers it."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bot.domain.packages.gate import GateRule

MAX_AGE = timedelta(days=2)
"""How old CVE data and reports may be, unless the operator says otherwise."""


class ReportUse(StrEnum):
    """What a scanner's report about an image is worth: it adds to the kept data, answers where that cannot tell, or
    must be there."""

    ADD = "add"
    ENOUGH = "enough"
    REQUIRE = "require"


@dataclass(frozen=True, slots=True)
class MatchedRule:
    """What is asked of images whose `registry/name` one of the globs fits."""

    match: tuple[str, ...]
    rule: GateRule
    report: ReportUse = ReportUse.ADD
