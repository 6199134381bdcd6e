"""What the operator wants done: rules, the first that matches wins, later ones fill its gaps."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from bot.domain.bases.change import Cause
from bot.domain.feeds.advisory import Severity
from bot.domain.globs import any_covers, covers_repositories, names_repository
from bot.domain.reference import Base
from bot.domain.rollouts.terms import NEVER, AutoMerge, PathWorkflow, Pin, Step
from bot.domain.rollouts.timing.waves import Wave
from bot.domain.rollouts.timing.windows import ALWAYS, Freeze, Window

ONE_WAVE = (Wave("rest"),)
"""Where the operator names no waves, all begin together."""


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
        return self.accepts_change(base, cause, severity) and self.accepts_repository(repository)

    def accepts_repository(self, repository: str) -> bool:
        return not self.repositories or names_repository(self.repositories, repository)

    def accepts_base(self, base: Base) -> bool:
        return not self.bases or any(fnmatchcase(str(base), glob) for glob in self.bases)

    def accepts_change(self, base: Base, cause: Cause, severity: Severity | None) -> bool:
        return (
            self.accepts_base(base)
            and (not self.causes or cause in self.causes)
            and (self.min_severity is None or (severity is not None and severity.rank >= self.min_severity.rank))
        )

    def covers(self, other: "Match") -> bool:
        """Whether it surely accepts all that `other` accepts; globs are compared as far as that can be told."""
        own, others = ([glob.lower() for glob in each.repositories] for each in (self, other))
        return (
            any_covers(own, others, covers_repositories)
            and any_covers(self.bases, other.bases)
            and (not self.causes or (bool(other.causes) and set(other.causes) <= set(self.causes)))
            and (
                self.min_severity is None
                or (other.min_severity is not None and other.min_severity.rank >= self.min_severity.rank)
            )
        )


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """What shall hold where it matches; a term that is None is left to later rules."""

    match: Match = field(default_factory=Match)
    action: ActionPreference | None = None
    workflow: str | None = None
    settle: timedelta | None = None
    windows: tuple[Window, ...] | None = None
    max_age: timedelta | None = None
    wave: str | None = None
    soak: timedelta | None = None
    steps: tuple[Step, ...] | None = None
    workflows: tuple[PathWorkflow, ...] | None = None
    auto_merge: AutoMerge | None = None
    pin: Pin | None = None
    follow_rollbacks: bool | None = None
    draft: bool | None = None
    labels: tuple[str, ...] | None = None
    reviewers: tuple[str, ...] | None = None
    assignees: tuple[str, ...] | None = None
    branch_prefix: str | None = None
    commit_message: str | None = None
    fix_within: tuple[tuple[Severity, timedelta], ...] | None = None
    """How soon a fix is to run, by severity: of repositories, whatever changes."""

    @property
    def terms(self) -> frozenset[str]:
        """The names of the terms that it sets."""
        return frozenset(name for name in (*TERMS, "fix_within") if getattr(self, name) is not None)


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for one repository and one change once the rules are applied.

    `soak` is None where the wave's own holds, `max_age` where none is guaranteed. `follow_rollbacks` has a tag that
    went back to an older version followed, which else is only told. `reviewers` is empty where the
    repository says itself who reviews. `commit_message` has `{bases}` in the place of what moved; None leaves
    the words to the bot.
    """

    action: ActionPreference = ActionPreference.AUTO
    workflow: str = "weekly-rebuild.yml"
    settle: timedelta = timedelta(hours=6)
    windows: tuple[Window, ...] = (ALWAYS,)
    max_age: timedelta | None = None
    wave: str = "rest"
    soak: timedelta | None = None
    steps: tuple[Step, ...] = ()
    workflows: tuple[PathWorkflow, ...] = ()
    auto_merge: AutoMerge = NEVER
    pin: Pin = Pin.KEEP
    follow_rollbacks: bool = False
    draft: bool = False
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    branch_prefix: str = "freshness/"
    commit_message: str | None = None


TERMS = tuple(item.name for item in fields(Terms))


@dataclass(frozen=True, slots=True)
class _Memory:
    """Which rules match, as a bit for each place, and the terms that follow; it grows with the fleet alone."""

    of_change: dict[tuple[Base, Cause, Severity | None], int] = field(default_factory=dict)
    of_repository: dict[str, int] = field(default_factory=dict)
    agreed: dict[tuple[int, Cause, Severity | None], Terms] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policy:
    """The operator's rules, the waves in the order in which they begin, and the times when nothing begins.

    Who is put into no wave belongs to the last one.
    """

    rules: tuple[PolicyRule, ...] = ()
    waves: tuple[Wave, ...] = ONE_WAVE
    freezes: tuple[Freeze, ...] = ()
    pause_when_failed: float = 0.2
    _memory: _Memory = field(default_factory=_Memory, init=False, repr=False, compare=False)

    def terms(self, repository: str, base: Base, cause: Cause, severity: Severity | None) -> Terms:
        """Gathers the terms of a rebuild, each from the first matching rule that sets it, else from the defaults.

        Where no rule sets a settle time, a severe security fix does not wait for one. What an own base brings has
        settled before that was rebuilt, so only rules that name its cause have it settle again. A fleet asks for
        few distinct answers, so each is made once and shared.
        """
        memory = self._memory
        asked = base, cause, severity
        of_change = memory.of_change.get(asked)
        if of_change is None:
            accepted = (rule.match.accepts_change(base, cause, severity) for rule in self.rules)
            of_change = memory.of_change[asked] = _places(accepted)
        of_name = memory.of_repository.get(repository)
        if of_name is None:
            accepted = (rule.match.accepts_repository(repository) for rule in self.rules)
            of_name = memory.of_repository[repository] = _places(accepted)
        key = of_change & of_name, cause, severity
        agreed = memory.agreed.get(key)
        if agreed is None:
            matching = [rule for place, rule in enumerate(self.rules) if key[0] >> place & 1]
            agreed = memory.agreed[key] = self._made(matching, cause, severity)
        return agreed

    def reviewers(self, repository: str, bases: Sequence[Base]) -> tuple[str, ...]:
        """Whom rules ask to review there, each for some change of the bases at least."""
        asking = [rule for rule in self.rules if rule.reviewers and rule.match.accepts_repository(repository)]
        accepted = [rule for rule in asking if any(map(rule.match.accepts_base, bases))]
        return tuple(dict.fromkeys(name for rule in accepted for name in rule.reviewers or ()))

    def fix_within(self, repository: str) -> Mapping[Severity, timedelta]:
        """How soon a fix is to run of what a repository builds, by severity."""
        return {severity: within for severity, (within, _) in self.promises(repository).items()}

    def promises(self, repository: str) -> Mapping[Severity, tuple[timedelta, int]]:
        """The same with the rule that says so, counted from 0: for each severity the first that names it."""
        promised: dict[Severity, tuple[timedelta, int]] = {}
        for place, rule in enumerate(self.rules):
            if rule.fix_within and rule.match.accepts_repository(repository):
                promised = {severity: (within, place) for severity, within in rule.fix_within} | promised
        return promised

    def origins(
        self, repository: str, base: Base, cause: Cause, severity: Severity | None
    ) -> Mapping[str, int | None]:
        """Tells for each term which rule gave it, counted from 0; None where no rule did."""
        matching = [
            (place, rule)
            for place, rule in enumerate(self.rules)
            if rule.match.accepts(repository, base, cause, severity)
        ]
        return {
            name: next(
                (
                    place
                    for place, rule in matching
                    if getattr(rule, name) is not None and _settling([rule], name, cause)
                ),
                None,
            )
            for name in TERMS
        }

    def together(self, several: Sequence[Terms]) -> Terms:
        """The terms of one rebuild for several changes: the earliest wave, the shortest soak, else the first one's.

        It is merged without a person only where that holds for each of them, by one method.
        """
        first = several[0]
        if several.count(first) == len(several):
            return first
        soaks = [soak for terms in several if (soak := self.soak(terms)) is not None]
        same = all(terms.auto_merge.method is first.auto_merge.method for terms in several)
        return replace(
            first,
            wave=self.earliest([terms.wave for terms in several]),
            soak=min(soaks, default=None),
            auto_merge=first.auto_merge if same else NEVER,
        )

    def earliest(self, waves: Sequence[str]) -> str:
        """The one of these waves that begins first."""
        order = [wave.name for wave in self.waves]
        return min(waves, key=lambda name: _place(order, name))

    def soak(self, terms: Terms) -> timedelta | None:
        """How long a wave stands after such a rebuild; None where its wave is unknown."""
        if terms.soak is not None:
            return terms.soak
        return next((wave.soak for wave in self.waves if wave.name == terms.wave), None)

    def _made(self, matching: Sequence[PolicyRule], cause: Cause, severity: Severity | None) -> Terms:
        chosen = {name: _first(_settling(matching, name, cause), name) for name in TERMS}
        if chosen["settle"] is None and (is_severe(cause, severity) or cause is Cause.BASE_UPDATE):
            chosen["settle"] = timedelta(0)
        if chosen["wave"] is None and self.waves:
            chosen["wave"] = self.waves[-1].name
        if chosen["auto_merge"] is not None and not chosen["auto_merge"].accepts(cause, severity):
            chosen["auto_merge"] = NEVER
        return Terms(**{name: value for name, value in chosen.items() if value is not None})


def _places(accepted: Iterable[bool]) -> int:
    return sum(1 << place for place, is_accepted in enumerate(accepted) if is_accepted)


def is_severe(cause: Cause, severity: Severity | None) -> bool:
    """Whether a change is a security fix that does not settle unless a rule says so."""
    return cause is Cause.DOTNET_SECURITY and severity is not None and severity.rank >= Severity.HIGH.rank


def _settling(rules: Sequence[PolicyRule], name: str, cause: Cause) -> Sequence[PolicyRule]:
    """The rules that may set a term: a settle time for what an own base brings only those that name this cause."""
    if name != "settle" or cause is not Cause.BASE_UPDATE:
        return rules
    return [rule for rule in rules if cause in rule.match.causes]


def _first(rules: Sequence[PolicyRule], name: str) -> Any:
    return next((value for rule in rules if (value := getattr(rule, name)) is not None), None)


def _place(order: Sequence[str], name: str) -> int:
    return order.index(name) if name in order else len(order)
