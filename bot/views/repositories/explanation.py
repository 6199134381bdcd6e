"""Everything that the bot knows of one repository, and why it did what it did, for a command and for a page."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from bot.domain.bases.mirrors import Behind
from bot.domain.packages.gate import GateMode
from bot.domain.reference import Base
from bot.domain.repositories.issue import IssueSection
from bot.domain.repositories.onboarding import Onboarding
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.repositories.usage import SourceProblem, Usage
from bot.domain.rollouts.rebuild import Rebuild
from bot.domain.rollouts.steps import StepRun, unheld
from bot.domain.rollouts.terms import Start
from bot.domain.rollouts.timing.waves import Hold
from bot.views.bases.support import SupportRow
from bot.views.fleet.fleet import Standing
from bot.views.images import images
from bot.views.images.image_pages import ImageRow
from bot.views.images.images import ImageView
from bot.views.rollouts import rebuilds
from bot.views.rows import RebuildRow


@dataclass(frozen=True, slots=True)
class Decision:
    """One step of a rebuild, with its reason."""

    rebuild: int
    at: datetime
    before: str | None
    after: str
    reason: str


@dataclass(frozen=True, slots=True)
class BuildStatus:
    """When a workflow that rebuilds the repository last succeeded, and what is made of that."""

    workflow: str
    last_success: datetime | None
    read_at: datetime | None
    said: str


@dataclass(frozen=True, slots=True)
class IssueSaid:
    """What the bot has to say in the repository's issue; `refused` is why the forge takes none."""

    sections: tuple[IssueSection, ...]
    url: str | None = None
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """`usages` come each with the base that it follows and the digest which that base has now."""

    repository: str
    read_at: datetime | None
    error: str | None
    problems: tuple[SourceProblem, ...]
    config: RepositoryConfig
    usages: tuple[tuple[Usage, Base | None, str | None], ...]
    rebuilds: tuple[Rebuild, ...]
    transitions: tuple[Decision, ...]
    steps: Mapping[int, tuple[StepRun, ...]] = field(default_factory=dict)
    """Those of the rebuilds that have some, by the rebuilds' ids."""
    waits: Mapping[int, Hold] = field(default_factory=dict)
    """What rebuilds that have not begun wait for, by their ids."""
    images: tuple[ImageView, ...] = ()
    builds: tuple[BuildStatus, ...] = ()
    onboarding: Onboarding | None = None
    """None where nobody has asked for it."""
    issue: IssueSaid | None = None
    """None where there is nothing to say."""
    behind: tuple[Behind, ...] = ()
    """The bases in mirrors that do not show yet what upstream does."""

    def left_alone(self, usage: Usage, base: Base | None, today: date) -> str | None:
        """Says why the repository wants this usage left alone, where it does."""
        rule = self.config.ignored_by(usage.path, str(base or usage.reference.base), today)
        return str(rule) if rule else None


def unheld_steps(explained: Explanation) -> str | None:
    """Which steps the gate cannot hold back, where it is to hold the repository's images; None where it can all."""
    if not any(view.gate is not None and view.gate.mode is GateMode.BLOCK for view in explained.images):
        return None
    steps = [run.step for runs in explained.steps.values() for run in runs]
    names = {step.name for step in steps if step.start is Start.OBSERVE}
    return unheld(sorted(names)) if names else None


def as_json(explained: Explanation, today: date) -> dict[str, Any]:
    """Gives the explanation as plain JSON values; `today` decides which ignores still hold."""
    return {
        "repository": explained.repository,
        "read_at": explained.read_at,
        "error": explained.error,
        "enabled": explained.config.enabled,
        "usages": _usages_as_json(explained, today),
        "images": [images.as_json(view) for view in explained.images],
        "not_held_by_the_gate": unheld_steps(explained),
        "rebuilds": [
            rebuilds.as_json(item, explained.waits.get(item.id), explained.steps.get(item.id, ()))
            for item in explained.rebuilds
        ],
        "transitions": [_decision_as_json(decision) for decision in explained.transitions],
        "behind": [_behind_as_json(late) for late in explained.behind],
        "builds": [asdict(build) for build in explained.builds],
        "onboarding": _onboarding_as_json(explained.onboarding) if explained.onboarding is not None else None,
        "issue": _issue_as_json(explained.issue) if explained.issue is not None else None,
        "problems": [
            {"file": item.path, "line": item.line, "message": item.message} for item in explained.problems
        ],
    }


def _usages_as_json(explained: Explanation, today: date) -> list[dict[str, Any]]:
    return [
        {
            "file": usage.path,
            "line": usage.line,
            "reference": str(usage.reference),
            "role": usage.role,
            "stage": usage.stage,
            "base": str(base) if base else None,
            "base_digest": digest,
            "left_alone": explained.left_alone(usage, base, today),
        }
        for usage, base, digest in explained.usages
    ]


def _decision_as_json(decision: Decision) -> dict[str, Any]:
    return {
        "at": decision.at,
        "rebuild": decision.rebuild,
        "from": decision.before,
        "to": decision.after,
        "reason": decision.reason,
    }


def _behind_as_json(late: Behind) -> dict[str, Any]:
    return {
        "base": str(late.base),
        "upstream": str(late.upstream),
        "waits_for": late.digest,
        "behind_since": late.since,
    }


def _onboarding_as_json(onboarding: Onboarding) -> dict[str, Any]:
    return {
        "state": onboarding.state,
        "reason": onboarding.reason,
        "url": onboarding.url,
        "merged": onboarding.merged,
        "left": onboarding.left,
    }


def _issue_as_json(issue: IssueSaid) -> dict[str, Any]:
    return {
        "url": issue.url,
        "refused": issue.refused,
        "sections": [
            {"name": section.name, "title": section.title, "text": section.told} for section in issue.sections
        ],
    }


@dataclass(frozen=True, slots=True)
class UsageRow:
    """`is_current` where what is pinned is what the base shows, None where nothing is pinned."""

    path: str
    line: int
    reference: str
    role: str
    stage: str | None
    base: str | None
    is_current: bool | None
    left_alone: str | None
    url: str
    support: SupportRow | None = None
    """That what it names gets no more fixes, or soon none."""


@dataclass(frozen=True, slots=True)
class FileProblem:
    """Something in a file that a maintainer should know."""

    path: str
    line: int
    message: str
    url: str


@dataclass(frozen=True, slots=True)
class RepositoryPage:
    """`usages`, `problems` and `rebuilds` are the first of as many as their counts say; decisions are those of the
    rebuilds that are shown. `builds` are the workflows that rebuild it, `images` what they produce."""

    name: str
    url: str
    standing: Standing | None
    since: datetime | None
    branch: str
    read_at: datetime | None
    error: str | None
    is_enabled: bool
    """Whether its own word lets the bot act; the API tells it."""
    usages: tuple[UsageRow, ...]
    usage_count: int
    problems: tuple[FileProblem, ...]
    rebuilds: tuple[RebuildRow, ...]
    rebuild_count: int
    decisions: tuple[Decision, ...]
    builds: tuple[BuildStatus, ...]
    images: tuple[ImageRow, ...]
    onboarding: Onboarding | None = None
    """How far it is brought to the practices by pull requests; None where nobody has asked for that."""
