"""What the operator wants done: rules, the first that matches wins, later ones fill its gaps."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from bot.domain.advisory import Severity
from bot.domain.change import Cause
from bot.domain.reference import Base
from bot.domain.windows import ALWAYS, Window


class ActionPreference(StrEnum):
    """The action that a rule asks for; `auto` leaves the choice to the usage."""

    AUTO = "auto"
    PULL_REQUEST = "pull_request"
    DISPATCH = "dispatch"
    NOTIFY = "notify"


@dataclass(frozen=True, slots=True)
class Match:
    """Every condition that is set must hold; globs for names, in which the case of repositories does not count."""

    repositories: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    causes: tuple[Cause, ...] = ()
    min_severity: Severity | None = None

    def accepts(self, repository: str, base: Base, cause: Cause, severity: Severity | None) -> bool:
        name = repository.lower()  # for GitHub, Contoso/Shop and contoso/shop are one repository
        return (
            (not self.repositories or any(fnmatchcase(name, glob.lower()) for glob in self.repositories))
            and (not self.bases or any(fnmatchcase(str(base), glob) for glob in self.bases))
            and (not self.causes or cause in self.causes)
            and (self.min_severity is None or (severity is not None and severity.rank >= self.min_severity.rank))
        )


@dataclass(frozen=True, slots=True)
class Rule:
    match: Match = field(default_factory=Match)
    action: ActionPreference | None = None
    workflow: str | None = None
    settle: timedelta | None = None
    windows: tuple[Window, ...] | None = None
    max_age: timedelta | None = None
    wave: str | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for one repository and one change once the rules are applied."""

    action: ActionPreference = ActionPreference.AUTO
    workflow: str = "weekly-rebuild.yml"
    settle: timedelta = timedelta(hours=6)
    windows: tuple[Window, ...] = (ALWAYS,)
    max_age: timedelta = timedelta(days=7)
    wave: str = "rest"


@dataclass(frozen=True, slots=True)
class Policy:
    rules: tuple[Rule, ...] = ()

    def terms(self, repository: str, base: Base, cause: Cause, severity: Severity | None) -> Terms:
        """Each term is taken from the first matching rule that sets it, else from the defaults.

        Where no rule sets a settle time, a severe security fix does not wait for one.
        """
        matching = [rule for rule in self.rules if rule.match.accepts(repository, base, cause, severity)]
        chosen = {item.name: _first(matching, item.name) for item in fields(Terms)}
        if chosen["settle"] is None and _is_severe(cause, severity):
            chosen["settle"] = timedelta(0)
        return Terms(**{name: value for name, value in chosen.items() if value is not None})


def _first(rules: Sequence[Rule], name: str) -> Any:
    return next((value for rule in rules if (value := getattr(rule, name)) is not None), None)


def _is_severe(cause: Cause, severity: Severity | None) -> bool:
    return cause is Cause.DOTNET_SECURITY and severity is not None and severity.rank >= Severity.HIGH.rank
