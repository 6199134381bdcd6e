"""What settings say in vain: waves that no rule uses, rules and globs that never match, what has ended."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from bot.domain.bases.change import Cause
from bot.domain.globs import covers, may_meet
from bot.domain.packages.gate import GateMode, ReportUse
from bot.domain.repositories.repository import built_elsewhere
from bot.domain.rollouts.policy import Match, PolicyRule
from bot.domain.rollouts.steps import unheld
from bot.domain.rollouts.terms import Start
from bot.settings.model import Settings
from bot.settings.sections.gate import GateRuleSettings


def review(settings: Settings) -> list[str]:
    """Names each part of the policy that has no consequence, a line each; the policy holds all the same."""
    rules = settings.rules.rules
    lines = [f"rollout.waves: no rule puts a repository into {name!r}" for name in _unused_waves(settings)]
    for place, rule in enumerate(rules):
        reason = _never_matters(rule.match) or _never_matches(rule.match, settings)
        reason = reason or _nothing_left(rule, rules[:place])
        if reason:
            lines.append(f"policy.{place}: {reason}")
    for place, channel in enumerate(settings.notify):
        if reason := _never_matches(channel.match, settings):
            lines.append(f"notify.{place}: {reason}")
    return [*lines, *_idle_globs(settings)]


def _idle_globs(settings: Settings) -> Iterator[str]:
    """Finds globs over repositories that are not read, and rules over images whose registries are not listed."""
    selected, audit = settings.github.repositories, settings.audit
    for key, globs in (
        ("audit.code_scanning", audit.code_scanning),
        ("audit.admission", audit.admission),
        ("onboarding.repositories", settings.onboarding.repositories),
    ):
        for place, glob in enumerate(globs):
            if not _meets([glob], selected.include, selected.exclude):
                yield f"{key}.{place}: it never matches: github.repositories leaves all of its repositories out"
    places = [f"{host}/*" for host in settings.registries]
    for key, matches in (
        ("trust.rules", [rule.match for rule in settings.trust.rules]),
        ("gate.rules", [rule.match for rule in settings.gate.rules]),
    ):
        for place, globs in enumerate(matches):
            if not _meets(globs, places, ()):
                yield f"{key}.{place}: it never matches: none of it is on a registry that is in registries"


def review_times(settings: Settings, now: datetime) -> list[str]:
    """Names each freeze that is over, a line each."""
    return [
        f"freezes.{place}: it ended on {freeze.until:%Y-%m-%d}; take it out"
        for place, freeze in enumerate(settings.freezes)
        if freeze.until <= now
    ]


def review_gate(settings: Settings, now: datetime) -> list[str]:
    """Names each part of the gate that has no consequence, a line each."""
    gate, lines = settings.gate, []
    for place, rule in enumerate(gate.rules):
        before = next((number for number, other in enumerate(gate.rules[:place]) if _is_behind(rule, other)), None)
        if before is not None:
            lines.append(f"gate.rules.{place}: it never has a say: gate.rules.{before} matches the same before it")
    asking = [rule for rule in gate.rules if rule.mode is not GateMode.OFF]
    if not settings.reports.artifacts:
        lines += [
            f"gate.rules.{place}: report: require, and reports.artifacts is empty: nothing can be told until "
            "`freshness-bot reports import` has brought a report of each image"
            for place, rule in enumerate(gate.rules)
            if rule.report is ReportUse.REQUIRE and rule.mode is not GateMode.OFF
        ]
    for place, each in enumerate(gate.exceptions):
        if each.until <= now:
            lines.append(f"gate.exceptions.{place}: it ended on {each.until:%Y-%m-%d}: {each.cve} counts again")
        elif not any(may_meet(one, other) for one in each.match for rule in asking for other in rule.match):
            lines.append(f"gate.exceptions.{place}: it never matches: no rule asks for anything of its images")
    if any(rule.mode is GateMode.BLOCK for rule in gate.rules):
        lines += _unheld(settings.rules.rules)
    return lines


def _unheld(rules: Sequence[PolicyRule]) -> Iterator[str]:
    for place, rule in enumerate(rules):
        for number, step in enumerate(rule.steps or ()):
            if step.start is Start.OBSERVE:
                yield f"policy.{place}.steps.{number}: {unheld([step.name])}"


def _is_behind(rule: GateRuleSettings, other: GateRuleSettings) -> bool:
    return all(any(covers(wide, narrow) for wide in other.match) for narrow in rule.match)


def missing_workflows(settings: Settings, known: Collection[str]) -> list[str]:
    """Names the workflows of the rules that no repository has, a line each; `known` are the file names there.

    Where nothing is known at all, nothing can be said.
    """
    if not known:
        return []
    return [
        f"{place}: no repository has a workflow {name} that can be dispatched"
        for place, name in _named_workflows(settings.rules.rules)
        if name not in known and built_elsewhere(name) is None
    ]


def _unused_waves(settings: Settings) -> Iterator[str]:
    """Finds waves without members: all but the last, to which everybody belongs who is put into none."""
    used = {rule.wave for rule in settings.policy}
    return (wave.name for wave in settings.rollout.waves[:-1] if wave.name not in used)


def _never_matters(match: Match) -> str | None:
    if match.causes and not any(cause.needs_rebuild for cause in match.causes):
        return f"it never matters: nothing is rebuilt because of {' or '.join(match.causes)}"
    if match.min_severity is not None and match.causes and Cause.DOTNET_SECURITY not in match.causes:
        return f"it never matches: only {Cause.DOTNET_SECURITY} fixes CVEs, and its causes leave that out"
    return None


def _never_matches(match: Match, settings: Settings) -> str | None:
    selected = settings.github.repositories
    if match.repositories and not _meets(match.repositories, selected.include, selected.exclude):
        return "it never matches: github.repositories leaves all of its repositories out"
    if match.bases and not _meets(match.bases, [*settings.bases, *settings.mirrors], ()):
        return "it never matches: none of its bases is among those that are watched"
    return None


def _meets(globs: Sequence[str], include: Sequence[str], exclude: Sequence[str]) -> bool:
    """Case is left out, as GitHub does; registries' names have none."""
    return any(
        any(may_meet(glob.lower(), wanted.lower()) for wanted in include)
        and not any(covers(unwanted.lower(), glob.lower()) for unwanted in exclude)
        for glob in globs
    )


def _nothing_left(rule: PolicyRule, earlier: Sequence[PolicyRule]) -> str | None:
    if not rule.terms:
        return "it sets no term"
    before = [(place, other) for place, other in enumerate(earlier) if other.match.covers(rule.match)]
    givers = {term: next((place for place, other in before if term in other.terms), None) for term in rule.terms}
    if any(place is None for place in givers.values()):
        return None
    earlier_rules = ", ".join(
        f"policy.{place}" for place in sorted({place for place in givers.values() if place is not None})
    )
    return f"it never has a say: whatever it matches, {earlier_rules} sets the same terms before it"


def _named_workflows(rules: Sequence[PolicyRule]) -> Iterator[tuple[str, str]]:
    for place, rule in enumerate(rules):
        if rule.workflow is not None:
            yield f"policy.{place}.workflow", rule.workflow
        for number, part in enumerate(rule.workflows or ()):
            yield f"policy.{place}.workflows.{number}", part.workflow
        for number, step in enumerate(rule.steps or ()):
            if step.repository is None and step.start == "dispatch" and step.workflow is not None:
                yield f"policy.{place}.steps.{number}", step.workflow
