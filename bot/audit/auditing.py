"""One repository's texts → all findings."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from bot.audit.repository import Repository
from bot.audit.rule import Rule
from bot.audit.rules import RULES
from bot.audit.waivers import waived
from bot.domain.repositories.finding import Finding, Outcome, Place, in_order
from bot.formats import repository_config
from bot.formats.dotnet import global_json
from bot.formats.table import is_worth_reading, kind_of

_OTHERS = ("Chart.yaml", "Kustomization", "Jenkinsfile", "nuget.config", ".npmrc", "Makefile", "justfile")
_ENDINGS = (".bicep", ".tf")


def is_read(path: str) -> bool:
    """Whether the rules look at a file of that path."""
    name = path.rpartition("/")[2]
    if (
        path == repository_config.PATH
        or name in _OTHERS
        or name.lower() == "nuget.config"
        or name.endswith(_ENDINGS)
    ):
        return True
    return (
        name.startswith((".goreleaser.", "goreleaser."))
        or is_worth_reading(path)
        or kind_of(path) == global_json.KIND
    )


def audit(
    files: Mapping[str, bytes],
    now: datetime,
    unwaivable: Collection[str] = (),
    rules: Sequence[Rule] = RULES,
    name: str = "",
) -> tuple[Finding, ...]:
    """Every rule's findings on the files of one repository, in the order of paths and lines.

    Never raises: what breaks a rule is an unknown of that rule. `now` tells which waivers have ended, `unwaivable`
    names checks that nobody but the operator may waive. `name` spreads the schedules that fixes add over the week.
    The order of `files` makes no difference.
    """
    repository = Repository(files, name)
    return in_order(waived(repository, _findings(repository, rules), now, unwaivable))


def _findings(repository: Repository, rules: Sequence[Rule]) -> Iterator[Finding]:
    for rule in rules:
        try:
            verdicts = list(rule.judge(repository))
        except Exception as error:
            why = f"it could not be judged ({type(error).__name__}); please report this repository"
            yield Finding(
                rule.check, Outcome.UNKNOWN, Place("", 1, 1), "repository", why, rule.severity, "a corrected bot"
            )
            continue
        for each in verdicts:
            yield Finding(
                rule.check,
                each.outcome,
                each.place,
                _line(each.subject),
                _line(each.message),
                rule.severity,
                _line(each.settled_by),
                each.fix,
            )


def _line(text: str) -> str:
    return " ".join(text.split())
