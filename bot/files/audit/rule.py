"""What a rule is: a name, how much it matters, and a function from a repository's texts to verdicts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.domain.repositories.finding import FindingSeverity
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Rule:
    """`check` is the stable name that findings, waivers and SARIF use; `title` is what holds where it holds.

    `why` says in one sentence what the practice is for. `judge` never raises for any text, reads nothing but the
    repository that it is given, and gives the same verdicts whatever the order of the files.
    """

    check: str
    title: str
    why: str
    severity: FindingSeverity
    judge: Callable[[RepositoryTexts], Iterable[Verdict]]
